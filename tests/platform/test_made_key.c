#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/memory.h>

#include "wolfssl/identity/made_key.h"
#include "wolfssl/identity/private_key.h"
#include "wolfssl/x509/der.h"
#include "wolfssl_heap.h"

static const plat_key_kind kinds[] = { PLAT_KEY_EC_P256, PLAT_KEY_EC_P384, PLAT_KEY_RSA };

static void each_kind_is_made_and_signs(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        static const uint8_t digest[32] = "digest";
        plat_made_key key;
        plat_private_key read;
        plat_identity_fault fault;
        uint8_t out[PLAT_SIGNATURE_MAX];
        size_t len = 0;
        memset(&key, 0xa5, sizeof key);
        assert_int_equal(plat_made_key_make(kinds[i], &key, &fault), PLAT_OK);
        assert_string_equal(fault.text, "");
        assert_int_equal(key.kind, kinds[i]);
        const plat_key_input input = { key.der, key.len, NULL, NULL };
        assert_int_equal(plat_private_key_read(&read, &input, &fault), PLAT_OK);
        assert_int_equal(read.kind, kinds[i]);
        const plat_sign_request request = { kinds[i] == PLAT_KEY_RSA ? PLAT_SIGN_RSA_PSS
                                                                     : PLAT_SIGN_ECDSA,
                                            digest, sizeof digest };
        assert_int_equal(plat_private_key_sign(&read, &request, out, sizeof out, &len, &fault),
                         PLAT_OK);
        plat_private_key_free(&read);
        plat_made_key_erase(&key);
    }
}

static void each_key_is_a_new_one_and_can_be_erased(void **state)
{
    (void)state;
    static const uint8_t zeros[sizeof(plat_made_key)];
    static plat_made_key keys[20];
    plat_identity_fault fault;
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(plat_made_key_make(kinds[i % 2], &keys[i], &fault), PLAT_OK);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(keys[i].der, keys[j].der, keys[j].len);
        }
    }
    for (size_t i = 0; i < 20; i++) {
        plat_made_key_erase(&keys[i]);
        assert_memory_equal(&keys[i], zeros, sizeof zeros);
    }
}

static void an_unknown_kind_is_refused(void **state)
{
    (void)state;
    plat_made_key key;
    plat_identity_fault fault;
    memset(&key, 0xa5, sizeof key);
    assert_int_equal(plat_made_key_make((plat_key_kind)9, &key, &fault), PLAT_ERR_ARG);
    assert_true(fault.text[0] != '\0');
    assert_int_equal(key.len, 0);
}

/* --- the heap --- */

/* The contents of memory when it was freed. */
static struct {
    uint8_t bytes[4 * 1024 * 1024];
    size_t len;
    bool full; /* the memory was too small for some of the contents */
} litter;

static void *noting_malloc(size_t size)
{
    size_t *block = malloc(size + 2 * sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    block[0] = size;
    return block + 2;
}

static void noting_free(void *block)
{
    if (block == NULL) {
        return;
    }
    const size_t size = ((size_t *)block)[-2];
    if (size <= sizeof litter.bytes - litter.len) {
        memcpy(litter.bytes + litter.len, block, size);
        litter.len += size;
    } else {
        litter.full = true;
    }
    free((size_t *)block - 2);
}

static void *noting_realloc(void *block, size_t size)
{
    void *next = noting_malloc(size);
    if (block != NULL && next != NULL) {
        const size_t old = ((size_t *)block)[-2];
        memcpy(next, block, old < size ? old : size);
        noting_free(block);
    }
    return next;
}

/* Looks for a number as it is in DER, and as wolfCrypt computes with it on most processors. */
static bool litter_has(const uint8_t *number, size_t len)
{
    uint8_t reversed[128];
    assert_true(len <= sizeof reversed);
    for (size_t i = 0; i < len; i++) {
        reversed[i] = number[len - 1 - i];
    }
    return memmem(litter.bytes, litter.len, number, len) != NULL ||
           memmem(litter.bytes, litter.len, reversed, len) != NULL;
}

/* Returns the secret number of an EC key. */
static plat_der secret_of(const plat_made_key *key)
{
    plat_der in = { key->der, key->len };
    plat_der all, found;
    assert_true(plat_der_take(&in, PLAT_DER_SEQUENCE, &all));
    assert_true(plat_der_take(&all, PLAT_DER_INTEGER, &in));
    assert_true(plat_der_take(&all, PLAT_DER_OCTET_STRING, &found));
    return found;
}

static void every_failed_allocation_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    /* Without RSA, because each RSA key takes another number of allocations. */
    for (size_t i = 0; i < 2; i++) {
        unsigned nth = 0;
        bool failed;
        wolfssl_heap_begin();
        do {
            plat_made_key key;
            plat_identity_fault fault;
            wolfssl_heap_fail(++nth);
            plat_result r = plat_made_key_make(kinds[i], &key, &fault);
            failed = wolfssl_heap_failed();
            assert_int_equal(r == PLAT_OK, key.len > 0);
            assert_int_equal(r == PLAT_OK, fault.text[0] == '\0');
            assert_true(failed || r == PLAT_OK);
            assert_int_equal(wolfssl_heap_blocks(), 0);
        } while (failed);
        wolfssl_heap_end();
        assert_true(nth > 2);
    }
}

static void no_memory_is_given_back_with_an_ec_key_in_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        plat_made_key key;
        plat_identity_fault fault;
        litter.len = 0;
        litter.full = false;
        assert_int_equal(wolfSSL_SetAllocators(noting_malloc, noting_free, noting_realloc), 0);
        assert_int_equal(plat_made_key_make(kinds[i], &key, &fault), PLAT_OK);
        assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
        assert_true(litter.len > 0 && !litter.full);
        const plat_der secret = secret_of(&key);
        if (litter_has(secret.at, secret.len)) {
            fail_msg("kind %d", (int)kinds[i]);
        }
        plat_made_key_erase(&key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_made_and_signs),
        cmocka_unit_test(each_key_is_a_new_one_and_can_be_erased),
        cmocka_unit_test(an_unknown_kind_is_refused),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_leaks_nothing),
        cmocka_unit_test(no_memory_is_given_back_with_an_ec_key_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
