#ifndef NULL_SESSION_H
#define NULL_SESSION_H

/**
 * @file
 * What the null broker does with one client: it drops every message, acknowledges all messages of
 * one read with one write or, with null_one_by_one, each with a write of its own, and floods a
 * client that subscribes.
 */

#include "null_link.h"

enum { NULL_TOPIC = 256, NULL_PAYLOAD_MAX = 64 * 1024, NULL_REST_MAX = NULL_PAYLOAD_MAX + 512 };

/** What a subscriber gets. */
typedef struct null_flood {
    unsigned long count;
    size_t size; /* of a payload */
    unsigned qos;
    unsigned window; /* with QoS 1: not acknowledged yet, at most */
} null_flood;

typedef struct null_session {
    null_link link;
    uint8_t *rest; /* of a packet that has not arrived completely */
    size_t rest_len;
    uint8_t *pending; /* bytes that the socket did not accept */
    size_t pending_len;
    char topic[NULL_TOPIC]; /* of the flood */
    unsigned long unsent;   /* of the flood */
    unsigned in_flight;
    uint16_t packet_id;
} null_session;

typedef struct null_counts {
    unsigned long connects; /* CONNECT packets */
    unsigned long published;
    unsigned long acknowledged; /* of what was sent */
} null_counts;

extern null_counts null_totals;

extern bool null_one_by_one; /* each acknowledgement is a write of its own */

/** Do all that is possible now.  Returns false when the connection has ended. */
bool null_session_run(null_session *s, const null_flood *flood);

/** Closes the connection as well. */
void null_session_free(null_session *s);

#endif
