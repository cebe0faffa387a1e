#ifndef MQC_OUTBOX_ENTRY_H
#define MQC_OUTBOX_ENTRY_H

#include "expiry.h"
#include "mqtt_core/engine_struct.h"
#include "time_math.h"
#include "window.h"

/*
 * A lane: a ring of encoded packets, and a circular table with one entry for each of them in the
 * same order.
 *
 *     table   | ended | sent | sent | begun | granted | queued | queued |
 *               0                     send              grant             count
 *     ring    |#######|######|######|###:#####|#########|########|#######|
 *             ring_head                 send_at
 *
 * Space is reclaimed from the head only, so that the order of the ring is the order of sending,
 * also on a later connection.
 */

typedef enum mqc_entry_state {
    MQC_ENTRY_QUEUED = 0, /* not completely sent on this connection */
    MQC_ENTRY_SENT,       /* waits for PUBACK or PUBREC, or for mqc_release */
    MQC_ENTRY_RECEIVED, /* its PUBREC was received, so it waits for PUBCOMP and is not sent again */
    MQC_ENTRY_ENDED,    /* its outcome is not reported yet */
    MQC_ENTRY_DEAD      /* reported, but its space is not reclaimed yet */
} mqc_entry_state;

typedef enum mqc_entry_flag {
    MQC_ENTRY_QOS = 0x03,   /* a mask */
    MQC_ENTRY_KEEP = 0x04,  /* only mqc_release ends it */
    MQC_ENTRY_RESEND = 0x08 /* the server may have received it on an earlier connection */
} mqc_entry_flag;

enum {
    MQC_KB = 1024,
    /* A packet of at least this size gets extra time to arrive on a slow link. */
    MQC_LARGE_PACKET = MQC_KB
};

static inline mqc_entry *mqc_entry_at(const mqc_outbox *o, size_t position)
{
    size_t i = o->head + position;

    if (i >= o->entries_len) {
        i -= o->entries_len;
    }
    return o->entries + i;
}

static inline size_t mqc_ring_forward(const mqc_outbox *o, size_t at, size_t n)
{
    at += n;
    return at < o->ring_len ? at : at - o->ring_len;
}

static inline size_t mqc_ring_back(const mqc_outbox *o, size_t at, size_t n)
{
    return at >= n ? at - n : at + o->ring_len - n;
}

static inline mqc_entry *mqc_oldest(const mqc_outbox *o)
{
    return o->entries + o->head;
}

static inline mqc_entry *mqc_next_entry(const mqc_outbox *o, mqc_entry *e)
{
    return e + 1 < o->entries + o->entries_len ? e + 1 : o->entries;
}

static inline size_t mqc_position_of(const mqc_outbox *o, const mqc_entry *e)
{
    size_t i = (size_t)(e - o->entries);

    return i >= o->head ? i - o->head : i + o->entries_len - o->head;
}

/* Returns the number of entries of which bytes were sent, or are offered to the stream now. */
static inline size_t mqc_touched(const mqc_outbox *o)
{
    if (o->offered > 0) {
        return o->grant;
    }
    return o->send_done > 0 ? o->send + (size_t)1 : o->send;
}

static inline bool mqc_has_ended(const mqc_entry *e)
{
    return e->state >= MQC_ENTRY_ENDED;
}

/* Returns whether the entry uses a slot of the window, which it does from its grant until its
 * end. */
static inline bool mqc_in_window(const mqc_entry *e)
{
    return (e->flags & (MQC_ENTRY_QOS | MQC_ENTRY_KEEP)) != 0;
}

/* Returns whether its PUBLISH must still be sent or answered. */
static inline bool mqc_is_unanswered(const mqc_entry *e)
{
    return e->state < MQC_ENTRY_RECEIVED;
}

/* Returns whether the entry can expire. A message with QoS that the server may have cannot; a
 * kept one always can. */
static inline bool mqc_can_expire(const mqc_entry *e)
{
    if (e->u.expires == 0 || (e->flags & MQC_ENTRY_RESEND) != 0) {
        return false;
    }
    return e->state == MQC_ENTRY_QUEUED ||
           (e->state == MQC_ENTRY_SENT && (e->flags & MQC_ENTRY_KEEP) != 0);
}

/* Returns whether mqc_drop may end the entry. The id of a QoS 2 publish that the server may have
 * must not be used for another one. */
static inline bool mqc_can_drop(const mqc_entry *e)
{
    bool held = (e->flags & MQC_ENTRY_QOS) == 2 && (e->flags & MQC_ENTRY_RESEND) != 0;

    return e->state == MQC_ENTRY_QUEUED && !held;
}

#endif
