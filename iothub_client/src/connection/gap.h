#ifndef IOTHUB_GAP_H
#define IOTHUB_GAP_H

/**
 * @file The gap of a renewal, in which no telemetry is sent: from the end of sending on the old
 * connection to CONNACK on the new one.
 */

#include <stdbool.h>

#include "context/deadline.h"

typedef struct iothub_gap {
    mqc_time left_at;    /* while open: when the old connection stopped accepting telemetry */
    uint64_t sum_ms;     /* of all gaps */
    uint32_t changes;    /* completed renewals */
    uint32_t last_ms;    /* the latest gap */
    uint32_t longest_ms; /* the longest gap */
    bool open;           /* the connection was closed as planned */
} iothub_gap;

/** The old connection is being closed as planned: the gap begins. */
void gap_begin(iothub_gap *g, mqc_time now);
/** No new connection follows: the gap is not counted. */
void gap_cancel(iothub_gap *g);
/**
 * A connection accepts telemetry. Counts the gap if the previous connection was closed as planned.
 */
void gap_end(iothub_gap *g, mqc_time now);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool gap_valid(const iothub_gap *g);

#endif
