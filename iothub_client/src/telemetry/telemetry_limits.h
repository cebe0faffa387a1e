#ifndef IOTHUB_QUEUE_H
#define IOTHUB_QUEUE_H

/** @file Waiting telemetry, in the ring or in the store, and its limits. */

#include "internal.h"

/** Puts *m into the store, or into the ring if there is no store. ttl_ms: 0 for none. */
iothub_result limits_put(iothub_client *c, mqc_outgoing *m, uint32_t ttl_ms);

/** Drops all messages that were not sent. Returns their number. */
uint64_t limits_purge(iothub_client *c);

uint64_t limits_bytes(const iothub_client *c);
/** Fills in the present values of the statistics. */
void limits_count(const iothub_client *c, iothub_stats *out);

#endif
