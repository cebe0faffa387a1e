#include "outbox.h"

#include <assert.h>

#include "outbox_find.h"
#include "outbox_valid.h"
#include "packet.h"

/* --- accepting publishes -------------------------------------------------------------------- */

void mqc_outbox_note_expiry(mqc_outbox *o, const mqc_entry *e)
{
    mqc_expiry_note(&o->expiry, o->entries_len, (size_t)(e - o->entries), e->u.expires);
}

void mqc_outbox_init(mqc_outbox *o, uint8_t number, const mqc_lane_memory *m)
{
    memset(o, 0, sizeof *o);
    o->number = number;
    o->ring = m->ring;
    o->ring_len = m->ring_len;
    o->entries = m->entries;
    o->entries_len = (uint32_t)m->entries_len;
    mqc_window_init(&o->window, m->window);
    mqc_expiry_init(&o->expiry, m);
    assert(mqc_outbox_valid(o));
}

/* --- ending publishes ------------------------------------------------------------------ */

/* Frees the space of the oldest entry, which is dead. Its bytes must not be offered to the
 * stream. */
static void drop_head(mqc_outbox *o)
{
    o->ring_head = mqc_ring_forward(o, o->ring_head, mqc_oldest(o)->len);
    o->ring_used -= mqc_oldest(o)->len;
    o->head = o->head + 1 < o->entries_len ? o->head + 1 : 0;
    o->count--;
    if (o->send > 0) {
        o->send--;
        o->grant--;
    } else {
        o->send_at = o->ring_head;
    }
}

/* Frees dead entries at the head, unless outcomes are unreported, because positions change. */
static void reclaim(mqc_outbox *o)
{
    if (o->unreported > 0) {
        return;
    }
    while (o->count > 0) {
        if (mqc_oldest(o)->state != MQC_ENTRY_DEAD || (o->send == 0 && o->grant > 0)) {
            return; /* the entry has not ended, or its bytes are still being sent */
        }
        drop_head(o);
    }
    /* Starts again where the cache is warm and no run is split at the end of the ring. */
    o->ring_head = 0;
    o->send_at = 0;
    o->head = 0;
    mqc_expiry_clear(&o->expiry);
    o->overdue = false;
    mqc_window_start_over(&o->window);
}

/* Frees the slot of a granted entry that has ended or is queued again. */
static void leave_window(mqc_outbox *o, const mqc_entry *e)
{
    if (!mqc_in_window(e)) {
        return;
    }
    if (e->state == MQC_ENTRY_QUEUED) {
        mqc_window_give_back(&o->window);
    } else {
        mqc_window_finished(&o->window);
    }
}

/* Inserts an entry into the list of ended ones by its position, which usually is after `recent`. */
static void line_up(mqc_outbox *o, mqc_entry *e, size_t position)
{
    bool behind = o->recent != NULL && o->recent_at < position;
    mqc_entry **at = behind ? &o->recent->u.behind : &o->ended;

    while (*at != NULL && mqc_position_of(o, *at) < position) {
        at = &(*at)->u.behind;
    }
    e->u.behind = *at;
    *at = e;
    o->recent = e;
    o->recent_at = (uint32_t)position;
}

/* Ends an entry.  mqc_outbox_report delivers the outcome. */
static inline void end_entry(mqc_outbox *o, mqc_entry *e, size_t position, mqc_outcome outcome)
{
    if (position < o->grant) {
        leave_window(o, e);
    }
    e->state = MQC_ENTRY_ENDED;
    e->outcome = (uint8_t)outcome;
    line_up(o, e, position);
    if (o->unreported++ == 0) { /* the positions that mqc_drop has noted may have changed since */
        o->freed = 0;
        o->undroppable = 0;
    }
}

static void bury(mqc_outbox *o, mqc_entry *e, mqc_outcome outcome, mqc_done *done)
{
    done->outcome = outcome;
    done->lane = o->number;
    done->kind = e->kind;
    done->packet_id = e->packet_id;
    done->id = e->id;
    done->tag = e->tag;

    e->state = MQC_ENTRY_DEAD;
    o->live--;
    reclaim(o);
}

void mqc_outbox_report(mqc_outbox *o, mqc_done *done)
{
    assert(mqc_outbox_valid(o));
    mqc_entry *e = o->ended;

    o->ended = e->u.behind;
    if (o->recent == e) {
        o->recent = NULL;
    }
    o->unreported--;
    bury(o, e, (mqc_outcome)e->outcome, done);
}

/* If the oldest entry ends now, notes that the next one has been the oldest since now. */
static void note_oldest(mqc_outbox *o, const mqc_entry *e, mqc_time now)
{
    if (e == mqc_oldest(o)) {
        o->oldest_at = now;
    }
}

