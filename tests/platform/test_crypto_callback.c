/* Tests AES-GCM through the callback that wolfCrypt calls before it computes. */

#include "wolfssl/crypto/crypto_callback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "aes_gcm_fixture.h"
#include "posix/processor.h"

#include <wolfssl/wolfcrypt/error-crypt.h>

static int device;

static void registering_it_succeeds(void **state)
{
    (void)state;
    device = plat_crypto_callback_register();
#if defined(WOLF_CRYPTO_CB) && defined(HAVE_AESGCM) && defined(HAVE_ECC)
    assert_int_not_equal(device, INVALID_DEVID);
#else
    assert_int_equal(device, INVALID_DEVID);
    skip();
#endif
}

#if defined(WOLF_CRYPTO_CB) && !defined(WOLFSSL_AESNI) && !defined(WOLFSSL_ARMASM)
/* Overwrites wolfCrypt's own key schedule, so that the result would be wrong if wolfCrypt
 * computed it. */
static void wolfcrypt_leaves_records_to_the_callback(void **state)
{
    (void)state;
    for (size_t key_len = 16; key_len <= 32; key_len += 16) {
        Aes aes;
        uint8_t tag[TAG], want_tag[TAG];
        plat_aes_gcm_record r = record(key_len, 13, plain, expected, 100);
        assert_int_equal(plat_aes_gcm_seal(&r, want_tag), PLAT_OK);
        set_key(&aes, device, key_len);
        memset(aes.key, 0, sizeof aes.key);
        assert_int_equal(
            wc_AesGcmEncrypt(&aes, sealed, plain, 100, nonce, NONCE, tag, TAG, aad, 13), 0);
        assert_memory_equal(sealed, expected, 100);
        assert_memory_equal(tag, want_tag, TAG);
        assert_int_equal(
            wc_AesGcmDecrypt(&aes, opened, sealed, 100, nonce, NONCE, tag, TAG, aad, 13), 0);
        assert_memory_equal(opened, plain, 100);
        tag[15] ^= 1;
        assert_int_equal(
            wc_AesGcmDecrypt(&aes, opened, sealed, 100, nonce, NONCE, tag, TAG, aad, 13),
            AES_GCM_AUTH_E);
        wc_AesFree(&aes);
    }
}
#else
static void wolfcrypt_leaves_records_to_the_callback(void **state)
{
    (void)state;
    skip(); /* this wolfCrypt uses the processor's instructions itself */
}
#endif

static void expect_the_same(size_t key_len, word32 nonce_len, word32 tag_len)
{
    Aes aes, alone;
    uint8_t tag[TAG], want_tag[TAG];
    set_key(&aes, device, key_len);
    set_key(&alone, INVALID_DEVID, key_len);
    int want = wc_AesGcmEncrypt(&alone, expected, plain, 100, plain, nonce_len, want_tag, tag_len,
                                aad, 13);
    int rc = wc_AesGcmEncrypt(&aes, sealed, plain, 100, plain, nonce_len, tag, tag_len, aad, 13);
    assert_int_equal(rc, want);
    if (rc == 0) {
        assert_memory_equal(sealed, expected, 100);
        assert_memory_equal(tag, want_tag, tag_len);
        assert_int_equal(
            wc_AesGcmDecrypt(&aes, opened, sealed, 100, plain, nonce_len, tag, tag_len, aad, 13),
            0);
        assert_memory_equal(opened, plain, 100);
    }
    wc_AesFree(&aes);
    wc_AesFree(&alone);
}

static void what_tls_does_not_use_is_left_to_wolfcrypt(void **state)
{
    (void)state;
    for (size_t key_len = 16; key_len <= 32; key_len += 8) {
        for (word32 nonce_len = 1; nonce_len <= 20; nonce_len++) {
            expect_the_same(key_len, nonce_len, TAG);
        }
        for (word32 tag_len = 1; tag_len <= TAG; tag_len++) {
            expect_the_same(key_len, NONCE, tag_len);
        }
    }
}

static void a_key_that_is_set_again_counts_immediately(void **state)
{
    (void)state;
    Aes aes;
    /* The keys replace each other in one object, as a key update does. */
    for (uint8_t i = 0; i < 20; i++) {
        uint8_t tag[TAG];
        key[0] = i;
        set_key(&aes, device, 16);
        assert_int_equal(
            wc_AesGcmEncrypt(&aes, sealed, plain, 100, nonce, NONCE, tag, TAG, aad, 13), 0);
        wc_AesFree(&aes);
        plat_aes_gcm_record r = record(16, 13, sealed, opened, 100);
        assert_int_equal(plat_aes_gcm_open(&r, tag), PLAT_OK);
    }
}

enum { THREADS = 4, RECORDS = 300 };

static void *work(void *user)
{
    uint8_t own_key[32], in[512], out[512], back[512], tag[TAG];
    Aes aes;
    fill_with(own_key, sizeof own_key, *(const uint32_t *)user);
    fill_with(in, sizeof in, *(const uint32_t *)user);
    for (word32 i = 0; i < RECORDS; i++) {
        own_key[0] = (uint8_t)i;
        assert_int_equal(wc_AesInit(&aes, NULL, device), 0);
        assert_int_equal(wc_AesGcmSetKey(&aes, own_key, i % 2 == 0 ? 16 : 32), 0);
        assert_int_equal(wc_AesGcmEncrypt(&aes, out, in, i, in, NONCE, tag, TAG, in, 13), 0);
        assert_int_equal(wc_AesGcmDecrypt(&aes, back, out, i, in, NONCE, tag, TAG, in, 13), 0);
        assert_memory_equal(back, in, i);
        wc_AesFree(&aes);
    }
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    uint32_t seeds[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        seeds[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &seeds[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void aes_is_fast_only_where_the_processor_is(void **state)
{
    (void)state;
    assert_int_equal(plat_crypto_callback_is_fast_at_aes(device), plat_processor_has_aes());
#if !defined(WOLFSSL_AESNI) && !defined(WOLFSSL_ARMASM)
    assert_false(plat_crypto_callback_is_fast_at_aes(INVALID_DEVID));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registering_it_succeeds),
        cmocka_unit_test(wolfcrypt_leaves_records_to_the_callback),
        cmocka_unit_test(what_tls_does_not_use_is_left_to_wolfcrypt),
        cmocka_unit_test(a_key_that_is_set_again_counts_immediately),
        cmocka_unit_test(threads_do_not_disturb_each_other),
        cmocka_unit_test(aes_is_fast_only_where_the_processor_is),
    };
    return cmocka_run_group_tests(tests, fill_buffers, NULL);
}
