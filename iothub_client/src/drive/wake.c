#include "drive/wake.h"

/* Decides what a request does while the runner sleeps. If the window is full, the next
 * acknowledgement wakes the runner anyway. A thread that sends one message at a time writes the
 * message itself, which saves a change of threads. If there are many messages, they are left to
 * the runner, which sends everything that is queued when it wakes. */

enum { QUIET_SLEEPS = 2 };

void wake_init(iothub_wake *w, iothub_op last)
{
    *w = (iothub_wake){ .last_op = last, .lone = true };
}

void wake_on_sleep(iothub_wake *w, iothub_op last, mqc_time wake_at)
{
    if (last != w->last_op) {
        w->lone = last == w->last_op + 1;
    }
    if (w->quiet_sleeps < QUIET_SLEEPS) {
        w->quiet_sleeps++;
    }
    w->last_op = last;
    w->wake_at = wake_at;
}

/* Returns when the engine checks for the acknowledgement of a message that is sent at `now`. */
static mqc_time looks_at(const iothub_context *context, mqc_time now)
{
    uint32_t limit_ms = context->options.ack_timeout_ms;
    return limit_ms != 0 ? now + limit_ms / 2 : IOTHUB_NEVER;
}

/* Returns when the runner must wake at the latest. A message that is sent directly starts the
 * time for its acknowledgement, and the runner is woken for that only if it would sleep longer. */
mqc_time wake_latest(const iothub_wake *w, const iothub_context *context, mqc_time now)
{
    bool idle = context->lock == NULL || w->quiet_sleeps == QUIET_SLEEPS;

    return !idle && life_has_stream(context->state) ? looks_at(context, now) : IOTHUB_NEVER;
}

static bool sleeps_beyond(const iothub_wake *w, mqc_time when)
{
    return when < w->wake_at;
}

static bool sleeps_too_long(const iothub_wake *w, const iothub_session *s,
                            const telemetry_part *telemetry)
{
    mqc_time when;

    return sleeps_beyond(w, telemetry_deadline(telemetry, wish_is_stop(&s->wish))) ||
           (mqc_next_deadline(s->context->engine, &when) && sleeps_beyond(w, when));
}

/* Sends now. Returns true if everything was sent at *now. After a failure the runner tries again
 * and reports it. */
static bool send_now(iothub_session *s, iothub_traffic *traffic, mqc_time *now)
{
    mqc_engine *engine = s->context->engine;
    plat_result r = PLAT_OK;

    while (r == PLAT_OK && mqc_tx_ready(engine)) {
        size_t len;
        size_t sent = 0;
        const uint8_t *data = mqc_tx_data(engine, &len);
        r = channel_send_locked(session_channel(s), data, len, &sent);
        traffic_count_send(traffic, sent);
        *now = context_now(s->context);
        mqc_tx_consume(engine, sent, *now);
    }
    return r == PLAT_OK;
}

/* Returns true if everything was sent, and the runner will wake before the acknowledgement is
 * overdue. The time to live of a sent message does not matter any more. */
static bool sends_itself(const iothub_wake *w, iothub_session *s, iothub_traffic *traffic)
{
    mqc_time now = 0;
    bool sent = send_now(s, traffic, &now);

    return sent && !sleeps_beyond(w, looks_at(s->context, now));
}

static bool is_lone(const iothub_wake *w, const iothub_context *context)
{
    return w->lone && context->last_op == w->last_op + 1;
}

bool wake_needs_the_runner(iothub_wake *w, iothub_session *s, iothub_traffic *traffic,
                           const telemetry_part *telemetry, bool ends_when_sent)
{
    w->quiet_sleeps = 0;
    if (!session_may_send(s)) {
        return sleeps_too_long(w, s, telemetry);
    }
    return ends_when_sent || !is_lone(w, s->context) || !sends_itself(w, s, traffic);
}
