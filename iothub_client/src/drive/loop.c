#include "drive/loop.h"
#include "platform/poll_set.h"

#include "drive/events.h"
#include "drive/wake.h"
#include "internal.h"
#include "telemetry/backlog.h"

_Static_assert(IOTHUB_POLL_FDS == PLAT_POLL_SET_FDS, "plat_poll_set_update takes iothub_poll.fds");

/* A peer that floods us, or an application that queues from every callback, must not keep
 * iothub_process from returning. */
enum { ROUNDS_MAX = 64 };

enum { UNREAD_TURNS_MAX = 16 };

/* Acknowledgements, given or sent, may have made room. */
static void look_for_room(iothub_client *c)
{
    size_t cap;

    (void)mqc_rx_space(c->context.engine, &cap);
    c->rx_full = cap == 0;
}

void loop_take_events(iothub_client *c)
{
    mqc_event ev;

    while (mqc_next_event(c->context.engine, &ev)) {
        event_take(c, &ev);
    }
    if (c->rx_full) {
        look_for_room(c);
    }
    mqc_result r = mqc_error(c->context.engine);
    if (r != MQC_OK && life_has_stream(c->context.state)) {
        session_engine_failed(c, r);
    }
}

/* --- bytes ---------------------------------------------------------------------- */

static plat_result read_stream(iothub_client *c, uint8_t *at, size_t cap, size_t *got)
{
    bool opened = context_open_lock(&c->context);
    plat_result r = c->stream->ops->recv(c->stream, at, cap, got);
    context_close_lock(&c->context, opened);
    return r;
}

static plat_result write_stream(iothub_client *c, const uint8_t *data, size_t len, size_t *sent)
{
    bool opened = context_open_lock(&c->context);
    plat_result r = c->stream->ops->send(c->stream, data, len, sent);
    context_close_lock(&c->context, opened);
    return r;
}

/* One read.  True when there is probably more. */
static bool receive(iothub_client *c, mqc_time now)
{
    size_t cap;
    size_t got = 0;
    uint8_t *at = mqc_rx_space(c->context.engine, &cap);

    c->rx_full = cap == 0;
    if (cap == 0) {
        return false;
    }
    plat_result r = read_stream(c, at, cap, &got);
    c->traffic.recv_calls++;
    if (r == PLAT_WOULD_BLOCK) {
        return false;
    }
    if (r != PLAT_OK) {
        session_stream_failed(c, r);
        return false;
    }
    c->traffic.bytes_received += got;
    (void)mqc_rx_commit(c->context.engine, got,
                        now); /* an error is latched; loop_take_events sees it */
    return got == cap;
}

/*
 * One call makes one TLS record at most, of which the hub sees nothing before all of it has
 * arrived. So that it does not take us for dead meanwhile, no record is longer than what a link of
 * 50 bytes/s carries in 1.5 x keep-alive.  With the default keep-alive that is no limit.
 */
enum { LEAST_PORTION = 1024 };

static size_t portion(const iothub_client *c, size_t len)
{
    size_t most = c->context.options.keep_alive_s * (size_t)75;

    most = most > LEAST_PORTION ? most : LEAST_PORTION;
    return len < most ? len : most;
}

/* One write.  True when some bytes left. */
static bool transmit(iothub_client *c, mqc_time now)
{
    size_t len;
    size_t sent = 0;

    backlog_feed(c, now);
    const uint8_t *data = mqc_tx_data(c->context.engine, &len);

    c->want_write = false;
    if (len == 0) {
        return false;
    }
    plat_result r = write_stream(c, data, portion(c, len), &sent);
    c->traffic.send_calls++;
    if (r == PLAT_WOULD_BLOCK) {
        c->want_write = true;
        return false;
    }
    if (r != PLAT_OK) {
        session_stream_failed(c, r);
        return false;
    }
    c->traffic.bytes_sent += sent;
    mqc_tx_consume(c->context.engine, sent, now);
    return true;
}

static bool awaits_answers(const iothub_client *c)
{
    size_t in_flight = 0;

    for (unsigned lane = 0; lane < IOTHUB_LANES; lane++) {
        in_flight += mqc_lane(c->context.engine, (uint8_t)lane).in_flight;
    }
    return in_flight > 0;
}

/* The engine cannot see what the layers below do with its bytes. */
static void report_flow(iothub_client *c, mqc_time now)
{
    plat_flow f;

    if (!mqc_wants_flow(c->context.engine, now) || !life_has_stream(c->context.state)) {
        return;
    }
    c->stream->ops->flow(c->stream, &f);
    const mqc_flow flow = { f.received, f.delivered, f.pending, f.awaited };
    mqc_report_flow(c->context.engine, &flow, now);
}

/*
 * What a request has queued leaves before anything is read: mostly there is nothing to read yet.
 * Not twice in a row when an answer is expected, and not too often otherwise, or an application
 * that always has something to send would never hear.
 */
