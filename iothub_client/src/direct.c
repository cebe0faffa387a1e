#include "backlog.h"

/*
 * While the runner sleeps, who makes a request looks whether it has to be woken at all: with the
 * window closed, the acknowledgement that opens it does that.  Who sends one message at a time
 * sends it on the spot, which saves the way through the other thread; many are left to
 * that thread, since what comes until it is awake leaves together.
 */

void direct_on_sleep(iothub_guard *g, iothub_op last, mqc_time wake_at)
{
    if (last != g->last_op) {
        g->lone = last == g->last_op + 1;
    }
    g->last_op = last;
    g->wake_at = wake_at;
    g->asleep = true;
}

static bool sleeps_beyond(const iothub_guard *g, mqc_time when)
{
    return g->wake_at == 0 || when < g->wake_at;
}

static bool sleeps_too_long(const iothub_client *c)
{
    mqc_time stored = backlog_next_deadline(c);
    mqc_time when;

    return (stored != 0 && sleeps_beyond(c->guard, stored)) ||
           (mqc_next_deadline(&c->engine, &when) && sleeps_beyond(c->guard, when));
}

/* True: all has left.  A failure shows once more when the runner tries, which can tell it. */
static bool send_now(iothub_client *c)
{
    plat_result r = PLAT_OK;

    while (r == PLAT_OK && mqc_tx_ready(&c->engine)) {
        size_t len;
        size_t sent = 0;
        const uint8_t *data = mqc_tx_data(&c->engine, &len);
        r = c->stream->ops->send(c->stream, data, len, &sent);
        c->stats.send_calls++;
        c->stats.bytes_sent += sent;
        mqc_tx_consume(&c->engine, sent, client_now(c));
    }
    return r == PLAT_OK;
}

static bool is_lone(const iothub_client *c)
{
    return c->guard->lone && c->last_op == c->guard->last_op + 1;
}

/* What has been sent does not run out any more: its deadline is nobody's. */
static bool needs_the_runner(iothub_client *c, bool ends_when_sent)
{
    if (!loop_may_send(c)) {
        return sleeps_too_long(c);
    }
    return ends_when_sent || !is_lone(c) || !send_now(c);
}

void direct_on_queued(iothub_client *c, bool ends_when_sent)
{
    bool asleep = c->guard != NULL && c->guard->asleep;
    /* A turn that goes on looks at its end what came meanwhile. */
    bool wanted = asleep ? needs_the_runner(c, ends_when_sent) : !c->processing;

    c->kick = c->kick || wanted || backlog_wants_turn(c);
}
