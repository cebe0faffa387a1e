#ifndef IOTHUB_TELEMETRY_LIMITS_H
#define IOTHUB_TELEMETRY_LIMITS_H

/**
 * @file
 * The limits of the telemetry that waits, in the ring or in the store, and how room is made.
 */

#include "telemetry/backlog.h"

typedef struct telemetry_limits {
    backlog backlog;   /* used with options.store only */
    uint32_t dropping; /* messages dropped in the lane, whose end the engine has still to report */
} telemetry_limits;

void limits_init(telemetry_limits *l, iothub_context *context);

/** Puts *m into the store, or into the ring if there is no store. ttl_ms: 0 for none. */
iothub_result limits_put(telemetry_limits *l, mqc_outgoing *m, uint32_t ttl_ms);
/** A message in the lane has ended. */
void limits_on_done(telemetry_limits *l, const mqc_done *m);
/** Drops all waiting messages. Returns their number. */
uint64_t limits_purge(telemetry_limits *l);

/** Messages whose end was not counted, and their bytes in the ring or in the store. */
uint64_t limits_waiting(const telemetry_limits *l);
uint64_t limits_bytes(const telemetry_limits *l);

#ifndef NDEBUG
bool limits_valid(const telemetry_limits *l);
#endif

#endif
