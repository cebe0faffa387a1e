#include "inbox.h"

#include <assert.h>

static mqc_inbound *message_at(const mqc_inbox *b, uint32_t position)
{
    uint32_t i = b->head + position;

    if (i >= b->cap) {
        i -= b->cap;
    }
    return b->table + i;
}

/* Returns where the messages of this connection that wait for their PUBACK or PUBREC begin. */
static uint32_t queue_start(const mqc_inbox *b)
{
    return b->released + b->received;
}

/* Moves on over acknowledged messages for which no older acknowledgement is missing. */
static void advance(mqc_inbox *b)
{
    uint32_t i = queue_start(b) + b->acked;

    while (i < b->count && message_at(b, i)->acked) {
        b->acked++;
        i++;
    }
}

/* Moves one message towards the head; the messages between the two positions move back by one. */
static void move_forward(mqc_inbox *b, uint32_t from, uint32_t to)
{
    while (from > to) {
        mqc_inbound *behind = message_at(b, from--);
        mqc_inbound *before = message_at(b, from);
        mqc_inbound m = *before;
        *before = *behind;
        *behind = m;
    }
}

static mqc_inbound take(mqc_inbox *b, uint32_t position)
{
    move_forward(b, position, 0);
    mqc_inbound m = b->table[b->head];
    b->head = b->head + 1 < b->cap ? b->head + 1 : 0;
    b->count--;
    return m;
}

void mqc_inbox_add(mqc_inbox *b, uint16_t packet_id, uint8_t qos)
{
    assert(mqc_inbox_valid(b));
    mqc_inbound *m = message_at(b, b->count++);

    m->packet_id = packet_id;
    m->qos = qos;
    m->acked = false;
}

/* Returns the position of the unreleased QoS 2 message with this id, or b->count if there is
 * none. */
static uint32_t find(const mqc_inbox *b, uint16_t packet_id)
{
    uint32_t i = b->released;

    while (i < b->count &&
           (message_at(b, i)->qos != 2 || message_at(b, i)->packet_id != packet_id)) {
        i++;
    }
    return i;
}

bool mqc_inbox_repeated(mqc_inbox *b, uint16_t packet_id)
{
    assert(mqc_inbox_valid(b));
    uint32_t i = find(b, packet_id);

    if (i == b->count) {
        return false;
    }
    if (i < queue_start(b)) {
        mqc_inbound m = take(b, i);
        b->received--;
        *message_at(b, b->count++) = m;
        advance(b);
    }
    return true;
}

bool mqc_inbox_ack(mqc_inbox *b, uint16_t packet_id)
{
    assert(mqc_inbox_valid(b));
    uint32_t i = b->received > 0 ? b->released : b->released + b->acked;

    while (i < b->count && (message_at(b, i)->acked || message_at(b, i)->packet_id != packet_id)) {
        i++;
    }
    if (i == b->count) {
        return false;
    }
    message_at(b, i)->acked = true;
    advance(b);
    return true;
}

mqc_inbox_release_result mqc_inbox_release(mqc_inbox *b, uint16_t packet_id)
{
    assert(mqc_inbox_valid(b));
    uint32_t i = find(b, packet_id);

    if (i == b->count) {
        return MQC_INBOX_UNKNOWN;
    }
    if (!message_at(b, i)->acked) {
        return MQC_INBOX_PREMATURE;
    }
    if (i < queue_start(b)) {
        b->received--;
    } else if (i < queue_start(b) + b->acked) {
        b->acked--;
    }
    move_forward(b, i, b->released++);
    return MQC_INBOX_RELEASED;
}

mqc_packet_type mqc_inbox_answer(mqc_inbox *b, uint16_t *packet_id)
{
    assert(mqc_inbox_valid(b));
    if (b->released > 0) {
        b->released--;
        *packet_id = take(b, 0).packet_id;
        return MQC_PUBCOMP;
    }
    const mqc_inbound *m = message_at(b, b->received);
    *packet_id = m->packet_id;
    b->acked--;
    if (m->qos == 2) {
        b->received++; /* the message keeps its position in the table */
        return MQC_PUBREC;
    }
    (void)take(b, b->received);
    return MQC_PUBACK;
}

void mqc_inbox_rewind(mqc_inbox *b)
{
    assert(mqc_inbox_valid(b));
    uint32_t kept = 0;

    for (uint32_t i = b->released; i < b->count; i++) {
        mqc_inbound m = *message_at(b, i);
        if (m.qos == 2) {
            *message_at(b, kept++) = m;
        }
    }
    b->released = 0;
    b->received = kept;
    b->acked = 0;
    b->count = kept;
}

void mqc_inbox_clear(mqc_inbox *b)
{
    assert(mqc_inbox_valid(b));
    b->released = 0;
    b->received = 0;
    b->acked = 0;
    b->count = 0;
}

#ifndef NDEBUG

/* Returns whether a message is in the right part of the table. */
static bool message_valid(const mqc_inbox *b, uint32_t position)
{
    const mqc_inbound *m = message_at(b, position);

    if (m->qos < 1 || m->qos > 2) {
        return false;
    }
    if (position < b->released) {
        return m->qos == 2 && m->acked;
    }
    if (position < queue_start(b)) {
        return m->qos == 2; /* only a QoS 2 message may be unacknowledged after a lost connection */
    }
    if (position < queue_start(b) + b->acked) {
        return m->acked;
    }
    /* The first one is unacknowledged and holds back the others. */
    return position > queue_start(b) + b->acked || !m->acked;
}

bool mqc_inbox_valid(const mqc_inbox *b)
{
    enum { WALK_MAX = 64 };

    if (b->head >= b->cap || b->count > b->cap || queue_start(b) + b->acked > b->count) {
        return false;
    }
    for (uint32_t i = 0; i < b->count && i < WALK_MAX; i++) {
        if (!message_valid(b, i)) {
            return false;
        }
    }
    return true;
}

#endif
