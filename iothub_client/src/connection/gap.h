#ifndef IOTHUB_GAP_H
#define IOTHUB_GAP_H

/**
 * @file
 * The time in which a planned change of the connection takes no telemetry: from the last moment of
 * the old connection to CONNACK on the new one; pure.
 */

#include <stdbool.h>

#include "context/deadline.h"

typedef struct iothub_gap {
    mqc_time left_at;    /* while open: from here on the old connection took no telemetry */
    uint64_t sum_ms;     /* of all gaps */
    uint32_t changes;    /* that were completed, each with a gap */
    uint32_t last_ms;    /* the latest gap */
    uint32_t longest_ms; /* the longest gap */
    bool open;           /* the connection was left on purpose */
} iothub_gap;

/** The old connection is left on purpose. */
void gap_begin(iothub_gap *g, mqc_time now);
/** There will be no new connection soon. */
void gap_cancel(iothub_gap *g);
/** A connection takes telemetry.  If the one before it was left on purpose, the gap is counted. */
void gap_end(iothub_gap *g, mqc_time now);

/** What this part alone is responsible for; debug builds look at each entry. */
bool gap_valid(const iothub_gap *g);

#endif
