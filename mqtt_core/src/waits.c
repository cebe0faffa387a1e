#include "internal.h"

/*
 * What must not go on without end on a connection that is alive otherwise: an answer that the
 * server owes, and reading that stands still.  Nothing here is done for each message: once in a
 * while the state is looked at, and what is found unchanged is measured.
 */

static mqc_time latest(mqc_time a, mqc_time b)
{
    return a > b ? a : b;
}

static mqc_time earliest(mqc_time a, mqc_time b)
{
    return a < b ? a : b;
}

/* A packet is arriving: an answer may stand behind it, however long that takes. */
static bool is_receiving(const mqc_engine *e)
{
    const mqc_input *in = &e->in;
    return in->start < in->end || in->skip > 0 || in->phase != MQC_INPUT_PACKET;
}

static mqc_time unless_receiving(const mqc_engine *e, mqc_time since)
{
    return is_receiving(e) ? latest(since, e->last_rx) : since;
}

/* --- publishes --- */

/*
 * The oldest publish of the lane, if the server owes it an answer.  That one alone is looked at:
 * the others left later, and it is the one that holds up the ring.  A kept message has a deadline
 * of its own.
 */
static const mqc_entry *owed(const mqc_outbox *o)
{
    if (o->in_flight == 0) {
        return NULL;
    }
    const mqc_entry *m = o->entries + o->head;
    bool waits = (m->state == MQC_ENTRY_SENT || m->state == MQC_ENTRY_RECEIVED) &&
                 (m->flags & MQC_ENTRY_QOS) != 0;

    return waits ? m : NULL;
}

/* Since when it has been the oldest, in this state.  Seen for the first time, it cannot have
 * become so behind the last bytes. */
static mqc_time owed_since(const mqc_engine *e, const mqc_outbox *o, const mqc_entry *m)
{
    bool known = o->watched_id == m->packet_id && o->watched_state == m->state;
    return known ? unless_receiving(e, o->watched_at) : latest(e->last_rx, e->last_tx);
}

static unsigned answer_to(const mqc_entry *m)
{
    if (m->state == MQC_ENTRY_RECEIVED) {
        return MQC_PUBCOMP;
    }
    return (m->flags & MQC_ENTRY_QOS) == 2 ? MQC_PUBREC : MQC_PUBACK;
}

static mqc_result check_lane(mqc_engine *e, mqc_outbox *o, mqc_time now)
{
    const mqc_entry *m = owed(o);

    if (m == NULL) {
        o->watched_id = 0;
        return MQC_OK;
    }
    o->watched_at = owed_since(e, o, m);
    o->watched_id = m->packet_id;
    o->watched_state = m->state;
    return now < o->watched_at + e->ack_timeout_ms ? MQC_OK
                                                   : mqc_fail(e, MQC_ERR_TIMEOUT, answer_to(m));
}

/* --- SUBSCRIBE and UNSUBSCRIBE --- */

static bool awaits_request(const mqc_engine *e)
{
    return e->pending[0].packet_id != 0;
}

static mqc_time request_since(const mqc_engine *e)
{
    return e->request_at != 0 ? unless_receiving(e, e->request_at) : latest(e->last_rx, e->last_tx);
}

/* The time of the oldest runs from when the control area is seen empty: it has left. */
static mqc_result check_request(mqc_engine *e, mqc_time now)
{
    if (!awaits_request(e) || (e->request_at == 0 && mqc_control_pending(&e->control) > 0)) {
        return MQC_OK;
    }
    e->request_at = request_since(e);
    return now < e->request_at + e->ack_timeout_ms
               ? MQC_OK
               : mqc_fail(e, MQC_ERR_TIMEOUT, e->pending[0].answer);
}

/* --- both --- */

static bool awaits_answers(const mqc_engine *e)
{
    return e->ack_timeout_ms != 0 && e->state == MQC_CONNECTED;
}

static mqc_time answers_due(const mqc_engine *e)
{
    mqc_time since = awaits_request(e) ? request_since(e) : MQC_NEVER;

    for (size_t i = 0; i < e->lane_count; i++) {
        const mqc_entry *m = owed(&e->lanes[i]);
        since = m != NULL ? earliest(since, owed_since(e, &e->lanes[i], m)) : since;
    }
    return since != MQC_NEVER ? since + e->ack_timeout_ms : MQC_NEVER;
}

static mqc_result check_answers(mqc_engine *e, mqc_time now)
{
    mqc_result r = check_request(e, now);

    for (size_t i = 0; i < e->lane_count && r == MQC_OK; i++) {
        r = check_lane(e, &e->lanes[i], now);
    }
    return r;
}

/* --- reading --- */

/* A message waits for a place in the inbox, or was passed over for want of one. */
static bool is_stalled(const mqc_engine *e)
{
    return (e->in.flow == MQC_INPUT_STALLED || e->in.passed_over) && e->state == MQC_CONNECTED &&
           e->stall_timeout_ms != 0;
}

static mqc_result check_reading(mqc_engine *e, mqc_time now)
{
    if (!is_stalled(e)) {
        e->in.stalled_at = 0;
    } else if (e->in.stalled_at == 0) {
        e->in.stalled_at = now;
    } else if (now >= e->in.stalled_at + e->stall_timeout_ms) {
        return mqc_fail(e, MQC_ERR_STALLED, 0);
    }
    return MQC_OK;
}

/* --- time --- */

/* While an answer is waited for; that it stays away is noticed later by so small a part. */
enum { LOOKS = 64 };

/* Many messages come and go between two looks.  What is rare is looked at each time: a request that
 * is new, and reading that stands still. */
static bool too_early(const mqc_engine *e, mqc_time now)
{
    return now < e->look_at && (!awaits_request(e) || e->request_at != 0) &&
           e->in.flow == MQC_INPUT_FLOWING && !e->in.passed_over && e->in.stalled_at == 0;
}

mqc_time mqc_waits_until(const mqc_engine *e)
{
    mqc_time t = awaits_answers(e) ? answers_due(e) : MQC_NEVER;

    if (!is_stalled(e)) {
        return t;
    }
    /* Since when is decided by the next mqc_tick: at once. */
    return e->in.stalled_at != 0 ? earliest(t, e->in.stalled_at + e->stall_timeout_ms) : 0;
}

static mqc_result look(mqc_engine *e, mqc_time now)
{
    mqc_result r = check_reading(e, now);

    if (r == MQC_OK && awaits_answers(e)) {
        r = check_answers(e, now);
        e->look_at = earliest(now + e->ack_timeout_ms / LOOKS, answers_due(e));
    }
    return r;
}

mqc_result mqc_waits_on_time(mqc_engine *e, mqc_time now)
{
    return too_early(e, now) ? MQC_OK : look(e, now);
}
