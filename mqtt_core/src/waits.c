#include "waits.h"

#include "control.h"
#include "control_fill.h"
#include "keep_alive.h"
#include "outbox.h"
#include "state.h"

/* Limits two things that keep-alive does not detect: a missing answer of the server, and stalled
 * reading.
 *
 * This costs very little per message. Each lane notes since when its oldest publish has been the
 * oldest (outbox.c), and the engine notes when to check next: when half of the time, or all of
 * it, has passed for what was sent at the last check. If that was answered in the meantime, the
 * check finds nothing. */

static mqc_time half_of(mqc_time ms)
{
    return ms - ms / 2;
}

void mqc_waits_reset(mqc_engine *e)
{
    e->waits.request_at = 0;
    e->waits.arriving_at = 0;
    e->waits.stalled_at = 0;
    e->waits.answers_held = false;
    e->waits.look_at = MQC_NEVER;
}

void mqc_waits_expect(mqc_engine *e, mqc_time since)
{
    if (e->waits.ack_timeout_ms != 0) {
        e->waits.look_at = mqc_earlier(e->waits.look_at, since + half_of(e->waits.ack_timeout_ms));
    }
}

/* Notes when to check again for an answer that has been expected since then. */
static void look_again(mqc_engine *e, mqc_time since, mqc_time now)
{
    mqc_time half = since + half_of(e->waits.ack_timeout_ms);

    e->waits.look_at =
        mqc_earlier(e->waits.look_at, now < half ? half : since + e->waits.ack_timeout_ms);
}

/* Returns whether a large packet on a slow link can explain the missing PINGRESP, including
 * bytes that are transferred below the engine. */
static bool is_explained(const mqc_engine *e, mqc_time now)
{
    return e->keep_alive.ping == MQC_PING_QUEUED || now < e->keep_alive.quiet_until ||
           e->keep_alive.moved_at > e->keep_alive.timed.ping_at || mqc_transit_ahead_ms(e) > 0;
}

/* While a large packet is in flight, the keep-alive decides how long that may take. So a PINGREQ
 * is sent after half of the time, and the time stops there until it is answered. A server that
 * does not answer the PINGREQ gets no more time. */
static mqc_time held_since(const mqc_engine *e, mqc_time now)
{
    mqc_time held = 0;

    if (e->keep_alive.ping != MQC_PING_NONE && is_explained(e, now)) {
        held = now;
    } else if (e->waits.answers_held) {
        held = e->keep_alive.last_rx;
    }
    return held > half_of(e->waits.ack_timeout_ms) ? held - half_of(e->waits.ack_timeout_ms) : 0;
}

/* since is the time at which the wait began, not earlier than held. A packet that is arriving
 * restarts the time, since the answer may follow it. */
static mqc_result check(mqc_engine *e, mqc_time *since, unsigned answer, mqc_time held,
                        mqc_time now)
{
    bool late = now >= *since + half_of(e->waits.ack_timeout_ms);

    e->waits.answers_held =
        e->waits.answers_held || (e->keep_alive.ping != MQC_PING_NONE && held > *since);
    *since = mqc_later(*since, mqc_later(e->waits.arriving_at, held));
    if (now >= *since + e->waits.ack_timeout_ms) {
        return mqc_fail(e, MQC_ERR_TIMEOUT, answer);
    }
    if (late && e->keep_alive.interval_ms != 0) {
        mqc_ping_begin(e);
    }
    look_again(e, *since, now);
    return MQC_OK;
}

/* --- publishes --- */

/* Returns whether an answer to this publish is expected. Only the oldest publish of a lane is
 * checked: the others were sent later, and the oldest one blocks the ring. A kept message has a
 * deadline of its own. */
static bool is_owed(const mqc_entry *m)
{
    return (m->state == MQC_ENTRY_SENT || m->state == MQC_ENTRY_RECEIVED) &&
           (m->flags & MQC_ENTRY_QOS) != 0;
}

void mqc_waits_lane_sent(mqc_engine *e, mqc_outbox *o, size_t count, mqc_time now)
{
    bool owed = false;

    for (size_t i = o->send; i > 0 && count > 0 && !owed; i--) {
        const mqc_entry *m = mqc_entry_at(o, i - 1);
        owed = is_owed(m);
        if (m->state == MQC_ENTRY_SENT) {
            count--;
        }
    }
    mqc_outbox_owe(o, owed, owed ? now : o->oldest_at);
    if (owed) {
        mqc_waits_expect(e, now);
    }
}

