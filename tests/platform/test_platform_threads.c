#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>

#include "platform/platform.h"
#include "posix/threads.h"

static const plat_threads *const threads = &plat_posix_threads;

typedef struct shared {
    plat_thread thread;
    unsigned counter;
    void *local;
    bool local_was_zero;
    bool signals_blocked;
} shared;

static void begin(shared *s)
{
    memset(s, 0, sizeof *s);
    assert_int_equal(threads->init(&s->thread), PLAT_OK);
}

static bool awake(const shared *s)
{
    plat_poll p;
    threads->poll_wakes(&s->thread, &p);
    struct pollfd fd = { .fd = (int)p.fd, .events = POLLIN };
    assert_true(p.want_read && !p.want_write && !p.ready_now);
    return poll(&fd, 1, 0) == 1;
}

static void count(void *user)
{
    shared *s = user;
    for (int i = 0; i < 10000; i++) {
        threads->lock(&s->thread);
        s->counter++;
        threads->unlock(&s->thread);
    }
}

static void the_lock_keeps_others_out_and_a_thread_may_start_again(void **state)
{
    (void)state;
    shared s;
    begin(&s);

    for (unsigned round = 1; round <= 3; round++) {
        assert_int_equal(threads->start(&s.thread, count, &s), PLAT_OK);
        count(&s);
        threads->join(&s.thread);
        assert_int_equal(s.counter, 20000 * round);
    }

    threads->deinit(&s.thread);
}

static void wakes_are_counted_until_they_are_taken(void **state)
{
    (void)state;
    shared s;
    begin(&s);

    assert_false(awake(&s));
    assert_int_equal(threads->take_wakes(&s.thread), 0);
    threads->wake(&s.thread);
    threads->wake(&s.thread);
    assert_true(awake(&s));
    assert_int_equal(threads->take_wakes(&s.thread), 2);
    assert_false(awake(&s));

    threads->deinit(&s.thread);
}

static void wake(void *user)
{
    shared *s = user;
    threads->wake(&s->thread);
}

static void a_wake_ends_a_wait_without_limit(void **state)
{
    (void)state;
    const plat_net *net = plat_posix()->net;
    plat_poll polls[2] = { { .fd = -1 } };
    shared s;
    begin(&s);
    threads->poll_wakes(&s.thread, &polls[1]);

    assert_int_equal(threads->start(&s.thread, wake, &s), PLAT_OK);
    net->wait(net, polls, 2, -1);
    assert_int_equal(threads->take_wakes(&s.thread), 1);

    threads->join(&s.thread);
    threads->deinit(&s.thread);
}

static void look(void *user)
{
    static const unsigned char zero[PLAT_LOCAL_SIZE];
    shared *s = user;
    sigset_t blocked;

    s->local = threads->local();
    s->local_was_zero = memcmp(s->local, zero, sizeof zero) == 0;
    memset(s->local, 0x55, sizeof zero);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    s->signals_blocked = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGINT) == 1;
}

static void a_thread_has_memory_of_its_own_and_sees_no_signals(void **state)
{
    (void)state;
    sigset_t blocked;
    shared s;
    begin(&s);
    memset(threads->local(), 0xAA, PLAT_LOCAL_SIZE);

    assert_int_equal(threads->start(&s.thread, look, &s), PLAT_OK);
    threads->join(&s.thread);

    assert_true(s.local_was_zero);
    assert_ptr_not_equal(s.local, threads->local());
    assert_int_equal(*(unsigned char *)threads->local(), 0xAA);
    assert_true(s.signals_blocked);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0);
    threads->deinit(&s.thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lock_keeps_others_out_and_a_thread_may_start_again),
        cmocka_unit_test(wakes_are_counted_until_they_are_taken),
        cmocka_unit_test(a_wake_ends_a_wait_without_limit),
        cmocka_unit_test(a_thread_has_memory_of_its_own_and_sees_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
