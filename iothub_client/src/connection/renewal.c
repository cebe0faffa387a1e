#include <string.h>

#include "context/callbacks.h"
#include "context/retry.h"
#include "internal.h"

/* The planned change of the connection: for a new token, or because the application wants it.
 *
 * While the old connection goes on carrying everything, a second one, the spare, is opened as
 * far as TLS.  Then session.c lets what is in flight be acknowledged, leaves, and logs in over
 * the spare: a gap of two round trips.  A spare that fails is no loss: it is tried again. */

enum { URGENT_PATIENCE_MS = 3000 };

/* Work that the old connection began and the new one cannot end: better after it.  A twin request
 * can be asked again, but that is twice the work for the hub. */
static bool postponed(const iothub_client *c, mqc_time now)
{
    return now < c->renewal.switch_by &&
           (methods_open(c) || c->session.deferred > 0 ||
            mqc_lane(c->context.engine, IOTHUB_LANE_TWIN).in_flight > 0);
}

static bool active(const iothub_client *c)
{
    return c->renewal.due && c->context.state == IOTHUB_CONNECTED && !wish_is_stop(&c->wish);
}

static uint32_t wait_before_next_ms(iothub_client *c)
{
    const iothub_options *o = &c->context.options;
    iothub_renewal *r = &c->renewal;

    r->failures++;
    return back_off_random_ms(c, retry_limit_ms(o->retry_min_ms, o->retry_max_ms, r->failures),
                              r->began);
}

static void feed(iothub_client *c, life_input in, const char *why);

static void open_spare(iothub_client *c)
{
    iothub_error error;

    if (channel_open(c, &c->spare, &c->stream_memory[1], &error) != IOTHUB_OK) {
        feed(c, LIFE_LOST, error.text);
    }
}

static void fail_spare(iothub_client *c, const char *why)
{
    callback_log(&c->context, IOTHUB_LOG_WARNING, "renewal",
                 "the new connection failed: %s; the old one stays in use", why);
    c->session.counts.failed_attempts++;
    if (c->spare != NULL) {
        c->spare->ops->close(c->spare);
    }
}

/* The only writer of c->renewal.spare but for its end, which is no step of a link. */
static void feed(iothub_client *c, life_input in, const char *why)
{
    iothub_renewal *r = &c->renewal;
    iothub_state next = life_next(r->spare, in, IOTHUB_STOPPED);
    mqc_time now = context_now(&c->context);
    uint32_t wait_ms = life_budget_ms(&c->context.options, next, false);

    if (next == r->spare) {
        return;
    }
    if (next == IOTHUB_WAITING) {
        fail_spare(c, why);
        wait_ms = wait_before_next_ms(c);
    }
    r->spare = next;
    r->deadline = wait_ms > 0 && next != IOTHUB_LOGGING_IN ? now + wait_ms : 0;
    if (next == IOTHUB_SECURING) {
        r->deadline = now + stage_begin_ms(c, c->spare, next, &r->pace);
    }
    context_poke(&c->context);
    if (next == IOTHUB_RESOLVING) {
        r->began = now;
        callback_log_text(&c->context, IOTHUB_LOG_INFO, "renewal", "opening a second connection");
        open_spare(c);
    }
}

void renewal_begin(iothub_client *c, uint64_t patience_ms)
{
    iothub_renewal *r = &c->renewal;
    mqc_time by = context_now(&c->context) + patience_ms;

    r->switch_by = r->due && r->switch_by < by ? r->switch_by : by;
    r->due = true;
    context_poke(&c->context);
}

void renewal_hurry(iothub_client *c)
{
    renewal_begin(c, URGENT_PATIENCE_MS);
    c->renewal.urgent = true;
    if (c->renewal.spare == IOTHUB_WAITING) {
        c->renewal.deadline = context_now(&c->context);
    }
}