void mqc_waits_lane_resumed(mqc_engine *e, mqc_outbox *o)
{
    mqc_outbox_owe(o, true, e->keep_alive.last_rx);
    mqc_waits_expect(e, e->keep_alive.last_rx);
}

static unsigned answer_to(const mqc_entry *m)
{
    if (m->state == MQC_ENTRY_RECEIVED) {
        return MQC_PUBCOMP;
    }
    return (m->flags & MQC_ENTRY_QOS) == 2 ? MQC_PUBREC : MQC_PUBACK;
}

static mqc_result check_lane(mqc_engine *e, mqc_outbox *o, mqc_time held, mqc_time now)
{
    const mqc_entry *m = o->entries + o->head;

    if (o->window.in_flight == 0 || !o->owed) {
        return MQC_OK;
    }
    /* A later one may wait for an answer; its time begins when it is the oldest. */
    if (!is_owed(m)) {
        mqc_outbox_owe(o, true, now);
        look_again(e, now, now);
        return MQC_OK;
    }
    mqc_time since = o->oldest_at;
    mqc_result r = check(e, &since, answer_to(m), held, now);
    mqc_outbox_owe(o, true, since);
    return r;
}

static mqc_result check_answers(mqc_engine *e, mqc_time now)
{
    const mqc_time held = held_since(e, now);
    mqc_result r = MQC_OK;

    e->waits.answers_held = false;
    e->waits.look_at = MQC_NEVER;
    if (e->waits.request_at != 0) {
        r = check(e, &e->waits.request_at, e->requests.pending[0].answer, held, now);
    }
    for (size_t i = 0; i < e->lane_count && r == MQC_OK; i++) {
        r = check_lane(e, &e->lanes[i], held, now);
    }
    return r;
}

/* --- SUBSCRIBE and UNSUBSCRIBE --- */

void mqc_waits_request_sent(mqc_engine *e, mqc_time now)
{
    if (e->waits.request_at == 0 && mqc_control_pending(&e->control) == 0) {
        e->waits.request_at = now;
        mqc_waits_expect(e, now);
    }
}

void mqc_waits_request_answered(mqc_engine *e, bool another)
{
    e->waits.request_at = another && e->waits.request_at != 0 ? e->keep_alive.last_rx : 0;
}

/* --- reading --- */

/* Returns since when reading counts as stalled. Acknowledgements that wait for a large packet on
 * a slow link will be sent eventually, so that time is left out. */
static mqc_time stalled_since(const mqc_engine *e)
{
    mqc_time moved =
        mqc_answers_due(e) ? mqc_later(e->keep_alive.last_tx, e->keep_alive.moved_at) : 0;
    return mqc_later(e->waits.stalled_at, moved);
}

mqc_time mqc_stalled_until(const mqc_engine *e)
{
    if (e->connection.state != MQC_CONNECTED || e->waits.stall_timeout_ms == 0) {
        return MQC_NEVER;
    }
    /* The next mqc_tick, which is due immediately, sets the start of the wait. */
    return e->waits.stalled_at != 0 ? stalled_since(e) + e->waits.stall_timeout_ms : 0;
}

static mqc_result check_reading(mqc_engine *e, mqc_time now)
{
    if (now < mqc_stalled_until(e)) {
        return MQC_OK;
    }
    if (e->waits.stalled_at == 0) {
        e->waits.stalled_at = now;
        return MQC_OK;
    }
    return mqc_fail(e, MQC_ERR_STALLED, 0);
}

/* --- time --- */

mqc_result mqc_waits_look(mqc_engine *e, mqc_time now)
{
    if (e->connection.state != MQC_CONNECTED) {
        e->waits.look_at = MQC_NEVER;
        return MQC_OK;
    }
    mqc_result r = mqc_reading_stalled(&e->in) ? check_reading(e, now) : MQC_OK;

    return r == MQC_OK && now >= e->waits.look_at ? check_answers(e, now) : r;
}
