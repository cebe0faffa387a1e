#include "telemetry/backlog.h"

/*
 * While the runner sleeps, who makes a request looks whether it has to be woken at all: with the
 * window closed, the acknowledgement that opens it does that.  Who sends one message at a time
 * sends it on the spot, which saves the way through the other thread; many are left to
 * that thread, since what comes until it is awake leaves together.
 */

enum { QUIET_SLEEPS = 2 };

void wake_on_sleep(iothub_lock *g, iothub_op last, mqc_time wake_at)
{
    if (last != g->last_op) {
        g->lone = last == g->last_op + 1;
    }
    if (g->quiet_sleeps < QUIET_SLEEPS) {
        g->quiet_sleeps++;
    }
    g->last_op = last;
    g->wake_at = wake_at;
    g->asleep = true;
}

/* When the engine looks for the acknowledgement of a message that leaves at `now`, 0: never. */
static mqc_time looks_at(const iothub_client *c, mqc_time now)
{
    uint32_t limit_ms = c->options.ack_timeout_ms;
    return limit_ms != 0 ? now + limit_ms / 2 : 0;
}

/* A message that is sent on the spot starts the time for its acknowledgement.  The thread is not
 * woken for that if it wakes up before anyway; only when nobody sends does it sleep longer. */
mqc_time wake_latest(const iothub_client *c, mqc_time now)
{
    const iothub_lock *g = c->lock;
    bool idle = g == NULL || g->quiet_sleeps == QUIET_SLEEPS;

    return !idle && life_has_stream(c->session.state) ? looks_at(c, now) : 0;
}

static bool sleeps_beyond(const iothub_lock *g, mqc_time when)
{
    return g->wake_at == 0 || when < g->wake_at;
}

static bool sleeps_too_long(const iothub_client *c)
{
    mqc_time stored = backlog_next_deadline(c);
    mqc_time when;

    return (stored != 0 && sleeps_beyond(c->lock, stored)) ||
           (mqc_next_deadline(&c->engine, &when) && sleeps_beyond(c->lock, when));
}

bool wake_may_send(iothub_client *c)
{
    return life_has_stream(c->session.state) && !c->want_write && mqc_tx_ready(&c->engine);
}

/* True: all has left at *now.  A failure shows once more when the runner tries, which can tell it.
 */
static bool send_now(iothub_client *c, mqc_time *now)
{
    plat_result r = PLAT_OK;

    while (r == PLAT_OK && mqc_tx_ready(&c->engine)) {
        size_t len;
        size_t sent = 0;
        const uint8_t *data = mqc_tx_data(&c->engine, &len);
        r = c->stream->ops->send(c->stream, data, len, &sent);
        c->stats.send_calls++;
        c->stats.bytes_sent += sent;
        *now = client_now(c);
        mqc_tx_consume(&c->engine, sent, *now);
    }
    return r == PLAT_OK;
}

static bool is_lone(const iothub_client *c)
{
    return c->lock->lone && c->last_op == c->lock->last_op + 1;
}

/* True: all has left, and the thread wakes up before the acknowledgement has taken too long.
 * What has been sent does not run out any more: its own deadline is nobody's. */
static bool sends_itself(iothub_client *c)
{
    mqc_time now = 0;
    bool sent = send_now(c, &now);
    mqc_time look = looks_at(c, now);

    return sent && (look == 0 || !sleeps_beyond(c->lock, look));
}

static bool needs_the_runner(iothub_client *c, bool ends_when_sent)
{
    c->lock->quiet_sleeps = 0;
    if (!wake_may_send(c)) {
        return sleeps_too_long(c);
    }
    return ends_when_sent || !is_lone(c) || !sends_itself(c);
}

void wake_on_queued(iothub_client *c, bool ends_when_sent)
{
    bool asleep = c->lock != NULL && c->lock->asleep;
    /* A turn that goes on looks at its end what came meanwhile. */
    bool wanted = asleep ? needs_the_runner(c, ends_when_sent) : !c->processing;

    c->kick = c->kick || wanted || backlog_wants_turn(c);
}
