#include "nettle/aes_gcm.h"

#include <stdbool.h>
#include <string.h>

#include "memory/wipe_memory.h"

#include <nettle/gcm.h>
#include <nettle/memops.h>

typedef union cipher {
    struct gcm_aes128_ctx with_128;
    struct gcm_aes256_ctx with_256;
} cipher;

/* --- one function for each key length; nettle has no common type for them --- */

static void begin_128(struct gcm_aes128_ctx *c, const plat_aes_gcm_record *r)
{
    gcm_aes128_set_key(c, r->key);
    gcm_aes128_set_iv(c, PLAT_AES_GCM_NONCE_LEN, r->nonce);
    gcm_aes128_update(c, r->aad_len, r->aad);
}

static void begin_256(struct gcm_aes256_ctx *c, const plat_aes_gcm_record *r)
{
    gcm_aes256_set_key(c, r->key);
    gcm_aes256_set_iv(c, PLAT_AES_GCM_NONCE_LEN, r->nonce);
    gcm_aes256_update(c, r->aad_len, r->aad);
}

static void encrypt(cipher *c, const plat_aes_gcm_record *r, uint8_t *tag)
{
    if (r->key_len == AES128_KEY_SIZE) {
        begin_128(&c->with_128, r);
        gcm_aes128_encrypt(&c->with_128, r->len, r->out, r->in);
        gcm_aes128_digest(&c->with_128, PLAT_AES_GCM_TAG_LEN, tag);
    } else {
        begin_256(&c->with_256, r);
        gcm_aes256_encrypt(&c->with_256, r->len, r->out, r->in);
        gcm_aes256_digest(&c->with_256, PLAT_AES_GCM_TAG_LEN, tag);
    }
}

static void decrypt(cipher *c, const plat_aes_gcm_record *r, uint8_t *tag)
{
    if (r->key_len == AES128_KEY_SIZE) {
        begin_128(&c->with_128, r);
        gcm_aes128_decrypt(&c->with_128, r->len, r->out, r->in);
        gcm_aes128_digest(&c->with_128, PLAT_AES_GCM_TAG_LEN, tag);
    } else {
        begin_256(&c->with_256, r);
        gcm_aes256_decrypt(&c->with_256, r->len, r->out, r->in);
        gcm_aes256_digest(&c->with_256, PLAT_AES_GCM_TAG_LEN, tag);
    }
}

/* --- aes_gcm.h --- */

static bool is_known(size_t key_len)
{
    return key_len == AES128_KEY_SIZE || key_len == AES256_KEY_SIZE;
}

plat_result plat_aes_gcm_seal(const plat_aes_gcm_record *r, uint8_t tag[PLAT_AES_GCM_TAG_LEN])
{
    cipher c;
    if (!is_known(r->key_len)) {
        return PLAT_ERR_ARG;
    }
    encrypt(&c, r, tag);
    plat_wipe(&c, sizeof c);
    return PLAT_OK;
}

plat_result plat_aes_gcm_open(const plat_aes_gcm_record *r, const uint8_t tag[PLAT_AES_GCM_TAG_LEN])
{
    cipher c;
    uint8_t right[PLAT_AES_GCM_TAG_LEN];
    if (!is_known(r->key_len)) {
        return PLAT_ERR_ARG;
    }
    decrypt(&c, r, right);
    plat_wipe(&c, sizeof c);
    const bool fits = memeql_sec(right, tag, sizeof right) != 0;
    /* Erased, because even the right tag of a forged record must not become known. */
    plat_wipe(right, sizeof right);
    if (!fits && r->len > 0) {
        plat_wipe(r->out, r->len);
    }
    return fits ? PLAT_OK : PLAT_ERR_CRYPTO;
}
