#ifndef MQC_OUTBOX_H
#define MQC_OUTBOX_H

#include "outbox_entry.h"

/* A lane: accepts, sends and ends publishes.  outbox_entry.h has its picture. */

/* Chain an entry to the one behind it; only for entries that can no longer expire. */
static inline void mqc_entry_chain(mqc_entry *e, mqc_entry *behind)
{
    e->u.behind = behind;
}

/* The entry may expire, at its time. */
void mqc_outbox_note_expiry(mqc_outbox *o, const mqc_entry *e);

static inline void mqc_outbox_expect_expiry(mqc_outbox *o, const mqc_entry *e)
{
    if (e->u.expires != 0) {
        mqc_outbox_note_expiry(o, e);
    }
}

void mqc_outbox_init(mqc_outbox *o, uint8_t number, const mqc_lane_memory *m);

/* Has the lane got room for a packet of that length? */
static inline bool mqc_outbox_room(const mqc_outbox *o, size_t len)
{
    return len <= o->ring_len - o->ring_used && o->count < o->entries_len;
}

/* Append the entry of a packet that was written into the ring. */
static inline void mqc_outbox_add(mqc_outbox *o, const mqc_outgoing *m, size_t len,
                                  uint16_t packet_id)
{
    mqc_entry *e = mqc_entry_at(o, o->count);

    e->tag = m->tag;
    e->u.expires = m->expires;
    e->id = m->id;
    e->len = (uint32_t)len;
    e->packet_id = packet_id;
    e->state = MQC_ENTRY_QUEUED;
    e->flags = (uint8_t)(m->qos | (m->keep ? MQC_ENTRY_KEEP : 0));
    e->kind = m->kind;
    mqc_outbox_expect_expiry(o, e);
    o->ring_used += len;
    o->count++;
    o->live++;
}

/* Packet id of the n-th entry, 0 when it has none or no longer needs it. */
uint16_t mqc_outbox_id(const mqc_outbox *o, size_t n);

/* Is the server in the middle of a packet of this lane, as far as we know? */
static inline bool mqc_outbox_begun(const mqc_outbox *o)
{
    return o->send_done > 0 || o->offered > 0;
}

/* While held, nothing new is sent. */
static inline void mqc_outbox_hold(mqc_outbox *o, bool hold)
{
    o->held = hold;
}

/* The answer to the oldest entry is owed since this time; owed: in flight is a publish with QoS. */
static inline void mqc_outbox_owe(mqc_outbox *o, bool owed, mqc_time since)
{
    o->owed = owed;
    o->oldest_at = since;
}

/* Ids of this lane were stepped over while they were in use: see ids.c. */
static inline void mqc_outbox_ids_passed(mqc_outbox *o, bool passed)
{
    o->id_passed = passed;
}

/* Returns the size of the largest QoS 0 packet of the last run, in KB, and forgets it. */
static inline uint32_t mqc_outbox_take_large_kb(mqc_outbox *o)
{
    const uint32_t kb = o->left_kb;

    o->left_kb = 0;
    return kb;
}

/* Everything has left. */
static inline bool mqc_outbox_rests(const mqc_outbox *o)
{
    return o->send == o->count;
}

/*
 * Grant what the window and mqc_outbox_hold allow.  gather_until: until when a lane that stops now
 * may wait for a batch; 0: not at all.  Returns true when mqc_outbox_run has bytes.
 */
bool mqc_outbox_ready(mqc_outbox *o, mqc_time gather_until);

/*
 * The bytes to send next, as many as lie together; with cut, no packet after
 * the one that has begun.  At least what was offered before and not consumed.
 */
const uint8_t *mqc_outbox_run(mqc_outbox *o, bool cut, size_t *len);
void mqc_outbox_consume(mqc_outbox *o, size_t len);

/* The length of the packet that the server has to answer next, if it has left or is leaving. */
size_t mqc_outbox_unanswered_len(const mqc_outbox *o);

/* PUBACK.  False: no such packet is in flight. */
bool mqc_outbox_acked(mqc_outbox *o, uint16_t packet_id, mqc_time now, mqc_done *done);

/* The unfinished entry with this id, sent or not. */
mqc_entry *mqc_outbox_find(const mqc_outbox *o, uint16_t packet_id);

/* The first PUBREC for an entry.  False: it cannot have one. */
bool mqc_outbox_received(mqc_outbox *o, mqc_entry *e, mqc_time now);

/* PUBCOMP for an entry that had its PUBREC. */
void mqc_outbox_completed(mqc_outbox *o, mqc_entry *e, mqc_time now, mqc_done *done);

/* Finish the oldest kept message with that id.  False: there is none. */
bool mqc_outbox_release(mqc_outbox *o, uint32_t id, mqc_time now, mqc_done *done);

/* The last packet that left, a kept message with that id, has to leave again.  False: it is not. */
bool mqc_outbox_requeue(mqc_outbox *o, uint32_t id);

/* Take the next outcome, when unreported says that there is one. */
void mqc_outbox_report(mqc_outbox *o, mqc_done *done);

/* The connection is gone: everything unfinished has to leave again. */
void mqc_outbox_rewind(mqc_outbox *o);

/*
 * There is a new one.  Without the session, a resend is a new message, and what
 * had its PUBREC has ended: the server took it over before it forgot.
 */
void mqc_outbox_resume(mqc_outbox *o, bool session_present);

/* End what is due.  Nothing is due before o->expiry.next. */
void mqc_outbox_end_expired(mqc_outbox *o, mqc_time now);

static inline void mqc_outbox_expire(mqc_outbox *o, mqc_time now)
{
    if (now >= o->expiry.next) {
        mqc_outbox_end_expired(o, now);
    }
}

void mqc_outbox_discard(mqc_outbox *o);

/* End the oldest entry of which nothing has left.  False: there is none. */
bool mqc_outbox_drop(mqc_outbox *o, void **tag);

#endif