void mqc_outbox_completed(mqc_outbox *o, mqc_entry *e, mqc_time now, mqc_done *done)
{
    assert(mqc_outbox_valid(o));
    note_oldest(o, e, now);
    if (e->state == MQC_ENTRY_QUEUED) { /* the answer arrived before mqc_tx_consume was called */
        mqc_window_give_back(&o->window);
    } else {
        mqc_window_finished(&o->window);
    }
    bury(o, e, MQC_OUTCOME_ACKED, done);
}

bool mqc_outbox_acked(mqc_outbox *o, uint16_t packet_id, mqc_time now, mqc_done *done)
{
    assert(mqc_outbox_valid(o));
    size_t n = mqc_touched(o);
    mqc_entry *e = mqc_oldest(o);

    /* Usually found first, because servers usually answer in order. */
    if (n == 0 || !mqc_entry_has_id(e, packet_id)) {
        e = mqc_outbox_find(o, packet_id, n);
    }
    if (e == NULL || (e->flags & MQC_ENTRY_QOS) != 1) {
        return false;
    }
    mqc_outbox_completed(o, e, now, done);
    return true;
}

bool mqc_outbox_release(mqc_outbox *o, uint32_t id, mqc_time now, mqc_done *done)
{
    assert(mqc_outbox_valid(o));
    mqc_entry *e = mqc_outbox_find_kept(o, id);

    if (e == NULL) {
        return false;
    }
    leave_window(o, e);
    note_oldest(o, e, now);
    bury(o, e, MQC_OUTCOME_RELEASED, done);
    return true;
}

/* Notes the expiry of entries that can expire again. */
static void expect_expiries(mqc_outbox *o, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const mqc_entry *e = mqc_entry_at(o, i);
        if (mqc_can_expire(e)) {
            mqc_outbox_expect_expiry(o, e);
        }
    }
}

/* --- sending -------------------------------------------------------------------- */

/* Steps over entries that ended before they were sent. */
static void skip_ended(mqc_outbox *o)
{
    while (o->send == o->grant && o->send < o->count &&
           !mqc_is_unanswered(mqc_entry_at(o, o->send))) {
        o->send_at = mqc_ring_forward(o, o->send_at, mqc_entry_at(o, o->send)->len);
        o->send++;
        o->grant++;
    }
}

static void grant_more(mqc_outbox *o, mqc_time gather_until)
{
    while (o->grant < o->count) {
        mqc_entry *e = mqc_entry_at(o, o->grant);
        if (!mqc_is_unanswered(e)) {
            return;
        }
        if (mqc_in_window(e)) {
            if (!mqc_window_open(&o->window, gather_until)) {
                return;
            }
            mqc_window_take(&o->window);
        }
        o->granted_bytes += e->len;
        o->grant++;
    }
}

bool mqc_outbox_ready(mqc_outbox *o, mqc_time gather_until)
{
    assert(mqc_outbox_valid(o));
    if (o->held) {
        return mqc_outbox_begun(o);
    }
    skip_ended(o);
    grant_more(o, gather_until);
    if (o->grant == o->count) {
        /* No publish is queued any more, so the lane is not stopped. */
        mqc_window_start_over(&o->window);
    }
    return o->granted_bytes > 0;
}

