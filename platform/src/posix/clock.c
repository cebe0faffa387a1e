#include "posix/clock.h"

#include <time.h>

/* CLOCK_BOOTTIME is used where it exists, because Linux's CLOCK_MONOTONIC stands still while the
 * system is suspended, but the server goes on. */
#ifdef CLOCK_BOOTTIME
#define CLOCK_ID CLOCK_BOOTTIME
#else
#define CLOCK_ID CLOCK_MONOTONIC
#endif

static uint64_t monotonic_ms(const plat_clock *self)
{
    (void)self;
    struct timespec t;
    (void)clock_gettime(CLOCK_ID, &t); /* cannot fail with this clock on Linux 2.6.39 or later */
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static int64_t wall_s(const plat_clock *self)
{
    (void)self;
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0 || t.tv_sec < 0) {
        return 0;
    }
    return (int64_t)t.tv_sec;
}

const plat_clock plat_posix_clock = { .monotonic_ms = monotonic_ms, .wall_s = wall_s };
