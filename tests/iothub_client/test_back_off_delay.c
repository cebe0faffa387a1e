#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection/back_off.h"
#include "fake_platform.h"

/* Simulates consecutive failures on the struct of the back-off alone. */

typedef struct rig {
    fake_platform platform;
    iothub_options o;
    iothub_back_off b;
} rig;

static void init(rig *r)
{
    fake_platform_init(&r->platform);
    iothub_options_init(&r->o);
    r->o.platform = &r->platform.platform;
    back_off_reset(&r->b, 1000);
}

static void each_failure_counts_since_the_first_and_waits_within_its_limit(void **state)
{
    (void)state;
    rig r;
    init(&r);
    uint64_t limit = r.o.retry_min_ms;

    for (uint32_t n = 1; n <= 20; n++) {
        const mqc_time now = 1000 + n * 100;
        back_off_begin(&r.b, now);
        iothub_retry retry = back_off_failed(&r.b, &r.o, IOTHUB_ERR_NETWORK, now);
        assert_int_equal(retry.reason, IOTHUB_ERR_NETWORK);
        assert_int_equal(retry.attempt, n);
        assert_true(retry.failing_ms == (n - 1) * 100);
        assert_in_range(retry.delay_ms, limit / 16, limit);
        limit = limit * 2 < r.o.retry_max_ms ? limit * 2 : r.o.retry_max_ms;
    }
    fake_platform_free(&r.platform);
}

/* After a refusal that is not counted, another attempt follows soon. Only counted ones lead to
 * slow attempts. */
static void a_refusal_that_is_forgiven_does_not_count(void **state)
{
    (void)state;
    rig r;
    init(&r);

    for (uint32_t n = 1; n <= 6; n++) {
        const mqc_time now = 1000 + n * 100;
        back_off_begin(&r.b, now);
        back_off_forgive(&r.b);
        const iothub_retry retry = back_off_failed(&r.b, &r.o, IOTHUB_ERR_AUTH, now);
        assert_int_equal(retry.attempt, n);
        assert_in_range(retry.delay_ms, 1, r.o.retry_min_ms);
        assert_int_equal(r.b.refusals, 0);
    }
    /* Another attempt follows soon after the first counted refusal, too. */
    for (uint32_t n = 1; n <= 2; n++) {
        back_off_begin(&r.b, 5000);
        const iothub_retry retry = back_off_failed(&r.b, &r.o, IOTHUB_ERR_CREDENTIAL, 5000);
        assert_int_equal(r.b.refusals, n);
        assert_true((retry.delay_ms > r.o.retry_min_ms) == (n == 2));
    }
    fake_platform_free(&r.platform);
}

static void only_what_another_time_of_day_may_cure_makes_it_look_at_the_clock(void **state)
{
    (void)state;
    static const struct {
        iothub_result reason;
        uint32_t every_ms; /* interval of looks at the clock; 0: none */
    } cases[] = {
        { IOTHUB_ERR_NO_TIME, 1000 },    { IOTHUB_ERR_TLS_DATE, 5000 },
        { IOTHUB_ERR_AUTH, 5000 },       { IOTHUB_ERR_TOKEN_EXPIRED, 5000 },
        { IOTHUB_ERR_CREDENTIAL, 5000 }, { IOTHUB_ERR_NETWORK, 0 },
        { IOTHUB_ERR_TLS_UNTRUSTED, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint32_t every = cases[i].every_ms;
        rig r;
        init(&r);
        (void)back_off_failed(&r.b, &r.o, cases[i].reason, 2000);
        assert_false(back_off_look(&r.b, every > 0 ? 2000 + every - 1 : 1000000000));
        if (every > 0) {
            assert_true(back_off_look(&r.b, 2000 + every));
            assert_false(back_off_look(&r.b, 2000 + every));
            assert_true(back_off_look(&r.b, 2000 + 2 * every));
        }
        back_off_watch_clock(&r.b, 0, 5000);
        assert_true(r.b.look_at == IOTHUB_NEVER);
        fake_platform_free(&r.platform);
    }
}

static void only_a_connection_that_lasted_ends_the_story_of_failures(void **state)
{
    (void)state;
    for (int lasted = 0; lasted < 2; lasted++) {
        rig r;
        init(&r);
        const mqc_time stable_ms = 2 * (mqc_time)r.o.retry_max_ms;
        const mqc_time end = 10000 + stable_ms - (lasted ? 0 : 1);
        (void)back_off_failed(&r.b, &r.o, IOTHUB_ERR_AUTH, 5000);
        back_off_connected(&r.b, 10000);
        /* Cleared, because the hub has accepted the credential. */
        assert_int_equal(r.b.refusals, 0);
        back_off_connected(&r.b, 12000); /* a planned change does not restart the measured time */
        assert_int_equal(back_off_evicted(&r.b, &r.o, end), false);
        assert_int_equal(r.b.evictions, lasted ? 0 : 1);
        back_off_disconnected(&r.b, &r.o, end);
        assert_int_equal(r.b.failures, lasted ? 0 : 1);
        assert_true(r.b.began == end); /* the next attempt begins now */
        fake_platform_free(&r.platform);
    }
}

static void the_second_eviction_in_a_row_is_suspicious(void **state)
{
    (void)state;
    rig r;
    init(&r);

    back_off_connected(&r.b, 2000);
    assert_false(back_off_evicted(&r.b, &r.o, 2500));
    (void)back_off_failed(&r.b, &r.o, IOTHUB_ERR_NETWORK, 2500);
    back_off_connected(&r.b, 4000);
    assert_true(back_off_evicted(&r.b, &r.o, 4500));
    fake_platform_free(&r.platform);
}

#ifndef NDEBUG
static void the_check_sees_what_does_not_fit(void **state)
{
    (void)state;
    iothub_back_off b;

    back_off_reset(&b, 5);
    assert_true(back_off_valid(&b));
    b.refusals = 1;
    assert_false(back_off_valid(&b));
    b.refusals = 0;
    b.look_ms = 1000;
    assert_false(back_off_valid(&b));
    b.look_ms = 0;
    b.look_at = 7;
    assert_false(back_off_valid(&b));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_counts_since_the_first_and_waits_within_its_limit),
        cmocka_unit_test(a_refusal_that_is_forgiven_does_not_count),
        cmocka_unit_test(only_what_another_time_of_day_may_cure_makes_it_look_at_the_clock),
        cmocka_unit_test(only_a_connection_that_lasted_ends_the_story_of_failures),
        cmocka_unit_test(the_second_eviction_in_a_row_is_suspicious),
#ifndef NDEBUG
        cmocka_unit_test(the_check_sees_what_does_not_fit),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
