#ifndef PLAT_AES_GCM_H
#define PLAT_AES_GCM_H

/**
 * @file
 * AES-GCM (NIST SP 800-38D) of whole records, by a library that uses the processor's instructions.
 * Any thread.  Nothing is kept between two calls: each expands its key, on the stack and in less
 * time than a short record takes, and wipes what it made of it, so that no key outlives its
 * connection.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

#define PLAT_AES_GCM_NONCE_LEN 12
#define PLAT_AES_GCM_TAG_LEN   16

typedef struct plat_aes_gcm_record {
    const uint8_t *key;
    size_t key_len;       /* 16 or 32 */
    const uint8_t *nonce; /* PLAT_AES_GCM_NONCE_LEN bytes, never twice with one key */
    const uint8_t *aad;
    size_t aad_len;
    const uint8_t *in;
    uint8_t *out; /* in itself, or memory that does not overlap it */
    size_t len;
} plat_aes_gcm_record;

/** Encrypts.  PLAT_ERR_ARG for a key of another length; then nothing was written. */
plat_result plat_aes_gcm_seal(const plat_aes_gcm_record *r, uint8_t tag[PLAT_AES_GCM_TAG_LEN]);

/**
 * Decrypts.  PLAT_ERR_CRYPTO when the tag does not fit, which is compared in constant time; then
 * out holds zeros.  PLAT_ERR_ARG as above.
 */
plat_result plat_aes_gcm_open(const plat_aes_gcm_record *r,
                              const uint8_t tag[PLAT_AES_GCM_TAG_LEN]);

#endif
