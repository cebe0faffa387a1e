#ifndef IOTHUB_WALL_CLOCK_H
#define IOTHUB_WALL_CLOCK_H

/** @file The wall clock of the platform: whether it is set, and whether it was changed later. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/platform.h"

/** Returns seconds since 1970, from 0 to the end of the year 9999. */
int64_t wall_clock_s(const plat_clock *clock);

/** Returns false for a time that only a clock shows that was never set. */
bool wall_clock_is_set(int64_t s);

/**
 * Returns the difference between wall clock and monotonic clock in seconds, for wall_clock_moved.
 * INT64_MIN means that the wall clock is not set.
 */
int64_t wall_clock_offset_s(const plat_clock *clock);

/**
 * Returns true if the wall clock was changed by more than a few seconds since its offset was
 * offset_s.
 */
bool wall_clock_moved(const plat_clock *clock, int64_t offset_s);

#endif
