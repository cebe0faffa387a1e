#include "wolfssl/crypto/crypto.h"

#include <limits.h>
#include <string.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/random.h>

#define QUAD 4 /* four base64 characters encode up to three bytes */

static plat_result hmac_sha256(const plat_crypto *self, const void *key, size_t key_len,
                               const void *data, size_t len, uint8_t out[PLAT_SHA256_SIZE])
{
    (void)self;
    if (key_len > UINT_MAX || len > UINT_MAX) {
        return PLAT_ERR_ARG;
    }
    Hmac hmac;
    if (wc_HmacInit(&hmac, NULL, INVALID_DEVID) != 0) {
        return PLAT_ERR_CRYPTO;
    }
    int rc = wc_HmacSetKey(&hmac, WC_SHA256, key, (word32)key_len);
    if (rc == 0 && len > 0) {
        rc = wc_HmacUpdate(&hmac, data, (word32)len);
    }
    if (rc == 0) {
        rc = wc_HmacFinal(&hmac, out);
    }
    wc_HmacFree(&hmac);
    return rc == 0 ? PLAT_OK : PLAT_ERR_CRYPTO;
}

static bool in_alphabet(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

static size_t padding_len(const char *text, size_t len)
{
    if (text[len - 1] != '=') {
        return 0;
    }
    return text[len - 2] == '=' ? 2 : 1;
}

static plat_result encode(const void *data, size_t len, char *out, size_t out_len)
{
    word32 n = (word32)out_len;
    int rc = len == 0 ? 0 : Base64_Encode_NoNl(data, (word32)len, (byte *)out, &n);
    return rc == 0 && (len == 0 || n == out_len) ? PLAT_OK : PLAT_ERR_CRYPTO;
}

/* Decodes the last group of four characters, the only one that may be padded. The text is strict
 * base64 if encoding its bytes yields the same text. */
static plat_result decode_last_quad(const char *quad, size_t want, uint8_t *out)
{
    byte bytes[QUAD];
    word32 got = sizeof bytes;
    char back[QUAD];
    if (Base64_Decode((const byte *)quad, QUAD, bytes, &got) != 0 || got != want ||
        encode(bytes, want, back, QUAD) != PLAT_OK || memcmp(back, quad, QUAD) != 0) {
        return PLAT_ERR_ENCODING;
    }
    memcpy(out, bytes, want);
    return PLAT_OK;
}

/* Decodes strictly: wolfCrypt would accept line breaks and unused bits in the last character. */
static plat_result base64_decode(const plat_crypto *self, const char *text, size_t len,
                                 uint8_t *out, size_t cap, size_t *out_len)
{
    (void)self;
    if (len > UINT_MAX) {
        return PLAT_ERR_ARG;
    }
    *out_len = 0;
    if (len == 0) {
        return PLAT_OK;
    }
    if (len % QUAD != 0) {
        return PLAT_ERR_ENCODING;
    }
    size_t padding = padding_len(text, len);
    for (size_t i = 0; i < len - padding; i++) {
        if (!in_alphabet(text[i])) {
            return PLAT_ERR_ENCODING;
        }
    }
    size_t head_text = len - QUAD;
    size_t head = head_text / QUAD * 3;
    size_t tail = 3 - padding;
    if (cap < head + tail) {
        return PLAT_ERR_NO_SPACE;
    }
    word32 got = (word32)head;
    if (head > 0 &&
        (Base64_Decode((const byte *)text, (word32)head_text, out, &got) != 0 || got != head)) {
        return PLAT_ERR_ENCODING;
    }
    plat_result r = decode_last_quad(text + head_text, tail, out + head);
    if (r == PLAT_OK) {
        *out_len = head + tail;
    }
    return r;
}

static plat_result base64_encode(const plat_crypto *self, const void *data, size_t len, char *out,
                                 size_t cap, size_t *out_len)
{
    (void)self;
    if (len > UINT_MAX / QUAD * 3 - 3) {
        return PLAT_ERR_ARG;
    }
    size_t need = (len + 2) / 3 * QUAD;
    if (cap < need) {
        return PLAT_ERR_NO_SPACE;
    }
    *out_len = need;
    return encode(data, len, out, need);
}

/* Each call uses a new generator, so that no state is shared between threads or repeated after a
 * fork. */
static plat_result random_bytes(const plat_crypto *self, void *out, size_t len)
{
    (void)self;
    WC_RNG rng;
    if (wc_InitRng(&rng) != 0) {
        return PLAT_ERR_CRYPTO;
    }
    uint8_t *at = out;
    int rc = 0;
    while (len > 0 && rc == 0) {
        word32 n = len < RNG_MAX_BLOCK_LEN ? (word32)len : RNG_MAX_BLOCK_LEN;
        rc = wc_RNG_GenerateBlock(&rng, at, n);
        at += n;
        len -= n;
    }
    wc_FreeRng(&rng);
    return rc == 0 ? PLAT_OK : PLAT_ERR_CRYPTO;
}

static plat_result sha1(const plat_crypto *self, const void *data, size_t len,
                        uint8_t out[PLAT_SHA1_SIZE])
{
    (void)self;
    if (len > UINT_MAX) {
        return PLAT_ERR_ARG;
    }
    return wc_ShaHash(data, (word32)len, out) == 0 ? PLAT_OK : PLAT_ERR_CRYPTO;
}

const plat_crypto plat_wolfssl_crypto = {
    .hmac_sha256 = hmac_sha256,
    .base64_decode = base64_decode,
    .base64_encode = base64_encode,
    .random = random_bytes,
    .sha1 = sha1,
};
