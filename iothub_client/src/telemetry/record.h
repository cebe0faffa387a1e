#ifndef IOTHUB_RECORD_H
#define IOTHUB_RECORD_H

/**
 * @file
 * The content of a record in the store: a telemetry message with its topic. A stamp precedes the
 * topic: the monotonic time at which the message was stored.
 */

#include "context/context.h"
#include "platform/store.h"

/** The bytes of the stamp, for which there must be room before the topic. */
#define RECORD_STAMP_SIZE sizeof(mqc_time)

/** Returns the record of m, whose topic must follow RECORD_STAMP_SIZE bytes at head. */
plat_store_record record_of(const mqc_outgoing *m, uint32_t ttl_ms, char *head, int64_t wall_s,
                            mqc_time now);

/** Returns the message of a record: topic, payload and QoS. Its bytes stay in the record. */
mqc_outgoing record_message(const plat_store_record *r);

/**
 * Replaces the topic of a record that was stored under another device id by the topic of this
 * client, in the scratch buffer. Returns false if it does not fit there.
 */
bool record_readdress(const iothub_context *context, mqc_outgoing *m);

/** Returns the pointer that the application gave to the message. */
void *record_tag(const plat_store_record *r);

/**
 * Returns when the message expires; 0: never. own means that this client has stored it, so that its
 * stamp is of the same clock.
 */
mqc_time record_expiry(const plat_store_record *r, bool own, const plat_clock *clock, mqc_time now);

#endif
