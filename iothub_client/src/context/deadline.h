#ifndef IOTHUB_DEADLINE_H
#define IOTHUB_DEADLINE_H

/**
 * @file
 * Deadlines by the monotonic clock. Each part has a function that returns its next one, and the
 * loop takes the earliest.
 */

#include <stddef.h>
#include <stdint.h>

#include "mqtt_core/engine.h"

#define IOTHUB_NEVER UINT64_MAX

static inline mqc_time deadline_earlier(mqc_time a, mqc_time b)
{
    return a < b ? a : b;
}

static inline mqc_time deadline_earliest(const mqc_time *times, size_t count)
{
    mqc_time earliest = IOTHUB_NEVER;

    for (size_t i = 0; i < count; i++) {
        earliest = deadline_earlier(earliest, times[i]);
    }
    return earliest;
}

/** Converts a deadline of a lower layer, where 0 means that there is none. */
static inline mqc_time deadline_of(mqc_time when)
{
    return when != 0 ? when : IOTHUB_NEVER;
}

#endif
