#include "hub/key_signature.h"

#include "iothub/connection_string.h"
#include "text/split.h"
#include "text/text_writer.h"
#include "text/wipe.h"

static iothub_result fail_plat(plat_result p, iothub_error *err)
{
    if (p == PLAT_ERR_ENCODING) {
        return iothub_fail(err, IOTHUB_ERR_KEY, "the key is not base64");
    }
    if (p == PLAT_ERR_NO_SPACE) {
        return iothub_fail(err, IOTHUB_ERR_KEY, "the key is longer than 1024 bytes");
    }
    return iothub_fail(err, IOTHUB_ERR_CRYPTO, "the crypto library cannot sign with the key");
}

iothub_result key_signature_make(const plat_crypto *crypto, mqc_span key, mqc_span text,
                                 char out[KEY_SIGNATURE_CHARS], iothub_error *err)
{
    uint8_t raw[IOTHUB_KEY_MAX];
    uint8_t mac[PLAT_SHA256_SIZE];
    size_t raw_len = 0;
    size_t out_len = 0;

    key = iothub_trim(key);
    if (key.len == 0) {
        return iothub_fail(err, IOTHUB_ERR_KEY, "the key is empty");
    }
    plat_result p =
        crypto->base64_decode(crypto, (const char *)key.ptr, key.len, raw, sizeof raw, &raw_len);
    if (p == PLAT_OK) {
        p = crypto->hmac_sha256(crypto, raw, raw_len, text.ptr, text.len, mac);
    }
    if (p == PLAT_OK) {
        p = crypto->base64_encode(crypto, mac, sizeof mac, out, KEY_SIGNATURE_CHARS, &out_len);
    }
    iothub_wipe(raw, sizeof raw);
    return p == PLAT_OK ? IOTHUB_OK : fail_plat(p, err);
}
