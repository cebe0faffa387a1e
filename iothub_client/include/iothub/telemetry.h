#ifndef IOTHUB_TELEMETRY_H
#define IOTHUB_TELEMETRY_H

/**
 * @file
 * Telemetry: messages of a device or module to its hub. iothub/client.h includes this header.
 */

#include "iothub/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A property of a message. */
typedef struct iothub_property {
    const char *name;  /**< UTF-8, not empty, not beginning with "$."; NUL-terminated. */
    const char *value; /**< UTF-8, may be empty; NUL-terminated. */
} iothub_property;

/**
 * A telemetry message. Initialise it with zeros; a NULL text is left out of the message. The client
 * copies everything, so nothing in here has to stay valid after the call.
 */
typedef struct iothub_telemetry {
    const void *body;             /**< The bytes to send. */
    size_t body_len;              /**< Number of bytes; 0: an empty message, whatever body is. */
    const char *content_type;     /**< E.g. "application/json". */
    const char *content_encoding; /**< E.g. "utf-8". */
    /** Up to 128 characters of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ '. NULL with a store:
     * the client makes one, which stays the same in every repetition of the message. */
    const char *message_id;
    const char *correlation_id; /**< The message that this one answers. */
    const char *user_id;        /**< The origin of the message. */
    const char *creation_time;  /**< A date as "2026-01-31T12:00:00Z". */
    const char *component;      /**< Component of a Plug and Play model; no white space. */
    const char *output;         /**< Output of a module; no white space. */
    bool security_message;      /**< The message is for Microsoft Defender for IoT. */
    /** false: QoS 1, the request ends when the hub has acknowledged the message. true: QoS 0, it
     * ends when the message was sent; the message may be lost. */
    bool at_most_once;
    uint32_t ttl_ms; /**< Time to live in milliseconds: if the message was not sent by then, it ends
                          with IOTHUB_ERR_EXPIRED. 0: no limit. */
    const iothub_property *properties; /**< Application properties; their names must differ. */
    size_t property_count;             /**< Number of properties. */
    void *tag; /**< Any pointer; the done callback receives it as iothub_done.tag. */
} iothub_telemetry;

/** Largest message in bytes: the body, the values of system properties, and the names and values of
 * application properties. A limit of the hub. */
#define IOTHUB_MESSAGE_MAX (256u * 1024u)

/**
 * iothub_send_telemetry for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param c            as there
 * @param t            as there
 * @param struct_size  sizeof *t of the application
 * @param[out] op      as there
 * @retval IOTHUB_ERR_UNSUPPORTED  a field is set that this version does not know
 * @return otherwise as there
 */
iothub_result iothub_send_telemetry_sized(iothub_client *c, const iothub_telemetry *t,
                                          size_t struct_size, iothub_op *op);

/**
 * Queues a telemetry message.
 *
 * With options.store, the message is in the store when the function returns IOTHUB_OK, with all
 * guarantees of the store; the function may wait for the disk. A stored message without a
 * message_id gets the id "<id of the store>-<number>". It is the same in every repetition, also
 * after a crash, so that a receiver can drop duplicates.
 *
 * @param c        the client
 * @param t        the message
 * @param[out] op  number of the request; may be NULL
 * @retval IOTHUB_ERR_NO_SPACE  the queue is full: messages without an acknowledgement fill tx_size,
 *                              a limit in the options is reached, or the disk is full
 * @retval IOTHUB_ERR_TOO_BIG   larger than IOTHUB_MESSAGE_MAX, tx_size or queue_max_bytes
 * @retval IOTHUB_ERR_ARG       a property cannot be sent; iothub_last_error names it
 * @retval IOTHUB_ERR_STORE     the store failed; iothub_last_error returns its text
 */
static inline iothub_result iothub_send_telemetry(iothub_client *c, const iothub_telemetry *t,
                                                  iothub_op *op)
{
    return iothub_send_telemetry_sized(c, t, sizeof *t, op);
}

/**
 * Drops all telemetry that was not sent yet. Each such message ends with IOTHUB_ERR_DROPPED, some
 * of them in each iothub_process. If the process ends before all are removed from the store, the
 * next process sends the rest.
 *
 * @param c           the client
 * @param[out] count  number of messages that are dropped; may be NULL
 * @return IOTHUB_OK, also if there are none
 */
iothub_result iothub_purge(iothub_client *c, uint64_t *count);

#ifdef __cplusplus
}
#endif
#endif
