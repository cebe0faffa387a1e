#ifndef MQC_INBOX_H
#define MQC_INBOX_H

#include "mqtt_core/engine_struct.h"

/*
 * QoS 1 messages that were handed out, in the order in which they came.  The
 * table is also the queue of PUBACKs to be encoded, so none can be lost for
 * want of space, and they leave in order (MQTT 3.1.1 section 4.6).
 */

static inline bool mqc_inbox_full(const mqc_inbox *b)
{
    return b->count == b->cap;
}

void mqc_inbox_add(mqc_inbox *b, uint16_t packet_id);

/* False: no unacknowledged message with this id. */
bool mqc_inbox_ack(mqc_inbox *b, uint16_t packet_id);

/* The packet id to acknowledge next, 0 when the oldest message is not finished. */
static inline uint16_t mqc_inbox_next(const mqc_inbox *b)
{
    return b->acked > 0 ? b->table[b->head].packet_id : (uint16_t)0;
}

void mqc_inbox_drop(mqc_inbox *b);

#endif
