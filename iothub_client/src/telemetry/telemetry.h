#ifndef IOTHUB_TELEMETRY_PART_H
#define IOTHUB_TELEMETRY_PART_H

/**
 * @file
 * Telemetry: checks and composes messages, queues them in RAM or in the store, and reports how they
 * end.
 */

#include "iothub/client.h"
#include "telemetry/telemetry_limits.h"

typedef struct telemetry_part {
    iothub_context *context;
    telemetry_limits limits;
    uint64_t accepted;
    bool empty_logged; /* it was logged that a message is empty although it has a body pointer */
} telemetry_part;

void telemetry_init(telemetry_part *t, iothub_context *context);

iothub_result telemetry_send(telemetry_part *t, const iothub_telemetry *message, iothub_op *op);
/** Call it when a message in the lane has ended: counts and reports it. */
void telemetry_on_done(telemetry_part *t, const mqc_done *m);
/** Fills in the counters of telemetry. */
void telemetry_count(const telemetry_part *t, iothub_stats *out);

/* The following functions concern telemetry in a store; without one they do nothing. */

/** Moves messages from the store into the lane. */
static inline void telemetry_feed(telemetry_part *t, bool stopping, mqc_time now)
{
    if (t->context->options.store != NULL) {
        backlog_feed(&t->limits.backlog, stopping, now);
    }
}

static inline void telemetry_on_time(telemetry_part *t, bool stopping, mqc_time now)
{
    if (t->context->options.store != NULL) {
        backlog_on_time(&t->limits.backlog, stopping, now);
    }
}

static inline mqc_time telemetry_deadline(const telemetry_part *t, bool stopping)
{
    return t->context->options.store != NULL ? backlog_deadline(&t->limits.backlog, stopping)
                                             : IOTHUB_NEVER;
}

/** Returns true if a turn would send a message of the store, or check its time to live. */
static inline bool telemetry_wants_turn(const telemetry_part *t, bool stopping)
{
    return t->context->options.store != NULL && backlog_wants_turn(&t->limits.backlog, stopping);
}

#endif