const uint8_t *mqc_outbox_run(mqc_outbox *o, bool cut, size_t *len)
{
    assert(mqc_outbox_valid(o));
    size_t n = o->granted_bytes;
    size_t to_ring_end = o->ring_len - o->send_at;

    if (cut || o->held) {
        n = o->send_done > 0 ? mqc_entry_at(o, o->send)->len - o->send_done : 0;
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

/* Notes the size of a large QoS 0 packet, because no answer will show when it has arrived. */
static void note_large(mqc_outbox *o, uint32_t len)
{
    const uint32_t kb = len / MQC_KB;

    if (kb > o->large_kb) {
        o->large_kb = (uint16_t)(kb < UINT16_MAX ? kb : UINT16_MAX);
    }
}

/* Called when the stream has accepted the last byte of the entry at `send`. */
static void entry_sent(mqc_outbox *o)
{
    mqc_entry *e = mqc_entry_at(o, o->send);

    if (!mqc_is_unanswered(e)) {
        return; /* the answer arrived before mqc_tx_consume was called */
    }
    if (mqc_in_window(e)) {
        e->state = MQC_ENTRY_SENT;
        mqc_window_sent(&o->window);
        return;
    }
    end_entry(o, e, o->send, MQC_OUTCOME_SENT);
    if (e->len > MQC_LARGE_PACKET) {
        note_large(o, e->len);
    }
}

/* Withdraws the grant of entries of which nothing was offered. */
static void ungrant(mqc_outbox *o)
{
    size_t keep = mqc_touched(o);

    while (o->grant > keep) {
        mqc_entry *e = mqc_entry_at(o, --o->grant);
        o->granted_bytes -= e->len;
        if (mqc_in_window(e) && mqc_is_unanswered(e)) {
            mqc_window_give_back(&o->window);
        }
    }
}

void mqc_outbox_consume(mqc_outbox *o, size_t len)
{
    assert(mqc_outbox_valid(o));
    if (len > o->offered) {
        len = o->offered;
    }
    if (len == 0) {
        return;
    }
    if (len < o->offered) {
        /* Bytes that were offered and not accepted may be dropped again. */
        o->undroppable = o->freed;
    }
    const uint32_t first = o->send;
    o->offered = 0;
    o->granted_bytes -= len;
    o->send_at = mqc_ring_forward(o, o->send_at, len);
    for (;;) {
        size_t left = mqc_entry_at(o, o->send)->len - o->send_done;
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
        expect_expiries(o, first, o->grant); /* a kept publish may expire after it was sent, too */
        mqc_expiry_look_again(&o->expiry);
        ungrant(o);
    }
    reclaim(o);
}

/* Finds the last entry before send that has not ended, and the offset of its bytes. */
static mqc_entry *last_sent(const mqc_outbox *o, size_t *position, size_t *at)
{
    *at = o->send_at;
    for (*position = o->send; *position > 0;) {
        mqc_entry *e = mqc_entry_at(o, --*position);
        *at = mqc_ring_back(o, *at, e->len);
        if (!mqc_has_ended(e)) {
            return e;
        }
    }
    return NULL;
}

bool mqc_outbox_requeue(mqc_outbox *o, uint32_t id)
{
    assert(mqc_outbox_valid(o));
    size_t position;
    size_t at;
    mqc_entry *e = last_sent(o, &position, &at);

    if (mqc_outbox_begun(o) || e == NULL || (e->flags & MQC_ENTRY_KEEP) == 0 || e->id != id) {
        return false;
    }
    ungrant(o);
    leave_window(o, e);
    e->state = MQC_ENTRY_QUEUED;
    o->send = (uint32_t)position;
    o->send_at = at;
    o->grant = o->send;
    o->undroppable = o->freed;
    return true;
}

/* --- QoS 2 ------------------------------------------------------------------- */

bool mqc_outbox_received(mqc_outbox *o, mqc_entry *e, mqc_time now)
{
    assert(mqc_outbox_valid(o));
    size_t at = mqc_position_of(o, e);

    if ((e->flags & MQC_ENTRY_QOS) != 2) {
        return false;
    }
    if (at >= mqc_touched(o)) { /* the server received it on an earlier connection */
        if ((e->flags & MQC_ENTRY_RESEND) == 0) {
            return false;
        }
        ungrant(o);
    }
    o->overdue = o->overdue || at >= o->send; /* its PUBLISH need not be sent any more */
    if (e->state == MQC_ENTRY_QUEUED) {
        mqc_window_sent(&o->window);
    }
    if (at >= o->grant) { /* from now on it uses a slot of the window, whatever its position */
        mqc_window_take(&o->window);
    }
    note_oldest(o, e, now); /* the time for its next answer begins now */
    o->owed = true;
    e->state = MQC_ENTRY_RECEIVED;
    e->lane = o->number;
    return true;
}

/* On a new connection PUBREL is sent again, but PUBLISH is not. */
static void resume_received(mqc_outbox *o, mqc_entry *e, size_t position, bool session_present)
{
    if (session_present) {
        mqc_window_take(&o->window);
        mqc_window_sent(&o->window);
    } else {
        end_entry(o, e, position, MQC_OUTCOME_ACKED);
    }
}

/* --- connections and time ------------------------------------------------ */

void mqc_outbox_rewind(mqc_outbox *o)
{
    assert(mqc_outbox_valid(o));
    for (size_t i = 0; i < o->count; i++) {
        mqc_entry *e = mqc_entry_at(o, i);
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
    mqc_window_reset(&o->window);
    expect_expiries(o, 0, o->count);
    mqc_expiry_look_again(&o->expiry);
    o->undroppable = o->freed;
    reclaim(o);
}

/* Prepares a publish that was sent before, with DUP if the server may have received it. */
static void resume_sent(mqc_outbox *o, mqc_entry *e, uint8_t *first_byte, bool session_present)
{
    if (session_present) {
        *first_byte |= MQC_PUBLISH_DUP;
        return;
    }
    *first_byte &= (uint8_t)~MQC_PUBLISH_DUP;
    e->flags &= (uint8_t)~MQC_ENTRY_RESEND;
    o->undroppable = o->freed; /* a QoS 2 publish may be dropped from now on */
    mqc_outbox_expect_expiry(o, e);
}

void mqc_outbox_resume(mqc_outbox *o, bool session_present)
{
    assert(mqc_outbox_valid(o));
    size_t at = o->ring_head;

    for (size_t i = 0; i < o->count; i++) {
        mqc_entry *e = mqc_entry_at(o, i);
        if (e->state == MQC_ENTRY_RECEIVED) {
            resume_received(o, e, i, session_present);
        } else if (!mqc_has_ended(e) && (e->flags & MQC_ENTRY_RESEND) != 0) {
            resume_sent(o, e, o->ring + at, session_present);
        }
        at = mqc_ring_forward(o, at, e->len);
    }
}

/* Ends the entry at this position if it has expired. Returns when it must be checked again. */
static mqc_time look_at(mqc_outbox *o, size_t position, mqc_time now)
{
    mqc_entry *e = mqc_entry_at(o, position);

    if (!mqc_can_expire(e)) {
        return MQC_NEVER;
    }
    if (now < e->u.expires) {
        return e->u.expires;
    }
    if (e->state == MQC_ENTRY_QUEUED && position < o->grant) {
        o->overdue = true; /* the entry is being sent, so mqc_outbox_consume decides */
    } else {
        note_oldest(o, e, now);
        end_entry(o, e, position, MQC_OUTCOME_EXPIRED);
    }
    return MQC_NEVER;
}

/* Does so for all entries of a group. Returns when the group must be checked again. */
static mqc_time look_at_group(mqc_outbox *o, const mqc_expiry_group *g, mqc_time now)
{
    const bool whole = g->to - g->from == o->entries_len;
    const size_t n = whole ? o->count : g->to - g->from;
    mqc_time next = MQC_NEVER;

    for (size_t i = 0; i < n; i++) {
        size_t position = whole ? i : mqc_position_of(o, o->entries + g->from + i);
        if (position < o->count) {
            next = mqc_earlier(next, look_at(o, position, now));
        }
    }
    return next;
}

void mqc_outbox_end_expired(mqc_outbox *o, mqc_time now)
{
    mqc_expiry_group g = { 0, 0, 0 };

    assert(mqc_outbox_valid(o));
    ungrant(o);
    o->overdue = o->overdue && mqc_outbox_begun(o);
    while (mqc_expiry_due(&o->expiry, o->entries_len, now, &g)) {
        mqc_time next = look_at_group(o, &g, now);
        mqc_expiry_looked(&o->expiry, &g, next);
    }
    mqc_expiry_finish(&o->expiry, o->entries_len, now);
}

void mqc_outbox_discard(mqc_outbox *o)
{
    assert(mqc_outbox_valid(o));
    for (size_t i = 0; i < o->count; i++) {
        mqc_entry *e = mqc_entry_at(o, i);
        if (!mqc_has_ended(e)) {
            end_entry(o, e, i, MQC_OUTCOME_DISCARDED);
        }
    }
    mqc_expiry_clear(&o->expiry);
}

/* Frees the space of ended entries at the head before they are reported.  The entries remain. */
static void free_ended(mqc_outbox *o)
{
    for (; o->freed < o->count && mqc_has_ended(mqc_entry_at(o, o->freed)); o->freed++) {
        mqc_entry *e = mqc_entry_at(o, o->freed);
        if (o->freed >= o->send && o->freed < mqc_touched(o)) {
            return; /* its bytes are being sent */
        }
        o->ring_head = mqc_ring_forward(o, o->ring_head, e->len);
        o->ring_used -= e->len;
        e->len = 0;
        if (o->freed >= o->send) {
            o->send_at = o->ring_head;
        }
    }
}

/* Finds the first entry that mqc_drop may end, or returns NULL. */
static mqc_entry *find_droppable(mqc_outbox *o)
{
    if (o->undroppable < o->grant) {
        o->undroppable = o->grant;
    }
    for (; o->undroppable < o->count; o->undroppable++) {
        mqc_entry *e = mqc_entry_at(o, o->undroppable);
        if (mqc_can_drop(e)) {
            return e;
        }
    }
    return NULL;
}

bool mqc_outbox_drop(mqc_outbox *o, void **tag)
{
    assert(mqc_outbox_valid(o));
    if (o->unreported == 0) { /* positions may have changed since the last call */
        o->undroppable = 0;
    }
    ungrant(o);
    mqc_entry *e = find_droppable(o);
    if (e == NULL) {
        return false;
    }
    end_entry(o, e, o->undroppable, MQC_OUTCOME_DROPPED);
    free_ended(o);
    if (tag != NULL) {
        *tag = e->tag;
    }
    return true;
}
