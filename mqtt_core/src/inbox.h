#ifndef MQC_INBOX_H
#define MQC_INBOX_H

#include "packet.h"

/* The messages with QoS that were delivered to the application. The table is also the queue of
 * the answers that must be encoded, so that none is lost when there is no room, and it remembers
 * QoS 2 messages that must not be delivered again (MQTT 3.1.1 section 4.3.3). It has four parts:
 *
 *     | released   | received ........... | acked ............ | delivered ......... |
 *       QoS 2:       QoS 2: PUBREL, or      PUBACK or PUBREC    mqc_ack is expected,
 *       PUBCOMP      the same PUBLISH,      must be encoded     or was called out of
 *       must be      is expected                                order
 *       encoded
 *
 * The last two parts are in the order in which the messages arrived, and so are their PUBACKs
 * and PUBRECs (section 4.6). */

typedef enum mqc_inbox_release_result {
    MQC_INBOX_RELEASED = 0,
    MQC_INBOX_UNKNOWN, /* no such message */
    /* The application has not acknowledged the message, so no PUBREC was sent. */
    MQC_INBOX_PREMATURE
} mqc_inbox_release_result;

static inline bool mqc_inbox_full(const mqc_inbox *b)
{
    return b->count == b->cap;
}

/* Returns whether it is full of messages that wait for packets of the server, which would arrive
 * after a message that needs a slot. */
static inline bool mqc_inbox_stuck(const mqc_inbox *b)
{
    return b->received == b->cap;
}

/* Returns whether the members, and the order of the table, agree with each other. */
bool mqc_inbox_valid(const mqc_inbox *b);

static inline void mqc_inbox_init(mqc_inbox *b, mqc_inbound *table, size_t cap)
{
    b->table = table;
    b->cap = (uint32_t)cap;
}

void mqc_inbox_add(mqc_inbox *b, uint16_t packet_id, uint8_t qos);

/* Handles a QoS 2 PUBLISH. Returns true if it was delivered before and is not released; then it
 * is answered again. */
bool mqc_inbox_repeated(mqc_inbox *b, uint16_t packet_id);

/* Acknowledges a message. Returns false if no unacknowledged message has this id. */
bool mqc_inbox_ack(mqc_inbox *b, uint16_t packet_id);

/* Handles a PUBREL. The id is removed after PUBCOMP was encoded. */
mqc_inbox_release_result mqc_inbox_release(mqc_inbox *b, uint16_t packet_id);

/* Returns whether there are answers to encode. */
static inline bool mqc_inbox_due(const mqc_inbox *b)
{
    return (b->released | b->acked) != 0;
}

/* Takes the next answer, if there is one. */
mqc_packet_type mqc_inbox_answer(mqc_inbox *b, uint16_t *packet_id);

/* Called when the connection has ended: removes messages that the server will send again and
 * that may be delivered again. */
void mqc_inbox_rewind(mqc_inbox *b);

/* Removes all messages, because the session is lost. */
void mqc_inbox_clear(mqc_inbox *b);

#endif
