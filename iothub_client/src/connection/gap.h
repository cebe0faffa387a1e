#ifndef IOTHUB_GAP_H
#define IOTHUB_GAP_H

/**
 * @file
 * The gap of a renewal is the time in which no telemetry is sent: from the end of sending on the
 * old connection to CONNACK on the new one.
 */

#include <stdbool.h>

#include "context/deadline.h"

typedef struct iothub_gap {
    mqc_time left_at; /* while open is true: when the old connection stopped accepting telemetry */
    uint64_t sum_ms;  /* sum of all gaps */
    uint32_t changes; /* completed renewals */
    uint32_t last_ms; /* length of the latest gap */
    uint32_t longest_ms; /* length of the longest gap */
    bool open;           /* the connection was closed as planned */
} iothub_gap;

/** The gap begins, because the old connection is being closed as planned. */
void gap_begin(iothub_gap *g, mqc_time now);
/** Call it if no new connection follows: the gap is not counted. */
void gap_cancel(iothub_gap *g);
/**
 * Call it when a connection accepts telemetry. Counts the gap if the previous connection was closed
 * as planned.
 */
void gap_end(iothub_gap *g, mqc_time now);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool gap_valid(const iothub_gap *g);

#endif