static bool reads_first(iothub_client *c, bool asked)
{
    bool reads = !asked || c->rx_full || c->unread_turns == UNREAD_TURNS_MAX ||
                 (c->unread_turns > 0 && awaits_answers(c));

    c->unread_turns = reads ? 0 : (uint8_t)(c->unread_turns + 1);
    return reads;
}

/* Read what there is.  True: probably not all of it. */
static bool read_all(iothub_client *c, mqc_time now)
{
    bool more = true;

    if (c->rx_full) {
        loop_take_events(c);
    }
    for (int round = 0; more && round < ROUNDS_MAX; round++) {
        more = life_has_stream(c->context.state) && receive(c, now);
        loop_take_events(c);
    }
    return more;
}

/* Write what there is, and what the events that follow make.  taken: there are no others.  False:
 * nothing has left. */
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

    if (more || (!reads && !sent)) { /* there is something, or nothing else to do */
        c->unread_turns = UNREAD_TURNS_MAX;
    }
    if (more) {
        context_poke(&c->context);
    }
}

static void open_stream(iothub_client *c, mqc_time now)
{
    plat_stage stage = PLAT_STAGE_RESOLVE;

    if (c->context.state >= IOTHUB_RESOLVING && c->context.state <= IOTHUB_SECURING) {
        plat_result r = channel_progress(c, c->stream, now, &stage);
        session_opened(c, r, stage);
    }
    if (life_is_opening(c->renewal.spare)) {
        renewal_progress(c, now);
    }
}

/* --- driving ------------------------------------------------------------------------ */

void loop_turn(iothub_client *c)
{
    mqc_time now = context_now(&c->context);
    bool asked = context_begin_turn(&c->context);

    session_on_time(c, now);
    if (c->context.identity.key.len == 0) { /* a ready-made token, which runs out */
        credential_on_time(c, now);
    }
    twin_on_time(c, now);
    backlog_on_time(c, now);
    report_flow(c, now);
    (void)mqc_tick(c->context.engine, now); /* an error is latched */
    open_stream(c, now);
    pump(c, now, asked);
    if (session_is_changing(c)) { /* what the events made possible: DISCONNECT, the end of a stop */
        session_on_time(c, now);
        loop_take_events(c);
        if (wake_may_send(c)) {
            context_poke(&c->context);
        }
    }
    context_end_turn(&c->context);
}

static void earlier(mqc_time *deadline, mqc_time candidate)
{
    if (candidate != 0 && (*deadline == 0 || candidate < *deadline)) {
        *deadline = candidate;
    }
}

void loop_no_polls(plat_poll *polls)
{
    for (size_t i = 0; i < IOTHUB_POLL_FDS; i++) {
        polls[i] = (plat_poll){ .fd = -1 };
    }
}

/* Also of one that is closed: who watches its descriptor hears that it is gone. */
static mqc_time poll_spare(iothub_client *c, plat_poll *p)
{
    if (c->spare == NULL) {
        return 0;
    }
    c->spare->ops->poll(c->spare, false, 1, p);
    return life_is_opening(c->renewal.spare) ? p->wake_at_ms : 0;
}

static mqc_time poll_stream(iothub_client *c, plat_poll *p)
{
    iothub_state s = c->context.state;
    bool open = s >= IOTHUB_RESOLVING && s <= IOTHUB_STOPPING;
    mqc_time deadline = 0;

    if (c->stream == NULL) {
        return 0;
    }
    size_t least = open ? mqc_rx_least(c->context.engine, &deadline) : 1;
    c->stream->ops->poll(c->stream, open && (c->want_write || c->context.poked), least, p);
    p->want_read = p->want_read && !c->rx_full;
    p->ready_now = p->ready_now && !c->rx_full;
    earlier(&deadline, p->wake_at_ms);
    return deadline;
}

mqc_time loop_poll(iothub_client *c, plat_poll *polls, int *timeout_ms)
{
    mqc_time when;

    loop_no_polls(polls);
    mqc_time deadline = poll_stream(c, &polls[c->swapped ? 1 : 0]);
    earlier(&deadline, poll_spare(c, &polls[c->swapped ? 0 : 1]));
    earlier(&deadline, renewal_next_deadline(c));
    if (session_next_deadline(c, &when)) {
        earlier(&deadline, when);
    }
    if (mqc_next_deadline(c->context.engine, &when)) {
        earlier(&deadline, when > 0 ? when : 1); /* 0 means at once there, never here */
    }
    earlier(&deadline, twin_next_deadline(c));
    earlier(&deadline, backlog_next_deadline(c));
    earlier(&deadline, c->session.token_notice_at);

    mqc_time now = context_now(&c->context);
    earlier(&deadline, wake_latest(c, now));
    if (c->context.poked || polls[0].ready_now || polls[1].ready_now ||
        (deadline != 0 && deadline <= now)) {
        *timeout_ms = 0;
    } else if (deadline == 0) {
        *timeout_ms = -1;
    } else {
        *timeout_ms = deadline - now < INT32_MAX ? (int)(deadline - now) : INT32_MAX;
    }
    return deadline;
}
