#ifndef IOTHUB_RETRY_H
#define IOTHUB_RETRY_H

/**
 * @file
 * When to try again: exponential back-off with full jitter, pure.
 */

#include <stdint.h>

/** min_ms doubled `failures - 1` times, at most max_ms. */
uint32_t retry_limit_ms(uint32_t min_ms, uint32_t max_ms, uint32_t failures);

/**
 * A time between limit/16 and limit, spread evenly by the random number, less what the
 * failed attempt has spent already, but at least a sixteenth of it and never 0: a fleet
 * that lost its hub must not return as one, however long its attempts took to fail.
 */
uint32_t retry_delay_ms(uint32_t limit_ms, uint32_t random, uint64_t spent_ms);

#endif
