#ifndef TEST_FAKE_CLOCK_H
#define TEST_FAKE_CLOCK_H

#include "platform/platform.h"

/** A clock that stands still until the test moves it. */
typedef struct fake_clock {
    plat_clock base;
    uint64_t monotonic_ms;
    int64_t wall_ms; /* 0 means that the system has no wall clock */
} fake_clock;

void fake_clock_init(fake_clock *c, uint64_t monotonic_ms, int64_t wall_s);

/** Advances both clocks; a wall clock that is not set stays unset. */
void fake_clock_advance(fake_clock *c, uint64_t ms);

/** Sets only the wall clock, as a correction of the system's time does; 0 unsets it. */
void fake_clock_set_wall(fake_clock *c, int64_t wall_s);

#endif
