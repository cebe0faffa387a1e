#ifndef IOTHUB_TELEMETRY_LIMITS_H
#define IOTHUB_TELEMETRY_LIMITS_H

/**
 * @file
 * The limits of waiting telemetry, in RAM or in the store, and how room is made.
 */

#include "telemetry/backlog.h"

typedef struct telemetry_limits {
    backlog backlog; /* used only with options.store */
    /* Number of messages dropped in the lane whose end the engine has not reported yet. */
    uint32_t dropping;
} telemetry_limits;

void limits_init(telemetry_limits *l, iothub_context *context);

/** Puts *m into the store or, without a store, into the lane. ttl_ms is 0 for no time to live. */
iothub_result limits_put(telemetry_limits *l, mqc_outgoing *m, uint32_t ttl_ms);
/** Call it when a message in the lane has ended. */
void limits_on_done(telemetry_limits *l, const mqc_done *m);
/** Drops the oldest message of the lane that was not sent. Returns false if there is none. */
bool limits_drop_in_lane(telemetry_limits *l);
/** Drops all waiting messages. Returns their number. */
uint64_t limits_purge(telemetry_limits *l);

/**
 * Return the number of messages whose end was not counted, and their bytes in the lane or in the
 * store.
 */
uint64_t limits_waiting(const telemetry_limits *l);
uint64_t limits_bytes(const telemetry_limits *l);

#ifndef NDEBUG
bool limits_valid(const telemetry_limits *l);
#endif

#endif
