#include "outbox.h"

#include "packet.h"

/* --- places --------------------------------------------------------------- */

static mqc_entry *entry_at(const mqc_outbox *o, size_t position)
{
    size_t i = o->head + position;
    return &o->entries[i < o->entries_len ? i : i - o->entries_len];
}

static size_t ring_forward(const mqc_outbox *o, size_t at, size_t n)
{
    at += n;
    return at < o->ring_len ? at : at - o->ring_len;
}

/* Writes into the ring, round its end. */
typedef struct ring_cursor {
    uint8_t *p;
    uint8_t *end;
    uint8_t *start;
} ring_cursor;

static inline void ring_put(ring_cursor *c, const uint8_t *src, size_t n)
{
    size_t room = (size_t)(c->end - c->p);

    if (n > room) {
        memcpy(c->p, src, room);
        src += room;
        n -= room;
        c->p = c->start;
    }
    memcpy(c->p, src, n);
    c->p += n;
}

/* Entries before this position have left, or may be leaving at this moment. */
static size_t touched(const mqc_outbox *o)
{
    return o->offered > 0 ? o->grant : o->send + (o->send_done > 0 ? 1u : 0);
}

static bool ended(const mqc_entry *e)
{
    return e->state >= MQC_ENTRY_ENDED;
}

static bool in_window(const mqc_entry *e)
{
    return (e->flags & (MQC_ENTRY_QOS | MQC_ENTRY_KEEP)) != 0;
}

static void expect_expiry(mqc_outbox *o, const mqc_entry *e)
{
    if (e->expires != 0 && e->expires < o->next_expiry) {
        o->next_expiry = e->expires;
    }
}

/* --- in -------------------------------------------------------------------- */

void mqc_outbox_init(mqc_outbox *o, const mqc_lane_memory *m)
{
    memset(o, 0, sizeof *o);
    o->ring = m->ring;
    o->ring_len = m->ring_len;
    o->entries = m->entries;
    o->entries_len = m->entries_len;
    o->window = m->window != 0 ? m->window : UINT16_MAX;
    o->next_expiry = MQC_NEVER;
}

mqc_result mqc_outbox_room(const mqc_outbox *o, size_t len)
{
    if (len > o->ring_len) {
        return MQC_ERR_TOO_BIG;
    }
    if (len > o->ring_len - o->ring_used || o->count == o->entries_len) {
        return MQC_ERR_NO_SPACE;
    }
    return MQC_OK;
}

void mqc_outbox_put(mqc_outbox *o, const mqc_outgoing *m, mqc_span head, size_t len,
                    uint16_t packet_id)
{
    mqc_entry *e = entry_at(o, o->count);
    ring_cursor c = { o->ring + ring_forward(o, o->ring_head, o->ring_used), o->ring + o->ring_len,
                      o->ring };

    e->tag = m->tag;
    e->expires = m->expires;
    e->id = m->id;
    e->len = (uint32_t)len;
    e->packet_id = packet_id;
    e->state = MQC_ENTRY_QUEUED;
    e->flags = (uint8_t)(m->qos | (m->keep ? MQC_ENTRY_KEEP : 0));
    e->outcome = 0;
    e->kind = m->kind;

    ring_put(&c, head.ptr, head.len);
    ring_put(&c, m->topic.ptr, m->topic.len);
    if (m->qos > 0) {
        const uint8_t id[2] = { (uint8_t)(packet_id >> 8), (uint8_t)packet_id };
        ring_put(&c, id, sizeof id);
    }
    if (m->payload.len > 0) {
        ring_put(&c, m->payload.ptr, m->payload.len);
    }

    o->ring_used += len;
    o->count++;
    o->live++;
    expect_expiry(o, e);
}

uint16_t mqc_outbox_id(const mqc_outbox *o, size_t n)
{
    const mqc_entry *e = entry_at(o, n);
    return ended(e) ? (uint16_t)0 : e->packet_id;
}

/* --- ends ------------------------------------------------------------------ */

