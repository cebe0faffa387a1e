#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "context/retry.h"

static void the_limit_doubles_from_min_to_max(void **state)
{
    (void)state;
    static const uint32_t expected[] = { 1000,  1000,  2000,  4000,  8000,
                                         16000, 32000, 60000, 60000, 60000 };

    for (uint32_t failures = 0; failures < sizeof expected / sizeof expected[0]; failures++) {
        assert_int_equal(retry_limit_ms(1000, 60000, failures), expected[failures]);
    }
}

static void the_limit_never_overflows(void **state)
{
    (void)state;
    static const uint32_t sizes[] = { 1, 2, 3, 1000, UINT32_MAX / 2, UINT32_MAX - 1, UINT32_MAX };
    static const uint32_t counts[] = { 1, 2, 31, 32, 33, 64, 65, 1000000, UINT32_MAX };

    for (size_t m = 0; m < sizeof sizes / sizeof sizes[0]; m++) {
        for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
            uint32_t limit = retry_limit_ms(sizes[m], UINT32_MAX, counts[n]);
            assert_true(limit >= sizes[m]);
            assert_true(counts[n] < 33 || limit == UINT32_MAX);
        }
    }
    assert_int_equal(retry_limit_ms(5000, 5000, 7), 5000);
}

static void the_delay_lies_between_a_sixteenth_and_the_limit(void **state)
{
    (void)state;
    static const uint32_t limits[] = { 16, 17, 1000, 60000, 3600000, UINT32_MAX };

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        assert_int_equal(retry_delay_ms(limits[i], 0, 0), limits[i] / 16);
        assert_int_equal(retry_delay_ms(limits[i], UINT32_MAX, 0), limits[i]);
        uint32_t last = 0;
        for (uint32_t random = 0; random < UINT32_MAX - 0x1000000; random += 0x1000000) {
            uint32_t delay = retry_delay_ms(limits[i], random, 0);
            assert_true(delay >= limits[i] / 16 && delay <= limits[i]);
            /* The delay grows in proportion to the random number, so it is evenly distributed. */
            assert_true(delay >= last);
            last = delay;
        }
    }
}

static void the_delay_is_never_zero(void **state)
{
    (void)state;
    static const uint64_t spent[] = { 0, 1, 15, 1000, UINT32_MAX, UINT64_MAX };

    for (uint32_t limit = 1; limit < 100; limit++) {
        for (size_t i = 0; i < sizeof spent / sizeof spent[0]; i++) {
            assert_true(retry_delay_ms(limit, 0, spent[i]) > 0);
            assert_true(retry_delay_ms(limit, UINT32_MAX, spent[i]) > 0);
            assert_true(retry_delay_ms(limit, UINT32_MAX, spent[i]) <= limit);
        }
    }
}

static void random_numbers_spread_over_the_whole_range(void **state)
{
    (void)state;
    unsigned tenth[10] = { 0 };

    for (uint32_t n = 0; n < 10000; n++) {
        uint32_t delay = retry_delay_ms(1600, n * 429496u, 0);
        tenth[(delay - 100) * 10 / 1501]++;
    }
    for (size_t i = 0; i < 10; i++) {
        assert_in_range(tenth[i], 900, 1100);
    }
}

static void time_spent_on_the_attempt_counts_against_the_delay(void **state)
{
    (void)state;
    assert_int_equal(retry_delay_ms(1600, UINT32_MAX, 600), 1000);
    assert_int_equal(retry_delay_ms(1600, UINT32_MAX, 1500), 100);
}

static void a_long_attempt_does_not_take_the_spread_away(void **state)
{
    (void)state;
    uint32_t low = retry_delay_ms(60000, 0, UINT64_MAX);
    uint32_t middle = retry_delay_ms(60000, UINT32_MAX / 2, UINT64_MAX);
    uint32_t high = retry_delay_ms(60000, UINT32_MAX, UINT64_MAX);

    assert_true(low < middle && middle < high);
    assert_int_equal(high, 60000 / 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_doubles_from_min_to_max),
        cmocka_unit_test(the_limit_never_overflows),
        cmocka_unit_test(the_delay_lies_between_a_sixteenth_and_the_limit),
        cmocka_unit_test(the_delay_is_never_zero),
        cmocka_unit_test(random_numbers_spread_over_the_whole_range),
        cmocka_unit_test(time_spent_on_the_attempt_counts_against_the_delay),
        cmocka_unit_test(a_long_attempt_does_not_take_the_spread_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
