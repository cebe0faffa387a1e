#include "provisioning/assignment_cache.h"

#include <string.h>

#include "provisioning/answer.h"
#include "text/split.h"
#include "text/text_writer.h"

/* The value has five lines: the number of the format, id scope, registration id, hub and device
 * id. The first three must match. The name of the value is made from id scope and registration
 * id, so that many devices can share one store. */

#define FORMAT "1"

enum { KEY_BYTES = 16 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* A registration id names the same device in upper and in lower case. */
static size_t fold(const dps_request *r, uint8_t out[IOTHUB_REGISTRATION_ID_MAX])
{
    for (size_t i = 0; i < r->registration_id.len; i++) {
        out[i] = lower(r->registration_id.ptr[i]);
    }
    return r->registration_id.len;
}

static plat_result make_key(const dps_request *r, const plat_crypto *crypto,
                            char key[PLAT_KV_KEY_MAX + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t folded[IOTHUB_REGISTRATION_ID_MAX];
    uint8_t mac[PLAT_SHA256_SIZE];
    const size_t len = fold(r, folded);
    char *at = key;

    plat_result result =
        crypto->hmac_sha256(crypto, r->id_scope.ptr, r->id_scope.len, folded, len, mac);
    if (result != PLAT_OK) {
        return result;
    }
    memcpy(at, "dps-", 4);
    at += 4;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        *at++ = digits[mac[i] >> 4];
        *at++ = digits[mac[i] & 15u];
    }
    *at = '\0';
    return PLAT_OK;
}

/* --- reading ----------------------------------------------------------------------------- */

static bool take_line(mqc_span *rest, mqc_span *line)
{
    return iothub_cut(*rest, '\n', line, rest);
}

static bool copy_line(mqc_span *rest, char *out, size_t cap)
{
    mqc_span line;

    if (!take_line(rest, &line) || line.len == 0 || line.len >= cap ||
        memchr(line.ptr, '\0', line.len) != NULL) {
        return false;
    }
    memcpy(out, line.ptr, line.len);
    out[line.len] = '\0';
    return true;
}

bool assignment_text_parse(const dps_request *r, mqc_span text, stored_assignment *out)
{
    stored_assignment found;
    mqc_span format;
    mqc_span scope;
    mqc_span id;

    if (!take_line(&text, &format) || !take_line(&text, &scope) || !take_line(&text, &id) ||
        !copy_line(&text, found.hub, sizeof found.hub) ||
        !copy_line(&text, found.device_id, sizeof found.device_id) || text.len != 0) {
        return false;
    }
    if (!mqc_span_eq(format, mqc_span_str(FORMAT)) || !mqc_span_eq(scope, r->id_scope) ||
        !iothub_same_word(id, r->registration_id) ||
        dps_assignment_check(found.hub, found.device_id, NULL) != IOTHUB_OK) {
        return false;
    }
    *out = found;
    return true;
}

plat_result assignment_cache_get(const dps_request *r, const plat_crypto *crypto,
                                 stored_assignment *out)
{
    plat_kv *kv = r->options.cache;
    char key[PLAT_KV_KEY_MAX + 1];
    char text[ASSIGNMENT_TEXT_MAX];
    size_t len = 0;

    plat_result result = make_key(r, crypto, key);
    if (result == PLAT_OK) {
        result = kv->ops->get(kv, key, text, sizeof text, &len);
    }
    if (result != PLAT_OK) {
        return result == PLAT_ERR_NO_SPACE ? PLAT_EOF : result;
    }
    return assignment_text_parse(r, mqc_span_of(text, len), out) ? PLAT_OK : PLAT_EOF;
}

/* --- writing ----------------------------------------------------------------------------- */

plat_result assignment_cache_put(const dps_request *r, const plat_crypto *crypto, const char *hub,
                                 const char *device_id)
{
    plat_kv *kv = r->options.cache;
    char key[PLAT_KV_KEY_MAX + 1];
    char text[ASSIGNMENT_TEXT_MAX];
    iothub_text t;

    plat_result result = make_key(r, crypto, key);
    if (result != PLAT_OK) {
        return result;
    }
    iothub_text_init(&t, text, sizeof text);
    iothub_text_put(&t, FORMAT "\n");
    iothub_text_put_span(&t, r->id_scope);
    iothub_text_put_char(&t, '\n');
    iothub_text_put_span(&t, r->registration_id);
    iothub_text_put_char(&t, '\n');
    iothub_text_put(&t, hub);
    iothub_text_put_char(&t, '\n');
    iothub_text_put(&t, device_id);
    iothub_text_put_char(&t, '\n');
    return kv->ops->put(kv, key, text, t.len);
}
