#ifndef FLEET_LATENCY_H
#define FLEET_LATENCY_H

/**
 * @file
 * How long messages took, counted in classes: sixteen for each power of two.
 */

#include <stddef.h>
#include <stdint.h>

enum { FLEET_LATENCY_STEPS = 16, FLEET_LATENCY_CLASSES = 64 * FLEET_LATENCY_STEPS };

/** Start with { 0 }. */
typedef struct fleet_latency {
    uint64_t classes[FLEET_LATENCY_CLASSES];
    uint64_t count;
    uint64_t longest_us;
} fleet_latency;

void fleet_latency_add(fleet_latency *l, uint64_t us);

/** The time that this percentage of the messages did not exceed; at most 6 % too high.  0 when
 * there are no messages. */
double fleet_latency_percentile_ms(const fleet_latency *l, double percent);

#endif
