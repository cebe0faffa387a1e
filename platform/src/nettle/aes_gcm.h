#ifndef PLAT_AES_GCM_H
#define PLAT_AES_GCM_H

/**
 * @file
 * AES-GCM (NIST SP 800-38D) of whole records, by a library that uses the processor's instructions.
 * Any thread may call it. Nothing is kept between two calls: each call expands the key on its
 * stack, which takes less time than a short record, and erases the result. So no key outlives its
 * connection.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

#define PLAT_AES_GCM_NONCE_LEN 12
#define PLAT_AES_GCM_TAG_LEN   16

/** A record to encrypt or to decrypt. */
typedef struct plat_aes_gcm_record {
    const uint8_t *key;
    size_t key_len; /* 16 or 32 */
    /* PLAT_AES_GCM_NONCE_LEN bytes; the same nonce must never be used twice with the same key. */
    const uint8_t *nonce;
    const uint8_t *aad;
    size_t aad_len;
    const uint8_t *in;
    uint8_t *out; /* either equal to in, or memory that does not overlap it */
    size_t len;
} plat_aes_gcm_record;

/**
 * Encrypts a record and computes its tag. PLAT_ERR_ARG means that the key has another length;
 * nothing was written then.
 */
plat_result plat_aes_gcm_seal(const plat_aes_gcm_record *r, uint8_t tag[PLAT_AES_GCM_TAG_LEN]);

/**
 * Decrypts a record and checks its tag, in constant time.
 * @retval PLAT_ERR_CRYPTO  the tag is wrong; out holds zeros
 * @retval PLAT_ERR_ARG     the key has another length; nothing was written
 */
plat_result plat_aes_gcm_open(const plat_aes_gcm_record *r,
                              const uint8_t tag[PLAT_AES_GCM_TAG_LEN]);

#endif
