#ifndef IOTHUB_PROVISIONING_POLL_WAIT_H
#define IOTHUB_PROVISIONING_POLL_WAIT_H

/**
 * @file
 * How long to wait before the Device Provisioning Service is asked again, after an answer without a
 * decision.
 */

#include "iothub/options.h"

/** Longest wait in seconds that is accepted from the service: one day. */
enum { POLL_WAIT_MAX_S = 86400 };

/**
 * Returns the wait in milliseconds if the service asks for one. It has a random part of up to an
 * eighth, so that devices with the same wait do not all return at the same moment.
 */
uint64_t poll_wait_asked_ms(const iothub_options *o, uint64_t retry_after_s);

/**
 * Returns the wait in milliseconds if the service asks for none: a random one that grows with the
 * number of consecutive answers without a decision.
 * @param waits  number of these answers, at least 1
 * @param busy   the last one was that the service is busy; otherwise it has not decided yet
 */
uint64_t poll_wait_own_ms(const iothub_options *o, uint32_t waits, bool busy);

#endif
