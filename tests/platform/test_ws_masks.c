#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "websocket/ws_masks.h"

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, PLAT_WS_MASK);
}

/* 10,000 random masks of 32 bits have 0.01 equal pairs on average; a generator that repeats its
 * block has thousands. */
static void masks_do_not_repeat(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static uint8_t masks[COUNT][PLAT_WS_MASK];
    plat_ws_masks m;
    assert_int_equal(plat_ws_masks_init(&m, plat_posix()->crypto), PLAT_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(plat_ws_masks_next(&m, masks[i]), PLAT_OK);
    }
    qsort(masks, COUNT, sizeof masks[0], compare);
    size_t equal = 0;
    for (size_t i = 1; i < COUNT; i++) {
        equal += memcmp(masks[i - 1], masks[i], PLAT_WS_MASK) == 0 ? 1 : 0;
    }
    assert_true(equal <= 2);
}

static void two_generators_have_nothing_in_common(void **state)
{
    (void)state;
    plat_ws_masks a;
    plat_ws_masks b;
    uint8_t of_a[8 * PLAT_WS_MASK];
    uint8_t of_b[8 * PLAT_WS_MASK];
    assert_int_equal(plat_ws_masks_init(&a, plat_posix()->crypto), PLAT_OK);
    assert_int_equal(plat_ws_masks_init(&b, plat_posix()->crypto), PLAT_OK);
    for (size_t i = 0; i < sizeof of_a; i += PLAT_WS_MASK) {
        assert_int_equal(plat_ws_masks_next(&a, of_a + i), PLAT_OK);
        assert_int_equal(plat_ws_masks_next(&b, of_b + i), PLAT_OK);
    }
    assert_memory_not_equal(of_a, of_b, sizeof of_a);
}

static void masking_xors_every_byte_of_every_length_with_its_byte_of_the_mask(void **state)
{
    (void)state;
    static const uint8_t mask[PLAT_WS_MASK] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t from[70];
    uint8_t to[72];
    for (size_t i = 0; i < sizeof from; i++) {
        from[i] = (uint8_t)(i * 7 + 1);
    }
    for (size_t at = 0; at < 8; at++) { /* no pointer needs to be aligned */
        for (size_t len = 0; at + len <= sizeof from; len++) {
            memset(to, 0xC7, sizeof to);
            plat_ws_mask(to + 1, from + at, len, mask);
            for (size_t i = 0; i < len; i++) {
                assert_int_equal(to[1 + i], from[at + i] ^ mask[i % PLAT_WS_MASK]);
            }
            assert_int_equal(to[0], 0xC7);
            assert_int_equal(to[1 + len], 0xC7);
        }
    }
}

static plat_result no_entropy(const plat_crypto *self, void *out, size_t len)
{
    (void)self, (void)out, (void)len;
    return PLAT_ERR_CRYPTO;
}

static plat_result no_hmac(const plat_crypto *self, const void *key, size_t key_len,
                           const void *data, size_t len, uint8_t out[PLAT_SHA256_SIZE])
{
    (void)self, (void)key, (void)key_len, (void)data, (void)len, (void)out;
    return PLAT_ERR_CRYPTO;
}

static void without_entropy_or_hmac_there_are_no_masks(void **state)
{
    (void)state;
    plat_crypto broken = *plat_posix()->crypto;
    plat_ws_masks m;
    uint8_t mask[PLAT_WS_MASK];
    broken.random = no_entropy;
    assert_int_equal(plat_ws_masks_init(&m, &broken), PLAT_ERR_CRYPTO);
    broken.random = plat_posix()->crypto->random;
    broken.hmac_sha256 = no_hmac;
    assert_int_equal(plat_ws_masks_init(&m, &broken), PLAT_OK);
    assert_int_equal(plat_ws_masks_next(&m, mask), PLAT_ERR_CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_do_not_repeat),
        cmocka_unit_test(two_generators_have_nothing_in_common),
        cmocka_unit_test(masking_xors_every_byte_of_every_length_with_its_byte_of_the_mask),
        cmocka_unit_test(without_entropy_or_hmac_there_are_no_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
