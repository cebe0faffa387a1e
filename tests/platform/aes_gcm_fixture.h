#ifndef TEST_AES_GCM_FIXTURE_H
#define TEST_AES_GCM_FIXTURE_H

/** @file Keys and records for the tests of AES-GCM. */

#include "nettle/aes_gcm.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>

enum {
    RECORD_MAX = 16384 + 256 + 1, /* RFC 8446 section 5.2, and one more */
    RECORD_ROOM = RECORD_MAX + 32,
    AAD_MAX = 64,
    NONCE = PLAT_AES_GCM_NONCE_LEN,
    TAG = PLAT_AES_GCM_TAG_LEN
};

extern uint8_t plain[RECORD_MAX], sealed[RECORD_ROOM], opened[RECORD_ROOM], expected[RECORD_MAX];
extern uint8_t key[32], nonce[NONCE], aad[AAD_MAX];

/** The same bytes in each run, without a pattern that could hide a fault of a cipher. */
void fill_with(uint8_t *out, size_t len, uint32_t seed);

/** For the group: fills everything but the results. */
int fill_buffers(void **state);

/** A record with the key, the nonce and the associated data above. */
plat_aes_gcm_record record(size_t key_len, size_t aad_len, const uint8_t *in, uint8_t *out,
                           size_t len);

/** An Aes of wolfCrypt with the key above.  device: INVALID_DEVID for wolfCrypt alone. */
void set_key(Aes *aes, int device, size_t key_len);

#endif
