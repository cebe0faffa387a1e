#include "internal.h"

static mqc_time earlier(mqc_time a, mqc_time b)
{
    return a < b ? a : b;
}

static bool keeps_alive(const mqc_engine *e)
{
    return e->state == MQC_CONNECTED && e->keep_alive_ms != 0;
}

/*
 * When to send PINGREQ.  While we do not read, its answer cannot be seen, but
 * the server wants to hear from us all the same.
 */
static mqc_time ping_due(const mqc_engine *e)
{
    if (!keeps_alive(e)) {
        return MQC_NEVER;
    }
    if (e->in.flow == MQC_INPUT_STALLED) {
        return e->last_tx + e->keep_alive_ms;
    }
    return e->ping_pending ? MQC_NEVER : earlier(e->last_tx, e->last_rx) + e->keep_alive_ms;
}

/* When the peer counts as lost. */
static mqc_time lost_at(const mqc_engine *e)
{
    if (e->state == MQC_CONNECTING) {
        return e->connect_deadline;
    }
    if (!keeps_alive(e) || e->in.flow == MQC_INPUT_STALLED) {
        return MQC_NEVER;
    }
    mqc_time silent = e->last_rx + e->keep_alive_ms + e->keep_alive_ms / 2;
    return e->ping_pending ? earlier(silent, e->ping_at + e->keep_alive_ms) : silent;
}

/* Can what was passed over be had on another connection, now that there is a place for it? */
static bool wants_another_connection(const mqc_engine *e)
{
    return e->in.passed_over && !mqc_inbox_full(&e->inbox) && mqc_control_pending(&e->control) == 0;
}

bool mqc_next_deadline(const mqc_engine *e, mqc_time *when)
{
    mqc_time t = wants_another_connection(e) ? 0 : earlier(ping_due(e), lost_at(e));

    t = earlier(t, mqc_waits_until(e));
    for (size_t i = 0; i < e->lane_count; i++) {
        t = earlier(t, earlier(e->lanes[i].next_expiry, e->lanes[i].go_on_at));
    }
    *when = t;
    return t != MQC_NEVER && e->state != MQC_FAILED;
}

mqc_result mqc_tick(mqc_engine *e, mqc_time now)
{
    if (e->error != MQC_OK) {
        return e->error;
    }
    for (size_t i = 0; i < e->lane_count; i++) {
        mqc_outbox_expire(&e->lanes[i], now);
        mqc_outbox_go_on(&e->lanes[i], now);
    }
    mqc_pace_on_time(e, now);
    if (e->in.flow == MQC_INPUT_RESUMED) { /* silence counts from now on */
        e->in.flow = MQC_INPUT_FLOWING;
        e->last_rx = now;
        e->ping_at = now;
    }
    if (wants_another_connection(e)) {
        return mqc_fail(e, MQC_ERR_PROTOCOL, MQC_PUBLISH);
    }
    if (now >= lost_at(e)) {
        return mqc_fail(e, MQC_ERR_TIMEOUT,
                        e->state == MQC_CONNECTING ? MQC_CONNACK : MQC_PINGRESP);
    }
    if ((now >= e->look_at || mqc_reading_stalled(e)) && mqc_waits_look(e, now) != MQC_OK) {
        return e->error;
    }
    if (now >= ping_due(e)) {
        e->ping_wanted = true;
        e->ping_pending = true;
        e->ping_at = now;
        e->last_tx = now; /* so that a stream that takes nothing gets one, not many */
    }
    return MQC_OK;
}
