#ifndef TEST_FAKE_CLOCK_H
#define TEST_FAKE_CLOCK_H

#include "platform/platform.h"

/** A clock that stands still until the test moves it. */
typedef struct fake_clock {
    plat_clock base;
    uint64_t monotonic_ms;
    int64_t wall_ms; /* 0: the system has no wall clock */
} fake_clock;

void fake_clock_init(fake_clock *c, uint64_t monotonic_ms, int64_t wall_s);

/** Both clocks; an unset wall clock stays unset. */
void fake_clock_advance(fake_clock *c, uint64_t ms);

/** Sets the wall clock alone, as a correction of the time does; 0 unsets it. */
void fake_clock_set_wall(fake_clock *c, int64_t wall_s);

#endif
