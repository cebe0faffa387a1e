#ifndef IOTHUB_TELEMETRY_ENDS_H
#define IOTHUB_TELEMETRY_ENDS_H

/**
 * @file
 * Counters of how telemetry messages ended.
 */

#include <stdint.h>

#include "iothub/result.h"

typedef struct telemetry_ends {
    uint64_t acknowledged;
    uint64_t expired;
    uint64_t dropped;
    uint64_t cancelled;
    uint64_t kept;
} telemetry_ends;

/** Counts one message that ended with this result. */
void telemetry_ends_count(telemetry_ends *ends, iothub_result result);

#endif
