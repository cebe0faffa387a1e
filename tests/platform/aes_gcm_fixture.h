#ifndef TEST_AES_GCM_FIXTURE_H
#define TEST_AES_GCM_FIXTURE_H

/**
 * @file
 * Keys and records for the tests of AES-GCM.
 */

#include "nettle/aes_gcm.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>

enum {
    /* The longest record of RFC 8446 section 5.2, and one byte more. */
    RECORD_MAX = 16384 + 256 + 1,
    RECORD_ROOM = RECORD_MAX + 32,
    AAD_MAX = 64,
    NONCE = PLAT_AES_GCM_NONCE_LEN,
    TAG = PLAT_AES_GCM_TAG_LEN
};

extern uint8_t plain[RECORD_MAX], sealed[RECORD_ROOM], opened[RECORD_ROOM], expected[RECORD_MAX];
extern uint8_t key[32], nonce[NONCE], aad[AAD_MAX];

/**
 * Fills the buffer with bytes that are the same in each run and look random, since a regular
 * pattern could hide a fault of a cipher.
 */
void fill_with(uint8_t *out, size_t len, uint32_t seed);

/** Set-up function of a test group: fills all buffers except those for results. */
int fill_buffers(void **state);

/** Returns a record that uses the key, the nonce and the associated data above. */
plat_aes_gcm_record record(size_t key_len, size_t aad_len, const uint8_t *in, uint8_t *out,
                           size_t len);

/**
 * Sets the key above in an Aes object of wolfCrypt. With device INVALID_DEVID, wolfCrypt computes
 * without the callback.
 */
void set_key(Aes *aes, int device, size_t key_len);

#endif