void renewal_cancel(iothub_client *c)
{
    if (c->renewal.spare != IOTHUB_STOPPED && c->spare != NULL) {
        c->spare->ops->close(c->spare);
    }
    memset(&c->renewal, 0, sizeof c->renewal);
}

void renewal_adopt(iothub_client *c)
{
    plat_stream *old = c->stream;

    c->stream = c->spare;
    c->spare = old;
    c->swapped = !c->swapped;
    memset(&c->renewal, 0, sizeof c->renewal);
}

/* Nobody speaks before CONNECT; but the hub may close a connection on which nothing is said. */
static void watch(iothub_client *c)
{
    iothub_error error;
    uint8_t byte;
    size_t got;
    plat_result r = c->spare->ops->recv(c->spare, &byte, 1, &got);

    if (r == PLAT_OK) {
        feed(c, LIFE_LOST, "the hub speaks before CONNECT");
    } else if (r != PLAT_WOULD_BLOCK) {
        (void)channel_why(c->spare, r, &error);
        feed(c, LIFE_LOST, error.text);
    }
}

static void go_on(iothub_client *c, mqc_time now)
{
    iothub_error error;
    plat_stage stage = PLAT_STAGE_RESOLVE;
    plat_result r = channel_progress(c, c->spare, now, &stage);

    if (stage > PLAT_STAGE_RESOLVE) {
        feed(c, LIFE_RESOLVED, "");
    }
    if (stage > PLAT_STAGE_CONNECT) {
        feed(c, LIFE_REACHED, "");
    }
    if (r == PLAT_OK) {
        c->session.counts.tls_resumptions += c->spare->ops->resumed(c->spare);
        feed(c, LIFE_STREAM_UP, "");
    } else if (r != PLAT_WOULD_BLOCK) {
        (void)channel_why(c->spare, r, &error);
        feed(c, LIFE_LOST, error.text);
    }
}

void renewal_progress(iothub_client *c, mqc_time now)
{
    if (c->renewal.spare == IOTHUB_LOGGING_IN) {
        watch(c);
    } else if (life_is_opening(c->renewal.spare)) {
        go_on(c, now);
    }
}

static void on_deadline(iothub_client *c, mqc_time now)
{
    iothub_renewal *r = &c->renewal;
    uint32_t more_ms = stage_more_ms(c, c->spare, r->spare, r->began, &r->pace);

    if (more_ms > 0) {
        r->deadline = now + more_ms;
    } else {
        feed(c, LIFE_DEADLINE, life_late_text(r->spare));
    }
}

static void drive_spare(iothub_client *c, mqc_time now)
{
    iothub_renewal *r = &c->renewal;

    if (r->spare == IOTHUB_STOPPED && (r->urgent || !postponed(c, now))) {
        feed(c, LIFE_START, "");
    } else if (r->deadline != 0 && now >= r->deadline) {
        on_deadline(c, now);
    }
}

/* With overlap there is somewhere to go; without, the last refusal was some time ago. */
static bool may_leave(const iothub_client *c, mqc_time now)
{
    return c->context.options.overlap ? c->renewal.spare == IOTHUB_LOGGING_IN
                                      : now >= c->renewal.deadline;
}

bool renewal_on_time(iothub_client *c, mqc_time now)
{
    iothub_error error;

    if (!active(c)) {
        return false;
    }
    if (c->context.options.overlap) {
        drive_spare(c, now);
    }
    if (postponed(c, now) || !may_leave(c, now)) {
        return false;
    }
    if (credential_ready(c, &error) != IOTHUB_OK) { /* better an old token than none */
        c->renewal.deadline =
            now + c->context.options.retry_max_ms; /* a spare has its own back-off */
        feed(c, LIFE_LOST, error.text);
        return false;
    }
    return true;
}

mqc_time renewal_next_deadline(const iothub_client *c)
{
    const iothub_renewal *r = &c->renewal;

    if (!active(c)) {
        return 0;
    }
    return r->deadline != 0 ? r->deadline : r->switch_by;
}
