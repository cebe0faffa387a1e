#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/latency.h"

static void without_messages_every_percentile_is_zero(void **state)
{
    const fleet_latency l = { .count = 0 };

    (void)state;
    assert_true(fleet_latency_percentile_ms(&l, 0) == 0);
    assert_true(fleet_latency_percentile_ms(&l, 100) == 0);
}

/* Tries each power of two, the numbers beside it, and values in between. */
static void one_message_is_reported_at_most_6_percent_too_high(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 63; shift++) {
        for (unsigned sixteenth = 0; sixteenth < 16; sixteenth++) {
            const uint64_t base = UINT64_C(1) << shift;
            const uint64_t us = base + base / 16 * sixteenth + (sixteenth % 3);
            fleet_latency l = { .count = 0 };

            fleet_latency_add(&l, us);
            /* Adds a larger value, because the largest value is reported exactly, without rounding.
             */
            fleet_latency_add(&l, UINT64_MAX);
            double reported_us = fleet_latency_percentile_ms(&l, 50) * 1000;
            assert_true(reported_us >= (double)us * 0.999999);
            assert_true(reported_us <= (double)us * 1.0626 + 1);
        }
    }
}

static void the_longest_message_is_reported_exactly(void **state)
{
    fleet_latency l = { .count = 0 };

    (void)state;
    for (uint64_t us = 1; us < 3000000; us = us * 3 + 1) {
        fleet_latency_add(&l, us);
        assert_int_equal(l.longest_us, us);
        assert_true(fleet_latency_percentile_ms(&l, 100) == (double)us / 1000);
    }
}

/* Messages with latencies from 1 to 1000 ms. */
static void percentiles_rise_with_the_percentage(void **state)
{
    fleet_latency l = { .count = 0 };
    double before = 0;

    (void)state;
    for (uint64_t ms = 1000; ms > 0; ms--) {
        fleet_latency_add(&l, ms * 1000);
    }
    assert_int_equal(l.count, 1000);
    for (int percent = 1; percent <= 100; percent++) {
        double ms = fleet_latency_percentile_ms(&l, percent);
        assert_true(ms >= before - 1e-6); /* x87 registers keep more digits than memory does */
        assert_true(ms >= percent * 10 && ms <= percent * 10 * 1.0626);
        before = ms;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_messages_every_percentile_is_zero),
        cmocka_unit_test(one_message_is_reported_at_most_6_percent_too_high),
        cmocka_unit_test(the_longest_message_is_reported_exactly),
        cmocka_unit_test(percentiles_rise_with_the_percentage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