static void reclaim(mqc_outbox *o)
{
    while (o->count > 0) {
        mqc_entry *e = entry_at(o, 0);
        if (e->state != MQC_ENTRY_DEAD || (o->send == 0 && o->grant > 0)) {
            return; /* unfinished, or its bytes are just leaving */
        }
        o->ring_head = ring_forward(o, o->ring_head, e->len);
        o->ring_used -= e->len;
        o->head = o->head + 1 < o->entries_len ? o->head + 1 : 0;
        o->count--;
        o->report -= o->report > 0 ? 1u : 0;
        if (o->send > 0) {
            o->send--;
            o->grant--;
        } else {
            o->send_at = o->ring_head;
        }
    }
    o->ring_head = 0; /* start over, where the cache is warm and no run is cut in two */
    o->send_at = 0;
    o->head = 0;
    o->next_expiry = MQC_NEVER; /* of what has ended: nobody has to wake up for it */
    o->overdue = false;
}

static void end_entry(mqc_outbox *o, size_t position, mqc_outcome outcome)
{
    mqc_entry *e = entry_at(o, position);

    if (e->state == MQC_ENTRY_SENT) {
        o->in_flight--;
    }
    if (position < o->grant && in_window(e)) {
        o->windowed--;
    }
    e->state = MQC_ENTRY_ENDED;
    e->outcome = (uint8_t)outcome;
    if (o->unreported == 0 || position < o->report) {
        o->report = position;
    }
    o->unreported++;
}

static void bury(mqc_outbox *o, mqc_entry *e, mqc_done *done)
{
    done->outcome = (mqc_outcome)e->outcome;
    done->kind = e->kind;
    done->packet_id = e->packet_id;
    done->id = e->id;
    done->tag = e->tag;

    e->state = MQC_ENTRY_DEAD;
    o->unreported--;
    o->live--;
    reclaim(o);
}

void mqc_outbox_report(mqc_outbox *o, mqc_done *done)
{
    mqc_entry *e = entry_at(o, o->report);

    while (e->state != MQC_ENTRY_ENDED) {
        e = entry_at(o, ++o->report);
    }
    bury(o, e, done);
}

bool mqc_outbox_acked(mqc_outbox *o, uint16_t packet_id)
{
    size_t limit = touched(o);

    for (size_t i = 0; i < limit; i++) {
        mqc_entry *e = entry_at(o, i);
        if (e->packet_id == packet_id && !ended(e)) {
            end_entry(o, i, MQC_OUTCOME_ACKED);
            return true;
        }
    }
    return false;
}

bool mqc_outbox_release(mqc_outbox *o, uint32_t id, mqc_done *done)
{
    size_t limit = touched(o);

    for (size_t i = 0; i < limit; i++) {
        mqc_entry *e = entry_at(o, i);
        if ((e->flags & MQC_ENTRY_KEEP) != 0 && e->id == id && !ended(e)) {
            end_entry(o, i, MQC_OUTCOME_RELEASED);
            bury(o, e, done);
            return true;
        }
    }
    return false;
}

/* --- out -------------------------------------------------------------------- */

/* What has ended before it left does not leave; nothing of it may be on its way. */
static void skip_ended(mqc_outbox *o)
{
    while (o->send == o->grant && o->send < o->count && ended(entry_at(o, o->send))) {
        o->send_at = ring_forward(o, o->send_at, entry_at(o, o->send)->len);
        o->send++;
        o->grant++;
    }
}

/*
 * Once the window has stopped the lane, half of it must be free again.  A server
 * that answers one by one would otherwise let them leave one by one.
 */
static bool window_open(mqc_outbox *o)
{
    size_t most = o->stopped ? o->window / 2 : o->window - 1;

    o->stopped = o->windowed > most;
    return !o->stopped;
}

bool mqc_outbox_ready(mqc_outbox *o)
{
    if (o->held) {
        return mqc_outbox_begun(o);
    }
    skip_ended(o);
    o->stopped = o->stopped && o->grant < o->count; /* not when nothing waits any more */
    while (o->grant < o->count) {
        mqc_entry *e = entry_at(o, o->grant);
        if (ended(e) || (in_window(e) && !window_open(o))) {
            break;
        }
        o->windowed += in_window(e) ? 1u : 0;
        o->granted_bytes += e->len;
        o->grant++;
    }
    return o->granted_bytes > 0;
}

const uint8_t *mqc_outbox_run(mqc_outbox *o, bool cut, size_t *len)
{
    size_t n = o->granted_bytes;
    size_t to_ring_end = o->ring_len - o->send_at;

    if (cut || o->held) {
        n = o->send_done > 0 ? entry_at(o, o->send)->len - o->send_done : 0;
    }
    if (n > to_ring_end) {
        n = to_ring_end;
    }
    if (n < o->offered) {
        n = o->offered;
    }
    o->offered = n;
    *len = n;
    return o->ring + o->send_at;
}

