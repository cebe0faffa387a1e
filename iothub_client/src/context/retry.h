#ifndef IOTHUB_RETRY_H
#define IOTHUB_RETRY_H

/** @file Exponential back-off with jitter, as pure functions. */

#include <stdint.h>

/** Returns min_ms, doubled `failures - 1` times, but at most max_ms. */
uint32_t retry_limit_ms(uint32_t min_ms, uint32_t max_ms, uint32_t failures);

/**
 * Returns a random time between limit/16 and limit, minus the time that the failed attempt took,
 * but at least a sixteenth of it and never 0. So the devices of a fleet do not return at the same
 * moment, however long their attempts took.
 */
uint32_t retry_delay_ms(uint32_t limit_ms, uint32_t random, uint64_t spent_ms);

#endif
