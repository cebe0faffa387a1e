#include "drive/wake.h"

#include "internal.h"

/*
 * While the runner sleeps, who makes a request looks whether it has to be woken at all: with the
 * window closed, the acknowledgement that opens it does that.  Who sends one message at a time
 * sends it on the spot, which saves the way through the other thread; many are left to
 * that thread, since what comes until it is awake leaves together.
 */

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

/* When the engine looks for the acknowledgement of a message that leaves at `now`. */
static mqc_time looks_at(const iothub_client *c, mqc_time now)
{
    uint32_t limit_ms = c->context.options.ack_timeout_ms;
    return limit_ms != 0 ? now + limit_ms / 2 : IOTHUB_NEVER;
}

/* A message that is sent on the spot starts the time for its acknowledgement.  The thread is not
 * woken for that if it wakes up before anyway; only when nobody sends does it sleep longer. */
mqc_time wake_latest(const iothub_client *c, mqc_time now)
{
    bool idle = c->context.lock == NULL || c->wake.quiet_sleeps == QUIET_SLEEPS;

    return !idle && life_has_stream(c->context.state) ? looks_at(c, now) : IOTHUB_NEVER;
}

static bool sleeps_beyond(const iothub_wake *w, mqc_time when)
{
    return when < w->wake_at;
}

static bool sleeps_too_long(const iothub_client *c)
{
    mqc_time stored = telemetry_deadline(&c->telemetry, wish_is_stop(&c->session.wish));
    mqc_time when;

    return sleeps_beyond(&c->wake, stored) ||
           (mqc_next_deadline(c->context.engine, &when) && sleeps_beyond(&c->wake, when));
}

bool wake_may_send(iothub_client *c)
{
    return life_has_stream(c->context.state) && !session_channel(&c->session)->want_write &&
           mqc_tx_ready(c->context.engine);
}

/* True: all has left at *now.  A failure shows once more when the runner tries, which can tell it.
 */
static bool send_now(iothub_client *c, mqc_time *now)
{
    plat_result r = PLAT_OK;

    while (r == PLAT_OK && mqc_tx_ready(c->context.engine)) {
        size_t len;
        size_t sent = 0;
        const uint8_t *data = mqc_tx_data(c->context.engine, &len);
        r = channel_send_locked(session_channel(&c->session), data, len, &sent);
        traffic_count_send(&c->traffic, sent);
        *now = context_now(&c->context);
        mqc_tx_consume(c->context.engine, sent, *now);
    }
    return r == PLAT_OK;
}

static bool is_lone(const iothub_client *c)
{
    return c->wake.lone && c->context.last_op == c->wake.last_op + 1;
}

/* True: all has left, and the thread wakes up before the acknowledgement has taken too long.
 * What has been sent does not run out any more: its own deadline is nobody's. */
static bool sends_itself(iothub_client *c)
{
    mqc_time now = 0;
    bool sent = send_now(c, &now);
    mqc_time look = looks_at(c, now);

    return sent && !sleeps_beyond(&c->wake, look);
}

static bool needs_the_runner(iothub_client *c, bool ends_when_sent)
{
    c->wake.quiet_sleeps = 0;
    if (!wake_may_send(c)) {
        return sleeps_too_long(c);
    }
    return ends_when_sent || !is_lone(c) || !sends_itself(c);
}

void wake_on_queued(iothub_client *c, bool ends_when_sent)
{
    bool asleep = c->context.lock != NULL && c->context.lock->asleep;
    /* A turn that goes on looks at its end what came meanwhile. */
    bool wanted = asleep ? needs_the_runner(c, ends_when_sent) : !c->context.processing;

    if (wanted || telemetry_wants_turn(&c->telemetry, wish_is_stop(&c->session.wish))) {
        context_poke(&c->context);
    }
}
