
#include <assert.h>

#include "connection/certificate_hook.h"
#include "connection/home.h"
#include "connection/session_valid.h"
#include "context/callbacks.h"
#include "drive/client.h"
#include "drive/wake.h"
#include "platform/poll_set.h"

_Static_assert(IOTHUB_POLL_FDS == PLAT_POLL_SET_FDS, "plat_poll_set_update takes iothub_poll.fds");

/* A turn is limited, because iothub_process must return even if the peer sends without a pause,
 * or if each callback makes a request. */
enum { ROUNDS_MAX = 64 };

/* Returns whether the receive buffer is full. This has no meaning before a connection has
 * received bytes, or after it has ended. */
static bool rx_is_full(const iothub_client *c)
{
    return c->reading.full && life_has_stream(c->context.state);
}

/* Checks for room in the receive buffer, which acknowledgements may have made. */
static void look_for_room(iothub_client *c)
{
    size_t cap;

    (void)mqc_rx_space(c->context.engine, &cap);
    reading_note_room(&c->reading, cap);
}

void loop_take_events(iothub_client *c)
{
    mqc_event ev;

    while (mqc_next_event(c->context.engine, &ev)) {
        event_take(c, &ev);
    }
    if (rx_is_full(c)) {
        look_for_room(c);
    }
    mqc_result r = mqc_error(c->context.engine);
    if (r != MQC_OK && life_has_stream(c->context.state)) {
        session_on_engine_error(&c->session, r, c2d_deferred(&c->c2d) > 0);
    }
}

/* --- bytes ---------------------------------------------------------------------- */

/* Reads once. Returns true if there are probably more bytes. */
static bool receive(iothub_client *c, mqc_time now)
{
    size_t cap;
    size_t got = 0;
    uint8_t *at = mqc_rx_space(c->context.engine, &cap);

    reading_note_room(&c->reading, cap);
    if (cap == 0) {
        return false;
    }
    plat_result r = channel_recv(session_channel(&c->session), at, cap, &got);
    traffic_count_recv(&c->traffic, r == PLAT_OK ? got : 0);
    if (r == PLAT_WOULD_BLOCK) {
        return false;
    }
    if (r != PLAT_OK) {
        session_on_stream_error(&c->session, r);
        return false;
    }
    (void)mqc_rx_commit(c->context.engine, got,
                        now); /* the engine keeps an error, which loop_take_events handles */
    return got == cap;
}

/* Each call makes at most one TLS record, and the hub can use a record only when all of it has
 * arrived. So a record is not longer than a link of 50 bytes/s can carry in 1.5 x keep-alive;
 * otherwise the hub would close the connection. With the default keep-alive this limit is never
 * reached. */
enum { LEAST_PORTION = 1024 };

static size_t portion(const iothub_client *c, size_t len)
{
    size_t most = c->context.options.keep_alive_s * (size_t)75;

    most = most > LEAST_PORTION ? most : LEAST_PORTION;
    return len < most ? len : most;
}

/* Writes once. Returns true if some bytes were sent. */
static bool transmit(iothub_client *c, mqc_time now)
{
    size_t len;
    size_t sent = 0;

    telemetry_feed(&c->telemetry, wish_is_stop(&c->session.wish), now);
    const uint8_t *data = mqc_tx_data(c->context.engine, &len);

    if (len == 0) {
        return false;
    }
    plat_result r = channel_send(session_channel(&c->session), data, portion(c, len), &sent);
    traffic_count_send(&c->traffic, r == PLAT_OK ? sent : 0);
    if (r == PLAT_OK) {
        mqc_tx_consume(c->context.engine, sent, now);
    } else if (r != PLAT_WOULD_BLOCK) {
        session_on_stream_error(&c->session, r);
    }
    return r == PLAT_OK;
}

