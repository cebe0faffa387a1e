#ifndef MQC_MEMORY_H
#define MQC_MEMORY_H

/**
 * @file
 * The memory of an engine, which its caller provides, and the names of its types.  engine.h
 * includes this header.
 */

#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A time in milliseconds of a monotonic clock.  The origin is arbitrary.  The clock must keep
 * running while the device is suspended, as CLOCK_BOOTTIME does on Linux.
 */
typedef uint64_t mqc_time;

/** The largest number of lanes. */
#define MQC_LANES_MAX 3

/** An engine.  engine_struct.h has the complete type. */
typedef struct mqc_engine mqc_engine;
/** A queued publish.  engine_struct.h has the complete type. */
typedef struct mqc_entry mqc_entry;
/** A received message that is not finished.  engine_struct.h has the complete type. */
typedef struct mqc_inbound mqc_inbound;

/**
 * The memory and the window of one lane: a queue of outgoing publishes that keeps its order.
 *
 * All lanes share the connection.  Lane 0 is served before lane 1, and lane 1 before lane 2; a lane
 * takes over at the end of a packet only.  A simple client uses one lane.
 */
typedef struct mqc_lane_memory {
    uint8_t *ring;      /**< Memory for encoded packets.  The largest publish must fit. */
    size_t ring_len;    /**< Size of the ring in bytes. */
    mqc_entry *entries; /**< Memory for one entry for each publish in the ring. */
    size_t entries_len; /**< Number of entries: 1 to UINT32_MAX. */
    /**
     * The largest number of publishes that are sent and not finished; 0: 65535.
     *
     * A lane that found its window full sends again when half of the window is free, but at least
     * 16 slots, or all slots of a smaller window; so queued publishes leave in batches.  It waits
     * no longer than 2 ms after the first slot became free.  If the round trip to the server takes
     * more than 0.25 ms it waits an eighth of a round trip, and if it takes less than 8 ms, not at
     * all.
     *
     * Mosquitto closes the connection when more QoS 2 publishes are in flight than its own limit of
     * 20, or drops them, so a lane for QoS 2 needs a window of 20 or less there.
     */
    uint16_t window;
    /**
     * Optional memory for a long lane whose publishes expire: MQC_EXPIRIES(entries_len) elements.
     * With it, the cost of ending an expired publish does not depend on the number of others. NULL:
     * each look at the time visits all publishes of the lane.
     */
    mqc_time *expiries;
    size_t expiries_len; /**< Number of elements of expiries. */
} mqc_lane_memory;

/** The number of entries that share one element of mqc_lane_memory.expiries. */
#define MQC_EXPIRY_GROUP 64
/** The number of elements that mqc_lane_memory.expiries needs for a number of entries. */
#define MQC_EXPIRIES(entries)                                \
    (((entries) + MQC_EXPIRY_GROUP - 1) / MQC_EXPIRY_GROUP + \
     ((entries) + MQC_EXPIRY_GROUP * MQC_EXPIRY_GROUP - 1) / \
         (MQC_EXPIRY_GROUP * MQC_EXPIRY_GROUP))

/**
 * The memory of an engine.  It belongs to the caller, and the engine uses it as long as the engine
 * is used.  The parts must not overlap.
 */
typedef struct mqc_memory {
    uint8_t *rx;   /**< Memory for received bytes.  The payload of a packet that does not fit is
                        skipped: see MQC_EVENT_OVERSIZE. */
    size_t rx_len; /**< Size of rx in bytes; at least 16. */
    /**
     * Memory for CONNECT, SUBSCRIBE, UNSUBSCRIBE and acknowledgements.  The largest of these
     * packets must fit.
     */
    uint8_t *control;
    size_t control_len; /**< Size of control in bytes; at least 32. */
    /**
     * Memory for received messages with QoS: with QoS 1 until mqc_ack, with QoS 2 until the server
     * has sent PUBREL.
     *
     * While the table is full of messages that the application has not acknowledged, the engine
     * reads nothing, for at most stall_timeout_ms of mqc_connect_options.  While it is full of QoS
     * 2 messages that wait for PUBREL, further messages are skipped.  Once there is room again the
     * connection ends with MQC_ERR_PROTOCOL in "PUBLISH", so that the server sends the skipped
     * messages again on the next connection.  A table of twice the server's limit of messages in
     * flight avoids this (Mosquitto: 2 x 20).  Mosquitto 2.0.11 exceeds its own limit; 256 elements
     * are enough there.
     */
    mqc_inbound *inbound;
    size_t inbound_len; /**< Number of elements of inbound: 1 to UINT32_MAX / 2. */
    mqc_lane_memory lanes[MQC_LANES_MAX]; /**< Memory of each lane in use. */
    size_t lane_count;                    /**< Number of lanes in use: 1 to MQC_LANES_MAX. */
} mqc_memory;

#ifdef __cplusplus
}
#endif
#endif
