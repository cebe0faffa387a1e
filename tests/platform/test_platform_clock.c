#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <time.h>

#include "posix/clock.h"

/* If true, the tests read a clock that they set themselves (the linker wraps clock_gettime). */
static bool is_faked;
static int faked_result;
static struct timespec faked;
static clockid_t asked;

/* On 32-bit systems with a 64-bit time_t, glibc gives the function another name. */
#if defined(_TIME_BITS) && _TIME_BITS == 64 && ULONG_MAX <= UINT32_MAX
#define real_gettime __real___clock_gettime64
#define wrap_gettime __wrap___clock_gettime64
#else
#define real_gettime __real_clock_gettime
#define wrap_gettime __wrap_clock_gettime
#endif
int real_gettime(clockid_t clock, struct timespec *t);
int wrap_gettime(clockid_t clock, struct timespec *t);

int wrap_gettime(clockid_t clock, struct timespec *t)
{
    if (!is_faked) {
        return real_gettime(clock, t);
    }
    asked = clock;
    *t = faked;
    errno = faked_result != 0 ? EINVAL : errno;
    return faked_result;
}

static void set_fake(int result, time_t s, long ns)
{
    is_faked = true;
    faked_result = result;
    faked = (struct timespec){ .tv_sec = s, .tv_nsec = ns };
}

static int end_fake(void **state)
{
    (void)state;
    is_faked = false;
    return 0;
}

static uint64_t monotonic(void)
{
    return plat_posix_clock.monotonic_ms(&plat_posix_clock);
}

static int64_t wall(void)
{
    return plat_posix_clock.wall_s(&plat_posix_clock);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t last = monotonic();

    for (int i = 0; i < 100000; i++) {
        uint64_t now = monotonic();
        assert_true(now >= last);
        last = now;
    }
}

static void the_monotonic_clock_counts_milliseconds_rounded_down(void **state)
{
    (void)state;
    set_fake(0, 12, 345999999);
    assert_int_equal(monotonic(), 12345);
    set_fake(0, 0, 999999);
    assert_int_equal(monotonic(), 0);
    set_fake(0, 5000000, 0); /* 58 days, which are more milliseconds than 32 bits can hold */
    assert_int_equal(monotonic(), 5000000000u);
}

/* The clock must include the time in which the system is suspended, because time-outs of a
 * server go on in that time. */
static void the_monotonic_clock_runs_while_the_system_is_suspended(void **state)
{
    (void)state;
#ifdef CLOCK_BOOTTIME
    set_fake(0, 1, 0);
    (void)monotonic();
    assert_int_equal(asked, CLOCK_BOOTTIME);
#else
    print_message("skipped: this system has no CLOCK_BOOTTIME\n");
#endif
}

static void the_wall_clock_is_that_of_the_system(void **state)
{
    (void)state;
    struct timespec before;
    struct timespec after;

    assert_int_equal(real_gettime(CLOCK_REALTIME, &before), 0);
    int64_t now = wall();
    assert_int_equal(real_gettime(CLOCK_REALTIME, &after), 0);
    assert_true(now >= before.tv_sec && now <= after.tv_sec);
    set_fake(0, 1700000000, 999999999);
    assert_int_equal(wall(), 1700000000);
    assert_int_equal(asked, CLOCK_REALTIME);
}

static void a_wall_clock_that_fails_or_is_before_1970_is_not_set(void **state)
{
    (void)state;
    set_fake(-1, 1700000000, 0);
    assert_int_equal(wall(), 0);
    set_fake(0, -1, 0);
    assert_int_equal(wall(), 0);
}

#define WITH_CLOCK(test) cmocka_unit_test_setup_teardown(test, end_fake, end_fake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLOCK(the_monotonic_clock_never_goes_back),
        WITH_CLOCK(the_monotonic_clock_counts_milliseconds_rounded_down),
        WITH_CLOCK(the_monotonic_clock_runs_while_the_system_is_suspended),
        WITH_CLOCK(the_wall_clock_is_that_of_the_system),
        WITH_CLOCK(a_wall_clock_that_fails_or_is_before_1970_is_not_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
