#ifndef IOTHUB_MESSAGE_H
#define IOTHUB_MESSAGE_H

/**
 * @file
 * Functions that read a cloud-to-device message (C2D).
 *
 * A message, and every span that these functions return, is valid only until the c2d callback
 * returns. A NULL message reads as an empty one.
 */

#include "iothub/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name System properties
 * Names of the properties that the hub itself sets, as they are written on the wire.
 * @{
 */
#define IOTHUB_MESSAGE_ID       "$.mid" /**< The sender's name for the message. */
#define IOTHUB_CORRELATION_ID   "$.cid" /**< The message that this one answers. */
#define IOTHUB_USER_ID          "$.uid" /**< The user that the sender named. */
#define IOTHUB_CONTENT_TYPE     "$.ct"  /**< Type of the body, e.g. "application/json". */
#define IOTHUB_CONTENT_ENCODING "$.ce"  /**< Encoding of the body, e.g. "utf-8". */
#define IOTHUB_EXPIRY_TIME      "$.exp" /**< When the message expires at the hub. */
/** @} */

/**
 * Returns the body of a message.
 *
 * @param m  the message
 * @return the bytes as received; empty if there are none
 */
mqc_span iothub_message_body(const iothub_message *m);

/**
 * Returns the name of the module input that the message was sent to.
 *
 * @param m  the message
 * @return the name; empty if the client is a device
 */
mqc_span iothub_message_input(const iothub_message *m);

/**
 * Returns whether the hub sends the message again because an earlier delivery was not acknowledged.
 * The application may have seen it already.
 *
 * @param m  the message
 * @return true for a repeated delivery (the DUP flag of MQTT)
 */
bool iothub_message_is_repeat(const iothub_message *m);

/**
 * Copies the decoded value of an application property or a system property.
 *
 * @param m         the message
 * @param name      name of the property, NUL-terminated, not percent-encoded
 * @param[out] out  the value, NUL-terminated; after IOTHUB_ERR_NO_SPACE or IOTHUB_ERR_PROTOCOL its
 *                  contents are undefined
 * @param cap       size of out in bytes
 * @param[out] len  length of the value without the NUL; may be NULL; set on success only
 * @retval IOTHUB_ERR_PART_MISSING  there is no such property, or it has no value ("name" alone)
 * @retval IOTHUB_ERR_NO_SPACE      cap is too small
 * @retval IOTHUB_ERR_PROTOCOL      the percent-encoding of the value is broken
 * @retval IOTHUB_ERR_ARG           m, name or out is NULL, or cap is 0
 */
iothub_result iothub_message_property(const iothub_message *m, const char *name, char *out,
                                      size_t cap, size_t *len);

/**
 * One property, while iothub_message_next_property walks through all of them. Initialise it with
 * zeros; the next call overwrites the texts.
 */
typedef struct iothub_property_cursor {
    size_t offset;   /**< Position of the next property in the message. Start with 0. */
    char name[128];  /**< The decoded name, NUL-terminated. */
    char value[512]; /**< The decoded value, NUL-terminated. */
    bool has_value;  /**< false: the message contains only the name, which means null. A property
                          written "name=" has an empty value instead. */
    bool truncated;  /**< The name or value is longer than its array or contains a NUL;
                          iothub_message_property returns the whole value. */
} iothub_property_cursor;

/**
 * Reads the next property. Properties are read in their order in the message.
 *
 * @param m               the message
 * @param[in,out] cursor  filled with the next property; unchanged if there is none
 * @return true if there was one more property
 */
bool iothub_message_next_property(const iothub_message *m, iothub_property_cursor *cursor);

/**
 * Returns the number to pass to iothub_message_accept, for a message that the c2d callback answers
 * with IOTHUB_DEFER.
 *
 * @param m  the message
 * @return the number; 0 if the message needs no acceptance (QoS 0)
 */
uint32_t iothub_message_delivery(const iothub_message *m);

#ifdef __cplusplus
}
#endif
#endif
