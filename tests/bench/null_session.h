#ifndef NULL_SESSION_H
#define NULL_SESSION_H

/**
 * @file
 * One client of the null broker. The broker drops every message. It acknowledges all messages of
 * one read with one write or, with null_one_by_one, each with a separate write. A client that
 * subscribes receives a flood of messages.
 */

#include "null_link.h"

enum { NULL_TOPIC = 256, NULL_PAYLOAD_MAX = 64 * 1024, NULL_REST_MAX = NULL_PAYLOAD_MAX + 512 };

/** The messages that a subscriber receives. */
typedef struct null_flood {
    unsigned long count;
    size_t size; /* bytes of a payload */
    unsigned qos;
    unsigned window; /* most unacknowledged messages with QoS 1 */
} null_flood;

typedef struct null_session {
    null_link link;
    uint8_t *rest; /* start of a packet that has not arrived completely */
    size_t rest_len;
    uint8_t *pending; /* bytes that the socket has not accepted */
    size_t pending_len;
    char topic[NULL_TOPIC]; /* topic of the messages to the subscriber */
    unsigned long unsent;   /* number of messages that remain to be sent to it */
    unsigned in_flight;
    uint16_t packet_id;
} null_session;

typedef struct null_counts {
    unsigned long connects; /* CONNECT packets */
    unsigned long published;
    unsigned long acknowledged; /* how many of the sent messages were acknowledged */
} null_counts;

extern null_counts null_totals;

extern bool null_one_by_one; /* if true, each acknowledgement is a separate write */

/** Does everything that is possible now. Returns false if the connection has ended. */
bool null_session_run(null_session *s, const null_flood *flood);

/** Frees the session and closes its connection. */
void null_session_free(null_session *s);

#endif
