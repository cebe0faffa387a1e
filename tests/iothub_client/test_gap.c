#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection/gap.h"

/* Tests the measured time without a connection during planned changes. */

static void each_gap_counts_once_in_the_last_the_longest_and_the_sum(void **state)
{
    (void)state;
    static const uint32_t gaps_ms[] = { 30, 200, 0, 199, 201 };
    iothub_gap g = { 0 };
    mqc_time now = 1000;
    uint64_t sum = 0;
    uint32_t longest = 0;

    for (uint32_t i = 0; i < sizeof gaps_ms / sizeof gaps_ms[0]; i++) {
        gap_begin(&g, now);
        now += gaps_ms[i];
        gap_end(&g, now);
        gap_end(&g, now + 5000); /* not counted, because this change was not planned */
        sum += gaps_ms[i];
        longest = gaps_ms[i] > longest ? gaps_ms[i] : longest;
        assert_int_equal(g.changes, i + 1);
        assert_int_equal(g.last_ms, gaps_ms[i]);
        assert_int_equal(g.longest_ms, longest);
        assert_true(g.sum_ms == sum);
    }
}

static void a_change_that_fails_is_no_gap(void **state)
{
    (void)state;
    iothub_gap g = { 0 };

    gap_begin(&g, 10);
    gap_cancel(&g);
    gap_end(&g, 500);
    gap_end(&g, 900);

    assert_int_equal(g.changes, 0);
    assert_true(g.sum_ms == 0);
}

#ifndef NDEBUG
static void the_check_sees_each_counter_that_does_not_fit(void **state)
{
    (void)state;
    const iothub_gap good = { .sum_ms = 30, .changes = 2, .last_ms = 10, .longest_ms = 20 };
    iothub_gap bad[6];

    assert_true(gap_valid(&good));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bad[i] = i < 2 ? good : (iothub_gap){ 0 };
    }
    bad[0].last_ms = 21;
    bad[1].sum_ms = 19;
    bad[2].last_ms = 1;
    bad[3].longest_ms = 1;
    bad[4].sum_ms = 1;
    bad[5] = good;
    bad[5].longest_ms = 31;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(gap_valid(&bad[i]));
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gap_counts_once_in_the_last_the_longest_and_the_sum),
        cmocka_unit_test(a_change_that_fails_is_no_gap),
#ifndef NDEBUG
        cmocka_unit_test(the_check_sees_each_counter_that_does_not_fit),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
