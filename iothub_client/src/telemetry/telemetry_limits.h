#ifndef IOTHUB_QUEUE_H
#define IOTHUB_QUEUE_H

/**
 * @file
 * Telemetry that is waiting, in the ring or in the store, and its limits.
 */

#include "internal.h"

/** Put *m into the store, or into the ring without one; ttl_ms: 0 for none. */
iothub_result limits_put(iothub_client *c, mqc_outgoing *m, uint32_t ttl_ms);

/** Give up all that is not on its way to the hub; how many messages these are. */
uint64_t limits_purge(iothub_client *c);

uint64_t limits_bytes(const iothub_client *c);
/** Fill in what the statistics say of the present. */
void limits_count(const iothub_client *c, iothub_stats *out);

#endif
