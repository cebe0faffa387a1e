#ifndef IOTHUB_STATS_H
#define IOTHUB_STATS_H

/**
 * @file
 * Statistics of a client. iothub/client.h includes this header.
 */

#include "iothub/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Counters since iothub_init.
 *
 * At any time telemetry_accepted + telemetry_found = telemetry_acknowledged + telemetry_expired +
 * telemetry_dropped + telemetry_cancelled + telemetry_kept + queued.
 */
typedef struct iothub_stats {
    uint64_t connects;        /**< Times that the client reached IOTHUB_CONNECTED. */
    uint64_t failed_attempts; /**< Attempts to connect that failed before that. */
    uint64_t losses;          /**< Connections lost after that. */
    uint64_t ack_timeouts;   /**< Connections closed because of ack_timeout_ms. Each is also counted
                                  as a loss or a failed attempt. */
    uint64_t read_stalls;    /**< Connections closed because of stall_timeout_ms. Each is also
                                  counted as a loss or a failed attempt. */
    uint64_t token_renewals; /**< Planned renewals of the connection that were completed, for a new
                                  token or by iothub_reconnect_now. */
    /** Gap of the last renewal: time from when the old connection stopped accepting telemetry until
     * CONNACK on the new one. */
    uint64_t renewal_gap_last_ms;
    uint64_t renewal_gap_longest_ms; /**< The longest of these gaps. */
    uint64_t renewal_gap_sum_ms;     /**< The sum of these gaps. */
    uint64_t tls_resumptions;        /**< Connections that resumed an earlier TLS session. */
    uint64_t bytes_sent;             /**< MQTT bytes, without those that TLS adds. */
    uint64_t bytes_received;         /**< MQTT bytes, without those that TLS adds. */
    uint64_t send_calls; /**< Calls that wrote to the stream. telemetry_acknowledged / send_calls is
                              the average number of messages per call. */
    uint64_t recv_calls; /**< Calls that read from the stream. */

    uint64_t
        telemetry_accepted;    /**< Messages for which iothub_send_telemetry returned IOTHUB_OK. */
    uint64_t telemetry_found;  /**< Messages found in the store by iothub_init. */
    uint64_t telemetry_stored; /**< Messages written to the store since then. */
    uint64_t telemetry_sent;   /**< Messages that were acknowledged or wait for that. */
    uint64_t telemetry_acknowledged; /**< QoS 1: acknowledged by the hub. QoS 0: sent. */
    uint64_t telemetry_expired;      /**< Messages whose time to live ended. */
    uint64_t telemetry_dropped;      /**< Messages dropped to make room, or by iothub_purge. */
    uint64_t telemetry_cancelled;    /**< Messages cancelled by a stop. */
    uint64_t telemetry_kept;         /**< Messages in the store when the client ended. */
    uint64_t store_errors; /**< Calls of the store that failed. Those that were not refused to the
                                application are repeated. */

    uint64_t c2d_received; /**< Cloud-to-device messages received. */
    uint64_t c2d_accepted; /**< Cloud-to-device messages that the application has accepted. */
    /** Cloud-to-device messages skipped because they are larger than rx_size. */
    uint64_t c2d_oversize;
    uint64_t methods_received;   /**< Method calls received. */
    uint64_t methods_answered;   /**< Method calls answered. */
    uint64_t desired_delivered;  /**< Calls of the desired callback. */
    uint64_t desired_duplicates; /**< Patches skipped because their version was delivered before. */
    uint64_t desired_gaps;       /**< Times that a version was missing or went back, so that the
                                      client requested the twin again. */
    uint64_t twin_retries;       /**< Twin requests repeated because of 429 or 5xx. */
    uint64_t ignored;      /**< Messages on topics or with ids that the client did not expect, for a
                                feature without a callback, or larger than rx_size and not C2D. Those of
                                QoS 1 were acknowledged. */
    uint64_t queued;       /**< Telemetry messages that have not ended, at present. */
    uint64_t queued_bytes; /**< Size of the queued messages in bytes. */
    uint64_t websocket_connects; /**< Connections over WebSocket; part of connects. */
} iothub_stats;

/**
 * iothub_get_stats for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param c            as there
 * @param[out] out     as there
 * @param struct_size  sizeof *out of the application
 */
void iothub_get_stats_sized(const iothub_client *c, iothub_stats *out, size_t struct_size);

/**
 * Copies the counters of the client.
 *
 * @param c         the client; may be NULL
 * @param[out] out  the counters; all 0 if c is not an initialised client
 */
static inline void iothub_get_stats(const iothub_client *c, iothub_stats *out)
{
    iothub_get_stats_sized(c, out, sizeof *out);
}

#ifdef __cplusplus
}
#endif
#endif
