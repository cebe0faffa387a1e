#ifndef IOTHUB_MESSAGE_H
#define IOTHUB_MESSAGE_H

/**
 * @file
 * Reading a cloud-to-device message.  Valid inside the c2d callback only.  A message that is NULL
 * is empty.
 */

#include "iothub/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* System properties by the names that the hub gives them on the wire. */
#define IOTHUB_MESSAGE_ID       "$.mid"
#define IOTHUB_CORRELATION_ID   "$.cid"
#define IOTHUB_USER_ID          "$.uid"
#define IOTHUB_CONTENT_TYPE     "$.ct"
#define IOTHUB_CONTENT_ENCODING "$.ce"
#define IOTHUB_EXPIRY_TIME      "$.exp"

mqc_span iothub_message_body(const iothub_message *m);

/** Module input that the message came in by; empty for a device. */
mqc_span iothub_message_input(const iothub_message *m);

/** Sent before and not acknowledged then: it may have been seen. */
bool iothub_message_is_repeat(const iothub_message *m);

/**
 * Decoded value of an application or system property, NUL-terminated in out.
 *
 * @param[out] len  without the NUL; may be NULL
 * @retval IOTHUB_ERR_PART_MISSING  no such property, or one without a value ("name" alone)
 * @retval IOTHUB_ERR_NO_SPACE      cap is too small
 * @retval IOTHUB_ERR_ARG           m, name or out is NULL, or cap is 0
 */
iothub_result iothub_message_property(const iothub_message *m, const char *name, char *out,
                                      size_t cap, size_t *len);

/** One property while walking; names and values decoded and NUL-terminated. */
typedef struct iothub_property_cursor {
    size_t offset; /* start with 0 */
    char name[128];
    char value[512];
    bool has_value; /* false: the name alone, which means null; "name=" is empty instead */
    bool truncated; /* longer, or with a NUL inside: iothub_message_property has all of it */
} iothub_property_cursor;

/** Step through all properties in the order of the message.  False at the end. */
bool iothub_message_next_property(const iothub_message *m, iothub_property_cursor *cursor);

/** Names a message answered with IOTHUB_DEFER; 0 when it needs no acceptance (QoS 0). */
uint32_t iothub_message_delivery(const iothub_message *m);

#ifdef __cplusplus
}
#endif
#endif
