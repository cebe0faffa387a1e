#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_platform.h"
#include "provisioning/poll_wait.h"

/* Tests how long the client waits before it asks the provisioning service again. */

enum { SEEDS = 50 };

typedef struct range {
    uint64_t least;
    uint64_t most;
} range;

static void add(range *r, uint64_t ms)
{
    r->least = ms < r->least ? ms : r->least;
    r->most = ms > r->most ? ms : r->most;
}

static iothub_options options_for(fake_platform *platform, uint32_t seed)
{
    iothub_options o;

    fake_platform_init(platform);
    platform->crypto.seed = seed;
    iothub_options_init(&o);
    o.platform = &platform->platform;
    o.retry_min_ms = 1000;
    o.retry_max_ms = 20000;
    return o;
}

static range asked_waits(uint64_t retry_after_s)
{
    range r = { UINT64_MAX, 0 };

    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        fake_platform platform;
        const iothub_options o = options_for(&platform, seed);
        add(&r, poll_wait_asked_ms(&o, retry_after_s));
        fake_platform_free(&platform);
    }
    return r;
}

static range own_waits(uint32_t waits, bool busy)
{
    range r = { UINT64_MAX, 0 };

    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        fake_platform platform;
        const iothub_options o = options_for(&platform, seed);
        add(&r, poll_wait_own_ms(&o, waits, busy));
        fake_platform_free(&platform);
    }
    return r;
}

static void the_wait_of_the_service_is_never_shortened_and_grows_by_an_eighth_at_most(void **state)
{
    static const uint64_t seconds[] = { 1, 3, 60, 3600, POLL_WAIT_MAX_S };
    (void)state;

    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        const uint64_t ms = seconds[i] * 1000;
        const range r = asked_waits(seconds[i]);
        assert_true(r.least >= ms && r.most <= ms + ms / 8);
        assert_true(r.most > r.least);
    }
    assert_true(asked_waits(0).most <= 1); /* the shortest wait is a millisecond */
}

static void a_wait_of_more_than_a_day_counts_as_one_day(void **state)
{
    const uint64_t day_ms = (uint64_t)POLL_WAIT_MAX_S * 1000;
    (void)state;

    assert_true(asked_waits(POLL_WAIT_MAX_S + 1).most <= day_ms + day_ms / 8);
    assert_true(asked_waits(UINT64_MAX).most <= day_ms + day_ms / 8);
    assert_true(asked_waits(UINT64_MAX).least >= day_ms);
}

static void own_waits_grow_up_to_the_option_and_begin_shorter_for_a_busy_service(void **state)
{
    (void)state;

    assert_true(own_waits(1, true).most <= 1000);
    const range first = own_waits(1, false);
    assert_true(first.most > 1000 && first.most <= 4000);
    const range second = own_waits(2, false);
    assert_true(second.most > 4000 && second.most <= 8000);
    const range late = own_waits(1000, false);
    assert_true(late.most > 10000 && late.most <= 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_of_the_service_is_never_shortened_and_grows_by_an_eighth_at_most),
        cmocka_unit_test(a_wait_of_more_than_a_day_counts_as_one_day),
        cmocka_unit_test(own_waits_grow_up_to_the_option_and_begin_shorter_for_a_busy_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