static bool awaits_answers(const iothub_client *c)
{
    size_t in_flight = 0;

    for (unsigned lane = 0; lane < IOTHUB_LANES; lane++) {
        in_flight += mqc_lane(c->context.engine, (uint8_t)lane).in_flight;
    }
    return in_flight > 0;
}

/* Reports to the engine how many bytes the layers below have received and delivered. */
static void report_flow(iothub_client *c, mqc_time now)
{
    plat_flow f;

    if (!mqc_wants_flow(c->context.engine, now) || !life_has_stream(c->context.state)) {
        return;
    }
    /* Cannot fail, because the engine asks only if the stream can tell. */
    (void)channel_flow(session_channel(&c->session), &f);
    const mqc_flow flow = { f.received, f.delivered, f.pending, f.awaited };
    mqc_report_flow(c->context.engine, &flow, now);
}

/* Returns whether to read before sending. After a request it sends first, because usually
 * nothing has arrived yet. It never does so twice in a row if an answer is expected, and not too
 * often otherwise, because a busy sender would never read. */
static bool reads_first(iothub_client *c, bool asked)
{
    bool wanted = !asked || rx_is_full(c) || reading_is_wanted(&c->reading);

    return reading_begin_turn(&c->reading,
                              wanted || (c->reading.unread_turns > 0 && awaits_answers(c)));
}

/* Reads the available bytes. Returns true if there are probably more. */
static bool read_all(iothub_client *c, mqc_time now)
{
    bool more = true;

    if (rx_is_full(c)) {
        loop_take_events(c);
    }
    for (int round = 0; more && round < ROUNDS_MAX; round++) {
        more = life_has_stream(c->context.state) && receive(c, now);
        loop_take_events(c);
    }
    return more;
}

/* Writes the engine's bytes, and those that result from the following events. taken means that
 * all earlier events were handled. Returns false if nothing was sent. */
static bool write_all(iothub_client *c, mqc_time now, bool taken)
{
    bool left = false;

    for (int round = 0; round < ROUNDS_MAX; round++) {
        bool sent = life_has_stream(c->context.state) && transmit(c, now);
        if (!sent && taken) {
            return left;
        }
        loop_take_events(c);
        left = left || sent;
        taken = true;
    }
    context_poke(&c->context);
    return true;
}

static void pump(iothub_client *c, mqc_time now, bool asked)
{
    bool reads = reads_first(c, asked);
    bool more = reads && read_all(c, now);
    bool sent = write_all(c, now, reads);

    if (more || (!reads && !sent)) { /* there is something to read, or nothing else to do */
        reading_wants_turn(&c->reading);
    }
    if (more) {
        context_poke(&c->context);
    }
}

/* --- driving ------------------------------------------------------------------------ */

static void look_at_connection(iothub_client *c, mqc_time now)
{
    const session_busy busy = {
        .methods_open = methods_open(&c->methods),
        .deferred = c2d_deferred(&c->c2d) > 0,
        .own_request = twin_has_own_request(&c->twin),
    };

    session_on_time(&c->session, &busy, now);
}

/* Does what is due for the certificate that renews itself. */
static void tend_certificate(iothub_client *c, mqc_time now)
{
    const certificate_ops *ops = certificate_ops_of(&c->context);
    certificate_trial trial;

    if (ops == NULL) {
        return;
    }
    iothub_certificate *certificate = c->context.options.certificate;
    certificate_view view = { .listens =
                                  session_has_feature(&c->session, TOPIC_FEATURE_CERTIFICATE) };
    credential_describe(&c->session.credential, &view.credentials);
    if (!ops->turn(certificate, &view, now, &trial)) {
        return;
    }
    if (session_try_credentials(&c->session, trial.list, trial.count) == IOTHUB_OK) {
        ops->on_tried(certificate);
    } else { /* the next turn tries again */
        callback_log_text(&c->context, IOTHUB_LOG_DEBUG, "certificate",
                          context_error(&c->context)->text);
    }
}

