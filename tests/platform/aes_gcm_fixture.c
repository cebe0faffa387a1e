#include "aes_gcm_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <wolfssl/ssl.h>

uint8_t plain[RECORD_MAX], sealed[RECORD_ROOM], opened[RECORD_ROOM], expected[RECORD_MAX];
uint8_t key[32], nonce[NONCE], aad[AAD_MAX];

void fill_with(uint8_t *out, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (uint8_t)(seed >> 24);
    }
}

int fill_buffers(void **state)
{
    (void)state;
    assert_int_equal(wolfSSL_Init(), WOLFSSL_SUCCESS);
    fill_with(plain, sizeof plain, 1);
    fill_with(key, sizeof key, 2);
    fill_with(nonce, sizeof nonce, 3);
    fill_with(aad, sizeof aad, 4);
    return 0;
}

plat_aes_gcm_record record(size_t key_len, size_t aad_len, const uint8_t *in, uint8_t *out,
                           size_t len)
{
    return (plat_aes_gcm_record){ .key = key,
                                  .key_len = key_len,
                                  .nonce = nonce,
                                  .aad = aad,
                                  .aad_len = aad_len,
                                  .in = in,
                                  .out = out,
                                  .len = len };
}

void set_key(Aes *aes, int device, size_t key_len)
{
    assert_int_equal(wc_AesInit(aes, NULL, device), 0);
    assert_int_equal(wc_AesGcmSetKey(aes, key, (word32)key_len), 0);
}
