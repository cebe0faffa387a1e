#include "base/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/text.h"

/* Aborts if a call has failed: the library fails here only without memory or entropy, and then
 * the emulator cannot continue. */
static void must(int gnutls_code)
{
    if (gnutls_code < 0) {
        (void)fprintf(stderr, "hub_emulator: %s\n", gnutls_strerror(gnutls_code));
        abort();
    }
}

static gnutls_datum_t datum(const void *data, size_t len)
{
    /* The union removes const: gnutls_datum_t has no const form, but the calls below only read. */
    union {
        const void *in;
        unsigned char *out;
    } cast = { .in = data };
    return (gnutls_datum_t){ cast.out, (unsigned)len };
}

char *hub_base64_encode(const void *data, size_t len)
{
    gnutls_datum_t in = datum(data, len);
    gnutls_datum_t out = { 0 };

    if (len == 0) {
        return hub_strdup("");
    }
    must(gnutls_base64_encode2(&in, &out));
    char *text = hub_memdup(out.data, out.size);
    gnutls_free(out.data);
    return text;
}

uint8_t *hub_base64_decode(const char *text, size_t *len)
{
    gnutls_datum_t in = datum(text, strlen(text));
    gnutls_datum_t out = { 0 };

    *len = 0;
    if (in.size == 0) {
        return hub_calloc(1, 1);
    }
    if (gnutls_base64_decode2(&in, &out) < 0) {
        return NULL;
    }
    uint8_t *bytes = (uint8_t *)hub_memdup(out.data, out.size);
    *len = out.size;
    gnutls_free(out.data);

    /* Encodes the bytes again for comparison, since the library accepts white space and unused
     * bits, which the hub refuses. */
    char *again = hub_base64_encode(bytes, *len);
    bool strict = strcmp(again, text) == 0;
    free(again);
    if (!strict) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

void hub_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                     uint8_t out[HUB_SHA256_SIZE])
{
    must(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_len, data, len, out));
}

void hub_random(void *out, size_t len)
{
    must(gnutls_rnd(GNUTLS_RND_KEY, out, len));
}

char *hub_random_key(void)
{
    uint8_t key[32];

    hub_random(key, sizeof key);
    char *text = hub_base64_encode(key, sizeof key);
    gnutls_memset(key, 0, sizeof key);
    return text;
}

void hub_random_uuid(char out[HUB_UUID_SIZE])
{
    uint8_t r[16];

    hub_random(r, sizeof r);
    r[6] = (uint8_t)((r[6] & 0x0F) | 0x40); /* version 4 of RFC 9562 */
    r[8] = (uint8_t)((r[8] & 0x3F) | 0x80);
    (void)snprintf(out, HUB_UUID_SIZE,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
                   r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
                   r[14], r[15]);
}

bool hub_same_bytes(const void *a, const void *b, size_t len)
{
    return gnutls_memcmp(a, b, len) == 0;
}
