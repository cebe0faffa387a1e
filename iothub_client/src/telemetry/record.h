#ifndef IOTHUB_RECORD_H
#define IOTHUB_RECORD_H

/**
 * @file
 * What a record of the store holds: a telemetry message with its topic, and in front of the topic a
 * stamp, which is the monotonic time when it was stored.
 */

#include "mqtt_core/engine.h"
#include "platform/platform.h"
#include "platform/store.h"

/** Bytes of the stamp, for which there has to be room in front of the topic. */
#define RECORD_STAMP_SIZE sizeof(mqc_time)

/** The record of m, whose topic has to stand behind RECORD_STAMP_SIZE bytes at head. */
plat_store_record record_of(const mqc_outgoing *m, uint32_t ttl_ms, char *head, int64_t wall_s,
                            mqc_time now);

/** Reads the message of a record: topic, payload and QoS; its bytes stay in the record. */
mqc_outgoing record_message(const plat_store_record *r);

/** The pointer that the application gave to the message. */
void *record_tag(const plat_store_record *r);

/**
 * Returns when the message expires; 0: never. own: it was stored by this client, so that its stamp
 * is of the same clock.
 */
mqc_time record_expiry(const plat_store_record *r, bool own, const plat_clock *clock, mqc_time now);

#endif
