#ifndef FLEET_REPORT_H
#define FLEET_REPORT_H

/**
 * @file
 * What a fleet prints while it runs, and at its end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/totals.h"

/** The state of a fleet, for one report. */
typedef struct fleet_report {
    const fleet_totals *totals;
    size_t devices;
    uint64_t began_us; /* time at which the first device started, by fleet_now_us */
    size_t heap;       /* bytes of heap in use when all devices existed */
    bool failed;       /* some devices were not served */
} fleet_report;

/** Prints one line of progress. */
void fleet_report_progress(const fleet_report *r);

/**
 * Prints the summary. Returns the exit status: success if every device was connected and every
 * message that was sent arrived.
 */
int fleet_report_summary(const fleet_report *r);

#endif
