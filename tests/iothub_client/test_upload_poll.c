#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "upload/upload_poll.h"

/* A network that notes what it waits for. */
typedef struct noting_net {
    plat_net base;
    size_t count;
    int timeout_ms;
    intptr_t fds[PLAT_WAIT_MAX];
} noting_net;

static noting_net *noted;

static void note(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    (void)self;
    assert_true(count <= PLAT_WAIT_MAX);
    noted->count = count;
    noted->timeout_ms = timeout_ms;
    for (size_t i = 0; i < count; i++) {
        noted->fds[i] = polls[i].fd;
    }
}

static iothub_upload_poll with_descriptors(int count)
{
    iothub_upload_poll p;

    upload_poll_clear(&p);
    for (int i = 0; i < count; i++) {
        p.fds[3 * i + 1].fd = 10 + i; /* between them are empty slots */
    }
    return p;
}

static void the_earliest_time_wins(void **state)
{
    (void)state;
    iothub_upload_poll p;

    upload_poll_clear(&p);
    assert_int_equal(p.timeout_ms, -1);
    upload_wake_in(&p, -1);
    assert_int_equal(p.timeout_ms, -1);
    upload_wake_at(&p, 1000, 1500);
    assert_int_equal(p.timeout_ms, 500);
    upload_wake_in(&p, 700);
    assert_int_equal(p.timeout_ms, 500);
    upload_wake_in(&p, 20);
    assert_int_equal(p.timeout_ms, 20);
    upload_wake_at(&p, 1000, 900); /* it is due already */
    assert_int_equal(p.timeout_ms, 0);
}

static void a_time_that_is_too_far_away_is_cut(void **state)
{
    (void)state;
    iothub_upload_poll p;

    upload_poll_clear(&p);
    upload_wake_at(&p, 0, UINT64_MAX);
    assert_int_equal(p.timeout_ms, INT_MAX);
}

static void only_used_slots_are_waited_for(void **state)
{
    (void)state;
    noting_net net = { .base.wait = note };
    iothub_upload_poll p = with_descriptors(3);

    noted = &net;
    upload_poll_sleep(&p, &net.base, UINT32_MAX);
    assert_int_equal(net.count, 3);
    assert_int_equal(net.fds[0], 10);
    assert_int_equal(net.fds[2], 12);
    assert_int_equal(net.timeout_ms, INT_MAX);
    p = with_descriptors(0);
    upload_wake_in(&p, 50);
    upload_poll_sleep(&p, &net.base, 1000);
    assert_int_equal(net.count, 0);
    assert_int_equal(net.timeout_ms, 50);
    upload_poll_sleep(&p, &net.base, 7);
    assert_int_equal(net.timeout_ms, 7);
}

static void the_sleep_is_short_with_more_descriptors_than_the_port_waits_for(void **state)
{
    (void)state;
    noting_net net = { .base.wait = note };
    iothub_upload_poll p = with_descriptors(PLAT_WAIT_MAX + 1);

    noted = &net;
    upload_poll_sleep(&p, &net.base, 1000);
    assert_int_equal(net.count, PLAT_WAIT_MAX);
    assert_true(net.timeout_ms > 0 && net.timeout_ms <= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_time_wins),
        cmocka_unit_test(a_time_that_is_too_far_away_is_cut),
        cmocka_unit_test(only_used_slots_are_waited_for),
        cmocka_unit_test(the_sleep_is_short_with_more_descriptors_than_the_port_waits_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
