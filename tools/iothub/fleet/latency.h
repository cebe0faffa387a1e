#ifndef FLEET_LATENCY_H
#define FLEET_LATENCY_H

/**
 * @file
 * Counts how long messages took, in sixteen classes for each power of two.
 */

#include <stddef.h>
#include <stdint.h>

enum { FLEET_LATENCY_STEPS = 16, FLEET_LATENCY_CLASSES = 64 * FLEET_LATENCY_STEPS };

/** Counters of latencies; initialise them with { 0 }. */
typedef struct fleet_latency {
    uint64_t classes[FLEET_LATENCY_CLASSES];
    uint64_t count;
    uint64_t longest_us;
} fleet_latency;

void fleet_latency_add(fleet_latency *l, uint64_t us);

/**
 * Returns the time that this percentage of the messages did not exceed, at most 6 % too high.
 * Returns 0 if there are no messages.
 */
double fleet_latency_percentile_ms(const fleet_latency *l, double percent);

#endif
