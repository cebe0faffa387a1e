/* Tests AES-GCM as computed by the library behind aes_gcm.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "aes_gcm_fixture.h"

enum { GUARD = 32 };

/* --- known answers: McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B --- */

static size_t bytes(uint8_t *out, const char *hex)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned value;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        out[i] = (uint8_t)value;
    }
    return n;
}

#define KEY      "feffe9928665731c6d6a8f9467308308"
#define ZERO_KEY "00000000000000000000000000000000"
#define ZERO_IV  "000000000000000000000000"
#define IV       "cafebabefacedbaddecaf888"
#define TEXT                                                           \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define CIPHER_128                                                     \
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" \
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
#define CIPHER_256                                                     \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" \
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

static const struct {
    const char *key, *iv, *aad, *plain, *cipher, *tag;
} answers[] = {
    { ZERO_KEY, ZERO_IV, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a" },
    { ZERO_KEY, ZERO_IV, "", ZERO_KEY, "0388dace60b6a392f328c2b971b2fe78",
      "ab6e47d42cec13bdf53a67b21257bddf" },
    { KEY, IV, "", TEXT "1aafd255", CIPHER_128 "473f5985", "4d5c2af327cd64a62cf35abd2ba6fab4" },
    { KEY, IV, AAD, TEXT, CIPHER_128, "5bc94fbc3221a5db94fae95ae7121a47" },
    { ZERO_KEY ZERO_KEY, ZERO_IV, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
    { ZERO_KEY ZERO_KEY, ZERO_IV, "", ZERO_KEY, "cea7403d4d606b6e074ec5d3baf39d18",
      "d0d1c8a799996bf0265b98b5d48ab919" },
    { KEY KEY, IV, "", TEXT "1aafd255", CIPHER_256 "898015ad", "b094dac5d93471bdec1a502270e3cc6c" },
    { KEY KEY, IV, AAD, TEXT, CIPHER_256, "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void the_published_answers_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint8_t k[32], iv[NONCE], a[AAD_MAX], in[AAD_MAX], out[AAD_MAX], want[AAD_MAX], tag[TAG];
        uint8_t want_tag[TAG];
        plat_aes_gcm_record r = { .key = k, .nonce = iv, .aad = a, .in = in, .out = out };
        r.key_len = bytes(k, answers[i].key);
        assert_int_equal(bytes(iv, answers[i].iv), NONCE);
        r.aad_len = bytes(a, answers[i].aad);
        r.len = bytes(in, answers[i].plain);
        assert_int_equal(bytes(want, answers[i].cipher), r.len);
        (void)bytes(want_tag, answers[i].tag);

        assert_int_equal(plat_aes_gcm_seal(&r, tag), PLAT_OK);
        assert_memory_equal(out, want, r.len);
        assert_memory_equal(tag, want_tag, TAG);
        r.in = r.out; /* the output overwrites the input */
        assert_int_equal(plat_aes_gcm_open(&r, tag), PLAT_OK);
        assert_memory_equal(out, in, r.len);
    }
}

/* --- compared with wolfCrypt --- */

static void expect_as_wolfcrypt(Aes *aes, size_t key_len, size_t aad_len, size_t len)
{
    uint8_t tag[TAG], want_tag[TAG];
    fill_with(nonce, sizeof nonce, (uint32_t)(len + aad_len));
    assert_int_equal(wc_AesGcmEncrypt(aes, expected, plain, (word32)len, nonce, NONCE, want_tag,
                                      TAG, aad, (word32)aad_len),
                     0);
    memset(sealed, 0xa5, len + GUARD);
    memset(opened, 0xa5, len + GUARD);
    plat_aes_gcm_record r = record(key_len, aad_len, plain, sealed, len);
    assert_int_equal(plat_aes_gcm_seal(&r, tag), PLAT_OK);
    if (memcmp(sealed, expected, len) != 0 || memcmp(tag, want_tag, TAG) != 0) {
        fail_msg("%zu bytes, %zu of associated data, key of %zu", len, aad_len, key_len);
    }
    r = record(key_len, aad_len, sealed, opened, len);
    assert_int_equal(plat_aes_gcm_open(&r, tag), PLAT_OK);
    assert_memory_equal(opened, plain, len);
    for (size_t i = 0; i < GUARD; i++) {
        assert_int_equal(sealed[len + i], 0xa5);
        assert_int_equal(opened[len + i], 0xa5);
    }
}

/* Tries every size up to several blocks, all sizes near the largest record, and many between
 * them. */
static void records_of_any_size_are_what_wolfcrypt_makes_of_them(void **state)
{
    (void)state;
    for (size_t key_len = 16; key_len <= 32; key_len += 16) {
        Aes aes;
        set_key(&aes, INVALID_DEVID, key_len);
        for (size_t len = 0; len <= RECORD_MAX; len += len < 520 || len > 16300 ? 1 : 97) {
            expect_as_wolfcrypt(&aes, key_len, len % 2 == 0 ? 5 : 13, len);
        }
        for (size_t aad_len = 0; aad_len <= AAD_MAX; aad_len++) {
            expect_as_wolfcrypt(&aes, key_len, aad_len, 33);
            expect_as_wolfcrypt(&aes, key_len, aad_len, 0);
        }
        wc_AesFree(&aes);
    }
}

static void a_record_may_be_sealed_and_opened_in_place(void **state)
{
    (void)state;
    for (size_t len = 0; len < 300; len++) {
        uint8_t tag[TAG], tag_in_place[TAG], in_place[300];
        plat_aes_gcm_record r = record(16, 13, plain, sealed, len);
        assert_int_equal(plat_aes_gcm_seal(&r, tag), PLAT_OK);
        memcpy(in_place, plain, len);
        r = record(16, 13, in_place, in_place, len);
        assert_int_equal(plat_aes_gcm_seal(&r, tag_in_place), PLAT_OK);
        assert_memory_equal(in_place, sealed, len);
        assert_memory_equal(tag_in_place, tag, TAG);
        assert_int_equal(plat_aes_gcm_open(&r, tag), PLAT_OK);
        assert_memory_equal(in_place, plain, len);
    }
}

/* --- what is not right --- */

static void expect_forged(plat_aes_gcm_record *r, const uint8_t *tag)
{
    memset(opened, 0xa5, sizeof opened);
    assert_int_equal(plat_aes_gcm_open(r, tag), PLAT_ERR_CRYPTO);
    for (size_t i = 0; i < r->len; i++) {
        /* A record that is not authentic leaves no plain text in the buffer. */
        assert_int_equal(opened[i], 0);
    }
    assert_int_equal(opened[r->len], 0xa5);
}

static void expect_each_bit_counts(plat_aes_gcm_record *r, uint8_t *part, size_t len,
                                   const uint8_t *tag)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        part[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_forged(r, tag);
        part[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(plat_aes_gcm_open(r, tag), PLAT_OK);
}

static void a_changed_bit_anywhere_is_refused_and_nothing_is_handed_out(void **state)
{
    (void)state;
    for (size_t key_len = 16; key_len <= 32; key_len += 16) {
        uint8_t tag[TAG];
        plat_aes_gcm_record r = record(key_len, 13, plain, sealed, 77);
        assert_int_equal(plat_aes_gcm_seal(&r, tag), PLAT_OK);
        r.in = sealed;
        r.out = opened;
        expect_each_bit_counts(&r, sealed, r.len, tag);
        expect_each_bit_counts(&r, aad, r.aad_len, tag);
        expect_each_bit_counts(&r, nonce, NONCE, tag);
        expect_each_bit_counts(&r, key, key_len, tag);
        expect_each_bit_counts(&r, tag, TAG, tag);
        r.len--;
        expect_forged(&r, tag);
    }
}

static void a_key_of_another_length_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    for (size_t key_len = 0; key_len <= 64; key_len++) {
        uint8_t tag[TAG] = { 0xa5 };
        plat_aes_gcm_record r = record(key_len, 13, plain, sealed, 77);
        if (key_len == 16 || key_len == 32) {
            continue;
        }
        memset(sealed, 0xa5, 77);
        assert_int_equal(plat_aes_gcm_seal(&r, tag), PLAT_ERR_ARG);
        assert_int_equal(plat_aes_gcm_open(&r, tag), PLAT_ERR_ARG);
        assert_int_equal(sealed[0], 0xa5);
        assert_int_equal(sealed[76], 0xa5);
        assert_int_equal(tag[0], 0xa5);
    }
}

/* --- nothing stays --- */

enum { STACK = 2 * 1024 * 1024, PATTERN = 8 }; /* most of it is needed by the sanitizers */

static uint8_t *stack;

/* Keeps stack frames on the real stack; the sanitizer would otherwise move them to the heap. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}

static void *seal_and_open(void *user)
{
    static uint8_t out[1000], back[1000];
    uint8_t tag[TAG];
    plat_aes_gcm_record r = record(*(const size_t *)user, 13, plain, out, sizeof out);
    assert_int_equal(plat_aes_gcm_seal(&r, tag), PLAT_OK);
    r.in = out;
    r.out = back;
    assert_int_equal(plat_aes_gcm_open(&r, tag), PLAT_OK);
    return NULL;
}

static bool is_on_stack(const uint8_t *pattern)
{
    for (size_t i = 0; i + PATTERN <= STACK; i++) {
        if (memcmp(stack + i, pattern, PATTERN) == 0) {
            return true;
        }
    }
    return false;
}

static void leave_a_copy(void *user)
{
    /* As large as a key schedule, since the end of a thread uses the stack, too. */
    volatile uint8_t copies[4096];
    (void)user;
    for (size_t i = 0; i < sizeof copies; i++) {
        copies[i] = key[i % sizeof key];
    }
}

static void *forget_to_wipe(void *user)
{
    leave_a_copy(user);
    return NULL;
}

static void run_on_the_stack(void *(*work)(void *), void *user)
{
    pthread_t thread;
    pthread_attr_t attributes;
    memset(stack, 0, STACK);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, work, user), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
}

/* The search is for the key itself, because the key schedule begins with it. */
static void no_key_is_left_in_memory_after_a_call(void **state)
{
    (void)state;
    stack = aligned_alloc(4096, STACK);
    assert_non_null(stack);
    run_on_the_stack(forget_to_wipe, NULL);
    assert_true(is_on_stack(key)); /* proves that the search finds a key that is there */
    for (size_t key_len = 16; key_len <= 32; key_len += 16) {
        run_on_the_stack(seal_and_open, &key_len);
        for (size_t at = 0; at + PATTERN <= key_len; at++) {
            assert_false(is_on_stack(key + at));
        }
    }
    free(stack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_answers_come_out),
        cmocka_unit_test(records_of_any_size_are_what_wolfcrypt_makes_of_them),
        cmocka_unit_test(a_record_may_be_sealed_and_opened_in_place),
        cmocka_unit_test(a_changed_bit_anywhere_is_refused_and_nothing_is_handed_out),
        cmocka_unit_test(a_key_of_another_length_is_refused_and_nothing_is_written),
        cmocka_unit_test(no_key_is_left_in_memory_after_a_call),
    };
    return cmocka_run_group_tests(tests, fill_buffers, NULL);
}
