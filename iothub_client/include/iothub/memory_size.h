#ifndef IOTHUB_MEMORY_SIZE_H
#define IOTHUB_MEMORY_SIZE_H

/**
 * @file
 * How much memory iothub_init needs. The sizes depend on private tables, so a program that uses
 * them must be compiled again for each version of the SDK.
 */

#include "iothub/client.h"
#include "iothub/provisioning.h"
#include "mqtt_core/engine_struct.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Twin requests that can be open at a time, and as many method answers. */
#define IOTHUB_REQUESTS 16

/** Cloud-to-device messages that can be deferred at a time. A hub sends at most 50 ahead. */
#define IOTHUB_UNACCEPTED_MAX 64

/**
 * Bytes for the connection string and CONNECT. They are enough for a device id of 100 characters
 * at a host name of 40, or of 70 characters with a ready-made token. If other names, a model_id or
 * a user_agent take more, iothub_init reports the number of missing bytes.
 */
#define IOTHUB_NAMES_SIZE 1088

/** The least number of bytes in which topics and credentials are put together. */
#define IOTHUB_SCRATCH_SIZE(tx)     \
    ((tx) / 4 < 512      ? 512      \
     : (tx) / 4 < 2560   ? (tx) / 4 \
     : (tx) / 16 < 2560  ? 2560     \
     : (tx) / 16 > 65536 ? 65536    \
                         : (tx) / 16)

/** Requests in a ring of request bytes: one for each 64 bytes, from 4 to IOTHUB_REQUESTS. */
#define IOTHUB_REQUEST_ENTRIES(request) \
    ((request) / 64 < 4 ? 4 : (request) / 64 < IOTHUB_REQUESTS ? (request) / 64 : IOTHUB_REQUESTS)

/** Messages in a ring of tx bytes: one for each 64 bytes of a small ring, fewer in a large one. */
#define IOTHUB_TELEMETRY_ENTRIES(tx) ((tx) < 1024 ? 16 : (tx) < 2048 ? (tx) / 64 : (tx) / 128 + 16)

/** Times to live that are kept for groups of messages, so that each message costs the same. */
#define IOTHUB_EXPIRIES(tx)                           \
    (IOTHUB_TELEMETRY_ENTRIES(tx) <= MQC_EXPIRY_GROUP \
         ? 0                                          \
         : MQC_EXPIRIES(IOTHUB_TELEMETRY_ENTRIES(tx)))

/** Bytes of the client itself, which begins at the first aligned byte of its memory. */
#define IOTHUB_CLIENT_SIZE                                                                       \
    (sizeof(mqc_engine) + sizeof(iothub_options) + sizeof(iothub_stats) + sizeof(iothub_error) + \
     sizeof(plat_thread) + 2 * sizeof(plat_stream_storage) + 24 * sizeof(void *) + 680)

/**
 * Bytes of memory that iothub_init needs for options with these values of rx_size, tx_size and
 * request_size. It is a constant expression if they are.
 */
#define IOTHUB_MEMORY_SIZE(rx, tx, request)                                                     \
    (IOTHUB_CLIENT_SIZE + (rx) + (tx) + 2 * (size_t)(request) + IOTHUB_NAMES_SIZE +             \
     IOTHUB_SCRATCH_SIZE(tx) + IOTHUB_UNACCEPTED_MAX * sizeof(mqc_inbound) +                    \
     IOTHUB_EXPIRIES(tx) * sizeof(mqc_time) +                                                   \
     (IOTHUB_TELEMETRY_ENTRIES(tx) + 2 * IOTHUB_REQUEST_ENTRIES(request)) * sizeof(mqc_entry) + \
     15)

/** Bytes that provisioning needs in addition to the client, for this value of answer_size; with a
 * csr or iothub_options.certificate, pass three times the answer_size, which is then at least
 * IOTHUB_CSR_ANSWER_MIN: the issued certificates and the request need room, too. */
#define IOTHUB_PROVISIONING_SIZE(answer)                                                 \
    (sizeof(mqc_engine) + sizeof(iothub_options) + sizeof(iothub_provisioning_options) + \
     2 * sizeof(iothub_error) + sizeof(plat_thread) + sizeof(plat_stream_storage) +      \
     4 * (sizeof(mqc_entry) + sizeof(mqc_inbound)) + 48 * sizeof(void *) + 6144 + (answer))

/**
 * Bytes of memory that iothub_init_provisioned needs for options with these sizes, apart from
 * payload and csr, of which it holds two copies. With a csr, answer is twice the answer_size, which
 * is at least IOTHUB_CSR_ANSWER_MIN. The size has room for the longest names that the service
 * may choose.
 */
#define IOTHUB_PROVISIONED_MEMORY_SIZE(rx, tx, request, answer) \
    (IOTHUB_MEMORY_SIZE(rx, tx, request) + IOTHUB_PROVISIONING_SIZE(answer) + 2048)

#ifdef __cplusplus
}
#endif
#endif
