#include "posix/clock.h"

#include <time.h>

static uint64_t monotonic_ms(const plat_clock *self)
{
    (void)self;
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
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
