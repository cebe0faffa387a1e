#ifndef FLEET_CLOCK_H
#define FLEET_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Returns the microseconds of the monotonic clock. */
static inline uint64_t fleet_now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

#endif
