#ifndef IOTHUB_WALL_CLOCK_H
#define IOTHUB_WALL_CLOCK_H

/**
 * @file
 * The wall clock of the platform: whether it has been set, and whether somebody has set it since.
 */

#include <stdbool.h>
#include <stdint.h>

#include "platform/platform.h"

/** Seconds since 1970, from 0 to the end of the year 9999. */
int64_t wall_clock_s(const plat_clock *clock);

/** False: no clock that somebody has set shows such a time. */
bool wall_clock_is_set(int64_t s);

/**
 * How far the wall clock is before the monotonic one, in seconds, for wall_clock_moved later.
 * INT64_MIN: the wall clock shows no time that can be meant.
 */
int64_t wall_clock_offset_s(const plat_clock *clock);

/** True when the wall clock was set, by more than a few seconds, since its offset was offset_s. */
bool wall_clock_moved(const plat_clock *clock, int64_t offset_s);

#endif
