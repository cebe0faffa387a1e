#include "registry/token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "messages/bag.h"

#define SCHEME "SharedAccessSignature "

/* Reads decimal seconds; returns -1 if the text is anything else. */
static int64_t decimal(const char *text)
{
    int64_t n = 0;

    if (*text == '\0' || strlen(text) > 15) {
        return -1;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        n = n * 10 + (*text - '0');
    }
    return n;
}

static hub_result bad(hub_fault *fault, const char *why)
{
    return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "token: %s", why);
}

static hub_result take_field(hub_token *t, const char *name, size_t name_len, const char *value,
                             size_t value_len, hub_fault *fault)
{
    char *decoded = hub_percent_decode(value, value_len);
    hub_result r = HUB_OK;

    if (name_len == 3 && memcmp(name, "skn", 3) == 0 && value_len == 0) {
        r = HUB_OK; /* accepted, because one vendor SDK sends it empty with device keys */
    } else if (decoded == NULL || value_len == 0) {
        r = bad(fault, "a field is empty or badly encoded");
    } else if (name_len == 2 && memcmp(name, "sr", 2) == 0 && t->sr == NULL) {
        t->sr = hub_memdup(value, value_len);
        t->resource = decoded;
        return HUB_OK;
    } else if (name_len == 2 && memcmp(name, "se", 2) == 0 && t->expiry_s < 0) {
        t->expiry_s = decimal(decoded);
        r = t->expiry_s < 0 ? bad(fault, "se is not a time") : HUB_OK;
    } else if (name_len == 3 && memcmp(name, "sig", 3) == 0 && t->signature == NULL) {
        t->signature = hub_base64_decode(decoded, &t->signature_len);
        r = t->signature == NULL ? bad(fault, "sig is not base64") : HUB_OK;
    } else if (name_len == 3 && memcmp(name, "skn", 3) == 0 && t->policy == NULL) {
        t->policy = decoded;
        return HUB_OK;
    } else {
        r = bad(fault, "a field is unknown or is given twice");
    }
    free(decoded);
    return r;
}

static hub_result parse_fields(const char *text, hub_token *t, hub_fault *fault)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "&");
        const char *equals = memchr(text, '=', len);
        if (equals == NULL) {
            return bad(fault, "a field has no value");
        }
        size_t name_len = (size_t)(equals - text);
        hub_result r = take_field(t, text, name_len, equals + 1, len - name_len - 1, fault);
        if (r != HUB_OK) {
            return r;
        }
        text += len + (text[len] == '&' ? 1 : 0);
    }
    if (t->sr == NULL || t->signature == NULL || t->expiry_s < 0) {
        return bad(fault, "sr, sig or se is missing");
    }
    return HUB_OK;
}

hub_result hub_token_parse(const char *text, hub_token *out, hub_fault *fault)
{
    *out = (hub_token){ .expiry_s = -1 };
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0) {
        return bad(fault, "does not start with SharedAccessSignature");
    }
    hub_result r = parse_fields(text + strlen(SCHEME), out, fault);
    if (r != HUB_OK) {
        hub_token_free(out);
    }
    return r;
}

void hub_token_free(hub_token *t)
{
    free(t->sr);
    free(t->resource);
    free(t->policy);
    free(t->signature);
    *t = (hub_token){ 0 };
}

static void forget(uint8_t *secret, size_t len)
{
    if (secret != NULL) {
        explicit_bzero(secret, len);
        free(secret);
    }
}

bool hub_token_signed_by(const hub_token *t, const char *key)
{
    uint8_t expected[HUB_SHA256_SIZE];
    size_t key_len = 0;
    uint8_t *secret = hub_base64_decode(key, &key_len);

    if (secret == NULL || t->signature_len != sizeof expected) {
        forget(secret, key_len);
        return false;
    }
    char *signed_text = hub_format("%s\n%lld", t->sr, (long long)t->expiry_s);
    hub_hmac_sha256(secret, key_len, signed_text, strlen(signed_text), expected);
    free(signed_text);
    forget(secret, key_len);
    return hub_same_bytes(expected, t->signature, sizeof expected);
}

bool hub_token_covers(const hub_token *t, const char *resource)
{
    const char *own = t->resource;
    size_t len = strlen(own);
    size_t host = strcspn(own, "/");

    if (len > 0 && own[len - 1] == '/') {
        len--; /* "hub/devices/" is the same as "hub/devices" */
    }
    if (len == 0 || strlen(resource) < len || strncasecmp(own, resource, host) != 0) {
        return false;
    }
    return memcmp(own + host, resource + host, len - (host < len ? host : len)) == 0 &&
           (resource[len] == '\0' || resource[len] == '/');
}