void loop_turn(iothub_client *c)
{
    mqc_time now = context_now(&c->context);
    bool asked = context_begin_turn(&c->context);

    assert(session_valid(&c->session));

    tend_certificate(c, now);
    if (session_is_due(&c->session, now)) {
        look_at_connection(c, now);
    }
    session_watch_token(&c->session, now);
    twin_on_time(&c->twin, now);
    telemetry_on_time(&c->telemetry, wish_is_stop(&c->session.wish), now);
    report_flow(c, now);
    (void)mqc_tick(c->context.engine, now); /* an error stays latched in the engine */
    session_progress(&c->session, now);
    pump(c, now, asked);
    /* Does work that the events have made possible: DISCONNECT, or the end of a stop. */
    if (session_is_changing(&c->session)) {
        look_at_connection(c, now);
        loop_take_events(c);
        if (session_may_send(&c->session)) {
            context_poke(&c->context);
        }
    }
    assert(session_valid(&c->session));
    context_end_turn(&c->context);
}

void loop_no_polls(plat_poll *polls)
{
    for (size_t i = 0; i < IOTHUB_POLL_FDS; i++) {
        polls[i] = (plat_poll){ .fd = -1 };
    }
}

/* --- what to wait for --------------------------------------------------------------- */

static mqc_time poll_spare(iothub_client *c, plat_poll *polls)
{
    const unsigned place = 1u - c->session.changeover.used;
    iothub_channel *spare = session_spare(&c->session);

    mqc_time deadline;

    if (home_poll(&c->context, &polls[place], &deadline)) {
        return deadline; /* the spare is closed while the hub is not known */
    }
    channel_poll(spare, false, 1, &polls[place]);
    return channel_in_use(spare) ? deadline_of(polls[place].wake_at_ms) : IOTHUB_NEVER;
}

static mqc_time poll_channel(iothub_client *c, plat_poll *polls)
{
    iothub_state s = c->context.state;
    bool open = s >= IOTHUB_RESOLVING && s <= IOTHUB_STOPPING;
    iothub_channel *ch = session_channel(&c->session);
    plat_poll *p = &polls[c->session.changeover.used];
    mqc_time deadline = 0; /* 0 means no deadline */

    size_t least = open ? mqc_rx_least(c->context.engine, &deadline) : 1;
    channel_poll(ch, open && (ch->want_write || c->context.poked), least, p);
    p->want_read = p->want_read && !rx_is_full(c);
    p->ready_now = p->ready_now && !rx_is_full(c);
    return deadline_earlier(deadline_of(deadline), deadline_of(p->wake_at_ms));
}

static mqc_time engine_deadline(const iothub_client *c)
{
    mqc_time when;
    return mqc_next_deadline(c->context.engine, &when) ? when : IOTHUB_NEVER;
}

static int timeout_of(mqc_time deadline, mqc_time now)
{
    if (deadline <= now) {
        return 0;
    }
    if (deadline == IOTHUB_NEVER) {
        return -1;
    }
    return deadline - now < INT32_MAX ? (int)(deadline - now) : INT32_MAX;
}

mqc_time loop_poll(iothub_client *c, plat_poll *polls, int *timeout_ms)
{
    const mqc_time now = context_now(&c->context);

    loop_no_polls(polls);
    const mqc_time times[] = {
        poll_channel(c, polls),
        poll_spare(c, polls),
        session_deadline(&c->session),
        engine_deadline(c),
        twin_deadline(&c->twin),
        telemetry_deadline(&c->telemetry, wish_is_stop(&c->session.wish)),
        certificate_deadline(&c->context),
        wake_latest(&c->wake, &c->context, now),
    };
    mqc_time deadline = deadline_earliest(times, sizeof times / sizeof times[0]);
    bool at_once = c->context.poked || polls[0].ready_now || polls[1].ready_now;
    *timeout_ms = at_once ? 0 : timeout_of(deadline, now);
    return deadline;
}