/* The last byte of the entry at send has left. */
static void entry_sent(mqc_outbox *o)
{
    mqc_entry *e = entry_at(o, o->send);

    if (ended(e)) {
        return; /* the answer was faster than the stream's report */
    }
    if (in_window(e)) {
        e->state = MQC_ENTRY_SENT;
        o->in_flight++;
    } else {
        end_entry(o, o->send, MQC_OUTCOME_SENT);
    }
}

void mqc_outbox_consume(mqc_outbox *o, size_t len)
{
    if (len > o->offered) {
        len = o->offered;
    }
    if (len == 0) {
        return;
    }
    o->offered = 0;
    o->granted_bytes -= len;
    o->send_at = ring_forward(o, o->send_at, len);
    for (;;) {
        size_t left = entry_at(o, o->send)->len - o->send_done;
        if (len < left) {
            o->send_done += len;
            break;
        }
        len -= left;
        entry_sent(o);
        o->send++;
        o->send_done = 0;
        if (len == 0) {
            break;
        }
    }
    if (o->overdue) {
        o->next_expiry = 0;
    }
    reclaim(o);
}

/* Take back the grant of what has not been offered. */
static void ungrant(mqc_outbox *o)
{
    size_t keep = touched(o);

    while (o->grant > keep) {
        mqc_entry *e = entry_at(o, --o->grant);
        o->granted_bytes -= e->len;
        if (in_window(e) && !ended(e)) {
            o->windowed--;
        }
    }
}

/* --- connections and time ------------------------------------------------ */

void mqc_outbox_rewind(mqc_outbox *o)
{
    for (size_t i = 0; i < o->count; i++) {
        mqc_entry *e = entry_at(o, i);
        if (e->state == MQC_ENTRY_SENT) {
            e->state = MQC_ENTRY_QUEUED;
            if ((e->flags & MQC_ENTRY_QOS) != 0) {
                e->flags |= MQC_ENTRY_RESEND;
            }
        }
    }
    o->send = 0;
    o->send_done = 0;
    o->send_at = o->ring_head;
    o->grant = 0;
    o->granted_bytes = 0;
    o->offered = 0;
    o->in_flight = 0;
    o->windowed = 0;
    o->next_expiry = 0; /* look again */
    reclaim(o);
}

void mqc_outbox_resume(mqc_outbox *o, bool session_present)
{
    size_t at = o->ring_head;

    for (size_t i = 0; i < o->count; i++) {
        mqc_entry *e = entry_at(o, i);
        if ((e->flags & MQC_ENTRY_RESEND) != 0 && session_present) {
            o->ring[at] |= MQC_PUBLISH_DUP;
        } else if ((e->flags & MQC_ENTRY_RESEND) != 0) {
            o->ring[at] &= (uint8_t)~MQC_PUBLISH_DUP;
            e->flags &= (uint8_t)~MQC_ENTRY_RESEND;
            expect_expiry(o, e);
        }
        at = ring_forward(o, at, e->len);
    }
}

/* A QoS 1 message that the server may have does not expire, a kept one always does. */
static bool can_expire(const mqc_entry *e)
{
    if (e->expires == 0 || (e->flags & MQC_ENTRY_RESEND) != 0) {
        return false;
    }
    return e->state == MQC_ENTRY_QUEUED ||
           (e->state == MQC_ENTRY_SENT && (e->flags & MQC_ENTRY_KEEP) != 0);
}

void mqc_outbox_expire(mqc_outbox *o, mqc_time now)
{
    if (now < o->next_expiry) {
        return;
    }
    ungrant(o);
    o->next_expiry = MQC_NEVER;
    o->overdue = false;
    for (size_t i = 0; i < o->count; i++) {
        mqc_entry *e = entry_at(o, i);
        if (!can_expire(e)) {
            continue;
        }
        if (now < e->expires) {
            expect_expiry(o, e);
        } else if (e->state == MQC_ENTRY_QUEUED && i < o->grant) {
            o->overdue = true; /* on its way out */
        } else {
            end_entry(o, i, MQC_OUTCOME_EXPIRED);
        }
    }
}

void mqc_outbox_discard(mqc_outbox *o)
{
    for (size_t i = 0; i < o->count; i++) {
        if (!ended(entry_at(o, i))) {
            end_entry(o, i, MQC_OUTCOME_DISCARDED);
        }
    }
    o->next_expiry = MQC_NEVER;
}
