#ifndef MQC_OUTBOX_H
#define MQC_OUTBOX_H

#include "outbox_entry.h"

/* A lane, which accepts, sends and ends publishes. The comment in outbox_entry.h has a picture
 * of it. */

/* Links an entry to the next one. Only entries that can no longer expire are linked. */
static inline void mqc_entry_chain(mqc_entry *e, mqc_entry *behind)
{
    e->u.behind = behind;
}

/* Notes when the entry expires. */
void mqc_outbox_note_expiry(mqc_outbox *o, const mqc_entry *e);

static inline void mqc_outbox_expect_expiry(mqc_outbox *o, const mqc_entry *e)
{
    if (e->u.expires != 0) {
        mqc_outbox_note_expiry(o, e);
    }
}

void mqc_outbox_init(mqc_outbox *o, uint8_t number, const mqc_lane_memory *m);

/* Returns whether there is room for a packet of this length. */
static inline bool mqc_outbox_room(const mqc_outbox *o, size_t len)
{
    return len <= o->ring_len - o->ring_used && o->count < o->entries_len;
}

/* Appends the entry of a packet that was written into the ring. */
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

/* Returns whether a packet of this lane was partly sent, or offered. */
static inline bool mqc_outbox_begun(const mqc_outbox *o)
{
    return o->send_done > 0 || o->offered > 0;
}

/* Changes the length of an entry's packet; the caller moves the bytes in the ring. */
static inline void mqc_outbox_resize(mqc_outbox *o, mqc_entry *e, size_t len)
{
    o->ring_used = o->ring_used - e->len + len;
    e->len = (uint32_t)len;
}

/* Holds the lane, or ends that. While it is held, no further packet is sent. */
static inline void mqc_outbox_hold(mqc_outbox *o, bool hold)
{
    o->held = hold;
}

/* Notes whether a publish with QoS is in flight, and since when the oldest entry waits. */
static inline void mqc_outbox_owe(mqc_outbox *o, bool owed, mqc_time since)
{
    o->owed = owed;
    o->oldest_at = since;
}

/* Notes whether the search for a free id skipped an id of this lane; see ids.c. */
static inline void mqc_outbox_ids_passed(mqc_outbox *o, bool passed)
{
    o->id_passed = passed;
}

/* Returns the size in KB of the largest QoS 0 packet of the last run, and resets it. */
static inline uint32_t mqc_outbox_take_large_kb(mqc_outbox *o)
{
    const uint32_t kb = o->large_kb;

    o->large_kb = 0;
    return kb;
}

/* Returns whether everything was sent. */
static inline bool mqc_outbox_rests(const mqc_outbox *o)
{
    return o->send == o->count;
}

/* Grants what the window and mqc_outbox_hold allow. gather_until is the time until which a lane
 * that stops now may wait for a batch; 0: it may not wait. Returns true if mqc_outbox_run has
 * bytes. */
bool mqc_outbox_ready(mqc_outbox *o, mqc_time gather_until);

/* Returns the next bytes to send: as many as are contiguous, and at least those that were
 * offered before and not consumed. If cut is true, nothing after the packet in progress is
 * returned. */
const uint8_t *mqc_outbox_run(mqc_outbox *o, bool cut, size_t *len);
void mqc_outbox_consume(mqc_outbox *o, size_t len);

/* Handles a PUBACK. Returns false if no QoS 1 publish with this id is in flight. */
bool mqc_outbox_acked(mqc_outbox *o, uint16_t packet_id, mqc_time now, mqc_done *done);

/* Handles the first PUBREC for an entry. Returns false if the entry cannot have one. */
bool mqc_outbox_received(mqc_outbox *o, mqc_entry *e, mqc_time now);

/* Handles a PUBCOMP for an entry whose PUBREC was received. */
void mqc_outbox_completed(mqc_outbox *o, mqc_entry *e, mqc_time now, mqc_done *done);

/* Ends the oldest kept publish with this id. Returns false if none was sent. */
bool mqc_outbox_release(mqc_outbox *o, uint32_t id, mqc_time now, mqc_done *done);

/* Queues the last packet that was sent again. Returns false if it is not a kept publish with
 * this id. */
bool mqc_outbox_requeue(mqc_outbox *o, uint32_t id);

/* Takes the next outcome. There must be at least one (unreported is not 0). */
void mqc_outbox_report(mqc_outbox *o, mqc_done *done);

/* Called when the connection has ended: everything unfinished must be sent again. */
void mqc_outbox_rewind(mqc_outbox *o);

/* Called when a new connection is accepted. If the session is lost, a publish that is sent again
 * is a new message, and one whose PUBREC was received has ended, because the server has it. */
void mqc_outbox_resume(mqc_outbox *o, bool session_present);

/* Ends publishes that have expired. Before o->expiry.next there are none. */
void mqc_outbox_end_expired(mqc_outbox *o, mqc_time now);

static inline void mqc_outbox_expire(mqc_outbox *o, mqc_time now)
{
    if (now >= o->expiry.next) {
        mqc_outbox_end_expired(o, now);
    }
}

void mqc_outbox_discard(mqc_outbox *o);

/* Ends the oldest entry of which nothing was sent. Returns false if there is none. */
bool mqc_outbox_drop(mqc_outbox *o, void **tag);

#endif
