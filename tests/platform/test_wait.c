#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "posix/clock.h"
#include "posix/wait.h"

/* A pipe: the writing end is always writable, and the reading end is readable after feed(). */
static int ends[2];

static int open_pipe(void **state)
{
    (void)state;
    return pipe(ends);
}

static int close_pipe(void **state)
{
    (void)state;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

static void feed(void)
{
    assert_int_equal(write(ends[1], "x", 1), 1);
}

static uint64_t now(void)
{
    return plat_posix_clock.monotonic_ms(&plat_posix_clock);
}

static void wait_for(plat_poll p, int timeout_ms)
{
    plat_posix_wait(NULL, &p, 1, timeout_ms);
}

/* The waits have no time-out, so each of these events must end the wait, or the test would hang. */
static void a_wait_ends_when_its_stream_has_something(void **state)
{
    (void)state;
    wait_for((plat_poll){ .fd = -1, .ready_now = true }, -1);
    wait_for((plat_poll){ .fd = ends[1], .want_write = true }, -1);
    feed();
    wait_for((plat_poll){ .fd = ends[0], .want_read = true }, -1);
    wait_for((plat_poll){ .fd = ends[0], .want_read = true, .want_write = true }, -1);
    (void)close(ends[1]); /* the end of the stream ends the wait, too */
    ends[1] = dup(ends[0]);
    wait_for((plat_poll){ .fd = ends[0], .want_read = true }, -1);
}

static void a_wait_ends_at_the_earliest_of_its_times(void **state)
{
    (void)state;
    const plat_poll idle = { .fd = ends[0], .want_read = true };
    uint64_t start = now();

    wait_for((plat_poll){ .fd = -1, .wake_at_ms = 1 }, -1); /* a deadline in the past */
    wait_for(idle, 0);
    plat_posix_wait(NULL, NULL, 0, 1);
    wait_for((plat_poll){ .fd = -1, .wake_at_ms = UINT64_MAX }, 10);
    wait_for((plat_poll){ .fd = -1, .wake_at_ms = now() + 10 }, -1);
    wait_for((plat_poll){ .fd = -1, .wake_at_ms = now() + 10 }, 1000000);
    assert_true(now() - start >= 28); /* three waits of 10 ms; the clock may round each down */
    assert_true(now() - start < 500000);
}

static void any_of_the_streams_ends_the_wait(void **state)
{
    (void)state;
    feed();
    for (size_t i = 0; i < PLAT_WAIT_MAX; i++) {
        plat_poll polls[PLAT_WAIT_MAX];
        for (size_t k = 0; k < PLAT_WAIT_MAX; k++) {
            polls[k] = (plat_poll){ .fd = -1 };
        }
        polls[i] = (plat_poll){ .fd = ends[0], .want_read = true };
        plat_posix_wait(NULL, polls, PLAT_WAIT_MAX, -1);
        polls[i] = (plat_poll){ .fd = -1, .ready_now = true };
        plat_posix_wait(NULL, polls, PLAT_WAIT_MAX, -1);
        polls[i] = (plat_poll){ .fd = -1, .wake_at_ms = 1 };
        plat_posix_wait(NULL, polls, PLAT_WAIT_MAX, -1);
    }
}

static void what_a_stream_does_not_want_does_not_end_the_wait(void **state)
{
    (void)state;
    uint64_t start = now();

    feed();
    wait_for((plat_poll){ .fd = ends[0], .want_write = true }, 10);
    wait_for((plat_poll){ .fd = ends[1], .want_read = true }, 10);
    assert_true(now() - start >= 19);
}

static volatile sig_atomic_t signals;

static void on_alarm(int number)
{
    (void)number;
    signals++;
}

/* A signal must end the wait, so that the program can look at the flag that its handler has set.
 * The signal is repeated, because the first one may come before the wait begins. */
static void a_signal_ends_the_wait(void **state)
{
    (void)state;
    const struct itimerval every_20_ms = { { 0, 20000 }, { 0, 20000 } };
    const struct itimerval never = { 0 };
    struct sigaction action;
    struct sigaction before;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every_20_ms, NULL), 0);
    wait_for((plat_poll){ .fd = ends[0], .want_read = true }, 10000);
    wait_for((plat_poll){ .fd = ends[0], .want_read = true }, -1);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_true(signals > 0);
}

#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PIPE(a_wait_ends_when_its_stream_has_something),
        WITH_PIPE(a_wait_ends_at_the_earliest_of_its_times),
        WITH_PIPE(any_of_the_streams_ends_the_wait),
        WITH_PIPE(what_a_stream_does_not_want_does_not_end_the_wait),
        WITH_PIPE(a_signal_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
