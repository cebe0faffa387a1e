#include "fleet/latency.h"

/* Returns the class of a latency. Values below 16 are exact; above there are sixteen classes for
 * each doubling, so a class is at most 6 % too high. */
static size_t class_of(uint64_t us)
{
    if (us < FLEET_LATENCY_STEPS) {
        return (size_t)us;
    }
    unsigned shift = 59U - (unsigned)__builtin_clzll(us);
    return (shift + 1) * FLEET_LATENCY_STEPS + (size_t)((us >> shift) - FLEET_LATENCY_STEPS);
}

static uint64_t end_of_class(size_t class)
{
    if (class < FLEET_LATENCY_STEPS) {
        return class;
    }
    unsigned shift = (unsigned)(class / FLEET_LATENCY_STEPS) - 1;
    uint64_t end = class % FLEET_LATENCY_STEPS + FLEET_LATENCY_STEPS + 1;
    return (end << shift) - 1;
}

void fleet_latency_add(fleet_latency *l, uint64_t us)
{
    l->classes[class_of(us)]++;
    l->count++;
    l->longest_us = us > l->longest_us ? us : l->longest_us;
}

double fleet_latency_percentile_ms(const fleet_latency *l, double percent)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < FLEET_LATENCY_CLASSES; i++) {
        seen += l->classes[i];
        if (seen > 0 && (double)seen >= (double)l->count * percent / 100) {
            uint64_t us = end_of_class(i) < l->longest_us ? end_of_class(i) : l->longest_us;
            return (double)us / 1000;
        }
    }
    return 0;
}
