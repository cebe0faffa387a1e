#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "context/lock.h"
#include "fake_threads.h"

/* Tests the lock with its own struct only. fake_threads ends the test if the lock is taken
 * twice. */

static iothub_lock l;

static int setup(void **state)
{
    (void)state;
    return lock_init(&l, &fake_threads) == PLAT_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    lock_deinit(&l);
    return 0;
}

static void only_one_runner_drives_at_a_time(void **state)
{
    (void)state;
    assert_true(lock_take_runner(&l));
    assert_int_equal(l.state, IOTHUB_RUNNER_RUNS);
    assert_false(lock_take_runner(&l));
    assert_false(lock_is_driver(&l));
    lock_set_driver(&l);
    assert_true(lock_is_driver(&l));
    lock_end_runner(&l);
    assert_int_equal(l.state, IOTHUB_RUNNER_ENDS);
    assert_false(lock_take_runner(&l)); /* the earlier runner was not joined */
    assert_true(lock_is_driver(&l));
    lock_drop_runner(&l);
    assert_false(lock_is_driver(&l));
    assert_true(lock_take_runner(&l));
    lock_drop_runner(&l);
}

static void leave_with(bool work)
{
    lock_enter(&l);
    assert_true(fake_threads_held(&l.thread));
    lock_leave(&l, work);
    assert_false(fake_threads_held(&l.thread));
}

static void work_wakes_a_runner_that_sleeps_once(void **state)
{
    (void)state;
    leave_with(true); /* the runner is awake and looks for work by itself */
    assert_int_equal(l.wakes, 0);
    lock_on_sleep(&l);
    leave_with(false);
    assert_int_equal(l.wakes, 0);
    leave_with(true);
    leave_with(true); /* one wake is enough */
    assert_int_equal(l.wakes, 1);
    assert_false(l.asleep);
    lock_on_wake(&l);
    assert_int_equal(l.wakes, 0);
    assert_int_equal(fake_threads.take_wakes(&l.thread), 0); /* the wake was consumed */
}

/* A wake may be sent after the runner has taken the lock again. Then it ends the runner's next
 * sleep. */
static void a_wake_that_comes_late_is_consumed_after_the_next_sleep(void **state)
{
    (void)state;
    l.wakes = 1; /* the wake is counted, but not sent yet */
    lock_on_wake(&l);
    assert_int_equal(l.wakes, 1);
    lock_on_sleep(&l);
    l.threads->wake(&l.thread);
    lock_on_wake(&l);
    assert_int_equal(l.wakes, 0);
    assert_false(l.asleep);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    iothub_lock bad = l;

    assert_true(lock_valid(&bad));
    bad.threads = NULL;
    assert_false(lock_valid(&bad));
    bad = l;
    bad.driver = &bad; /* a driver that is not the runner */
    assert_false(lock_valid(&bad));
    bad.state = IOTHUB_RUNNER_RUNS;
    assert_true(lock_valid(&bad));
    bad.state = IOTHUB_RUNNER_ENDS;
    assert_true(lock_valid(&bad));
}
#endif

#define WITH_LOCK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOCK(only_one_runner_drives_at_a_time),
        WITH_LOCK(work_wakes_a_runner_that_sleeps_once),
        WITH_LOCK(a_wake_that_comes_late_is_consumed_after_the_next_sleep),
#ifndef NDEBUG
        WITH_LOCK(members_that_disagree_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
