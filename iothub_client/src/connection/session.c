#include <string.h>

#include "context/callbacks.h"
#include "internal.h"

enum {
    PATIENCE_MS = 10000 /* for open methods, when no token comes to its end */
};

/* --- entering a state ------------------------------------------------------- */

/* Back to a state in which nothing of a connection is left. */
static void drop(iothub_client *c)
{
    if (c->stream != NULL) {
        c->stream->ops->close(c->stream);
    }
    mqc_reset(c->context.engine);
    (void)mqc_discard(c->context.engine, IOTHUB_LANE_METHOD); /* nobody waits for these any more */
    mqc_hold(c->context.engine, IOTHUB_LANE_TWIN, true);
    mqc_hold(c->context.engine, IOTHUB_LANE_TELEMETRY, false);
    methods_on_lost(c);
    context_end_connection(&c->context);
    c->session.deferred = 0;
    c->session.unsubscribed = 0;
    c->want_write = false;
    c->rx_full = false;
}

static void dial(iothub_client *c)
{
    iothub_error error;

    c->session.clock_s = wall_clock_offset_s(context_clock(&c->context));
    if (channel_open(c, &c->stream, &c->stream_memory[0], &error) != IOTHUB_OK) {
        session_feed(c, LIFE_LOST, error.code, error.text);
    }
}

static void log_in(iothub_client *c)
{
    mqc_connect_options o;
    iothub_error error;

    if (credential_connect(c, &o, &error) != IOTHUB_OK) {
        session_feed(c, LIFE_LOST, error.code, error.text);
        return;
    }
    c->session.token_replaced = false;
    o.reports_flow = c->stream->ops->flow != NULL;
    c->session.login_at = context_now(&c->context);
    c->session.clock_s = wall_clock_offset_s(context_clock(&c->context));
    mqc_result r = mqc_connect(c->context.engine, &o, context_now(&c->context));
    if (r != MQC_OK) {
        session_feed(c, LIFE_LOST, iothub_from_mqc(r), "CONNECT does not fit its buffer");
    }
}

/* After 80 % of the token's life, which may be a second shorter than asked for: the clock that
 * dates it knows no parts of a second. */
static uint64_t renew_after_ms(const iothub_client *c)
{
    uint64_t life_s = c->context.options.sas_lifetime_s;
    uint64_t latest_ms = life_s * 1000 - 1200;

    return life_s * 800 < latest_ms ? life_s * 800 : latest_ms;
}

static void connected(iothub_client *c)
{
    iothub_session *s = &c->session;

    c->session.counts.connects++;
    if (s->connected_at == 0) { /* a planned change does not count as an end */
        s->connected_at = context_now(&c->context);
    }
    back_off_accepted(c);
    if (c->context.identity.key.len > 0) { /* a given token cannot be renewed */
        s->deadline = s->login_at + renew_after_ms(c);
    }
    twin_on_connected(c);
    if (s->token_replaced) { /* while this connection logged in with the old one */
        session_hurry(c);
    }
}

/* The new connection takes telemetry. */
static void logged_in(iothub_client *c, mqc_time now)
{
    if (!c->session.planned) {
        return;
    }
    uint64_t gap_ms = now - c->session.left_at;

    c->session.planned = false;
    c->session.counts.token_renewals++;
    c->session.counts.renewal_gap_last_ms = gap_ms;
    c->session.counts.renewal_gap_sum_ms += gap_ms;
    if (gap_ms > c->session.counts.renewal_gap_longest_ms) {
        c->session.counts.renewal_gap_longest_ms = gap_ms;
    }
}

static void let_go(iothub_client *c, mqc_time now)
{
    c->session.planned = true;
    c->session.left_at = now;
    mqc_hold(c->context.engine, IOTHUB_LANE_TELEMETRY, true);
}

/* End every request that is still open; only without a connection. */
static void cancel_all(iothub_client *c)
{
    for (unsigned lane = 0; lane < IOTHUB_LANES; lane++) {
        (void)mqc_discard(c->context.engine, (uint8_t)lane);
    }
    /* The stop is granted: what comes from now on waits for the next start. */
    c->wish.kind = c->wish.kind == IOTHUB_WISH_STOP_START ? IOTHUB_WISH_START : IOTHUB_WISH_NONE;
    context_poke(&c->context);
}

static void subscribe(iothub_client *c)
{
    mqc_result r = subscribe_start(c);

    if (r != MQC_OK) {
        session_feed(c, LIFE_LOST, iothub_from_mqc(r), "SUBSCRIBE does not fit the buffers");
    }
}

/* What the new state does first.  May feed the next input, so it comes last. */
static void act(iothub_client *c, mqc_time now, bool adopted)
{
    switch (c->context.state) {
    case IOTHUB_RESOLVING:
        if (!adopted) {
            dial(c);
        }
        break;
    case IOTHUB_LOGGING_IN: log_in(c); break;
    case IOTHUB_SUBSCRIBING:
        logged_in(c, now);
        subscribe(c);
        break;
    case IOTHUB_CONNECTED: connected(c); break;
    case IOTHUB_RENEWING: let_go(c, now); break;
    case IOTHUB_STOPPING: (void)mqc_disconnect(c->context.engine); break;
    case IOTHUB_STOPPED: cancel_all(c); break;
    case IOTHUB_CONNECTING:
    case IOTHUB_SECURING:
    case IOTHUB_WAITING: break;
    }
}

static void count_end(iothub_client *c, iothub_state was, iothub_state next)
{
    c->session.counts.losses +=
        was == IOTHUB_CONNECTED && next != IOTHUB_RENEWING && next != IOTHUB_STOPPING;
    c->session.counts.failed_attempts += next == IOTHUB_WAITING && was != IOTHUB_CONNECTED;
}

/* The end of a connection is the beginning of the next attempt: the time it lasted is not
 * spent on that, and if it was long, older failures are another story. */
static void leave_connected(iothub_client *c, mqc_time now)
{
    c->session.attempt_began = now;
    back_off_forget(c);
}

/* A connection begins: a new one, or the one that was opened beside the old. */
static void begin_attempt(iothub_client *c, mqc_time now, bool adopt)
{
    c->session.attempt_began = now;
    if (adopt) {
        renewal_adopt(c);
    }
}

static void tell(iothub_client *c, iothub_result reason, const char *text, uint32_t retry_in_ms)
{
    const iothub_status s = {
        .state = c->context.state,
        .reason = reason,
        .text = text,
        .retry_in_ms = retry_in_ms,
        .attempt = c->back_off.failures,
    };

    callback_status(&c->context, &s);
}

/* The only writer of c->context.state. */
void session_feed(iothub_client *c, life_input in, iothub_result reason, const char *text)
{
    iothub_session *s = &c->session;
    iothub_state was = c->context.state;
    iothub_state next = life_next(was, in, c->renewal.spare);
    bool leaves = was == IOTHUB_CONNECTED || was == IOTHUB_RENEWING;
    bool adopt = leaves && next == c->renewal.spare && life_is_opening(next);
    mqc_time now = context_now(&c->context);
    uint32_t wait_ms = life_budget_ms(&c->context.options, next, c->renewal.urgent);

    if (next == was) {
        return;
    }
    count_end(c, was, next);
    if (was == IOTHUB_CONNECTED) {
        leave_connected(c, now);
    }
    if (next == IOTHUB_WAITING) {
        wait_ms = back_off_ms(c, reason, text);
        s->connected_at = 0;
        if (wait_ms == IOTHUB_RETRY_STOP) {
            wait_ms = 0;
            next = life_next(was, LIFE_GIVE_UP, IOTHUB_STOPPED);
        }
    }
    s->planned = s->planned && next != IOTHUB_WAITING && next != IOTHUB_STOPPED;
    if (adopt || next == IOTHUB_RESOLVING || next == IOTHUB_WAITING || next == IOTHUB_STOPPED) {
        drop(c);
    }
    if (adopt || next == IOTHUB_RESOLVING) {
        begin_attempt(c, now, adopt);
    }
    if (next != IOTHUB_CONNECTED && next != IOTHUB_RENEWING) {
        renewal_cancel(c);
    }
    context_set_state(&c->context, next);
    if (next >= IOTHUB_SECURING && next <= IOTHUB_SUBSCRIBING) {
        wait_ms = stage_begin_ms(c, c->stream, next, &s->pace);
    }
    s->deadline = wait_ms > 0 ? now + wait_ms : 0;
    context_poke(&c->context);
    tell(c, reason, text, next == IOTHUB_WAITING ? wait_ms : 0);
    act(c, now, adopt);
}

/* --- what the rest of the client reports -------------------------------------- */

void session_opened(iothub_client *c, plat_result r, plat_stage stage)
{
    if (stage > PLAT_STAGE_RESOLVE && c->context.state == IOTHUB_RESOLVING) {
        session_feed(c, LIFE_RESOLVED, IOTHUB_OK, "host name found");
    }
    if (stage > PLAT_STAGE_CONNECT && c->context.state == IOTHUB_CONNECTING) {
        session_feed(c, LIFE_REACHED, IOTHUB_OK, "TCP connected");
    }
    if (r == PLAT_OK) {
        c->session.counts.tls_resumptions += c->stream->ops->resumed(c->stream);
        session_feed(c, LIFE_STREAM_UP, IOTHUB_OK, "TLS established");
    } else if (r != PLAT_WOULD_BLOCK) {
        session_stream_failed(c, r);
    }
}

/* The connection in use has ended.  While it was being left that is no news. */
static void lose(iothub_client *c, const iothub_error *why)
{
    iothub_error error = *why;

    if (c->context.state == IOTHUB_RENEWING) {
        session_feed(c, LIFE_LOST, IOTHUB_OK, "the old connection has ended");
        return;
    }
    if (c->context.state == IOTHUB_CONNECTED && life_is_opening(c->renewal.spare)) {
        (void)iothub_fail(&error, why->code, "%s; going on with the new connection", why->text);
    }
    session_feed(c, LIFE_LOST, error.code, error.text);
}

void session_stream_failed(iothub_client *c, plat_result r)
{
    iothub_error error; /* closing the stream may take its text away */

    (void)channel_why(c->stream, r, &error);
    if (r == PLAT_EOF && back_off_evicted(c)) {
        (void)iothub_fail(&error, IOTHUB_ERR_NETWORK,
                          "the hub closed the connection soon after login, again: does another "
                          "client use this identity, or does the hub refuse a message?");
    }
    lose(c, &error);
}

/* PUBACK, SUBACK, UNSUBACK: the answers that the engine limits by ack_timeout_ms. */
static bool is_acknowledgement(const char *packet)
{
    size_t len = strlen(packet);
    return len > 3 && packet[0] != 'C' && strcmp(packet + len - 3, "ACK") == 0;
}

static void stalled(iothub_client *c)
{
    iothub_error error;

    c->session.counts.read_stalls++;
    (void)iothub_fail(&error, iothub_from_mqc(MQC_ERR_STALLED),
                      c->session.deferred > 0
                          ? "reading stood still too long: deferred messages were not accepted"
                          : "reading stood still too long: acknowledgements could not be sent");
    lose(c, &error);
}

void session_engine_failed(iothub_client *c, mqc_result r)
{
    const char *packet = mqc_error_packet(c->context.engine);
    const char *joint = r == MQC_ERR_TIMEOUT ? " waiting for " : " in ";
    iothub_error error;

    if (r == MQC_ERR_STALLED) {
        stalled(c);
        return;
    }
    c->session.counts.ack_timeouts += r == MQC_ERR_TIMEOUT && is_acknowledgement(packet);
    iothub_fail(&error, iothub_from_mqc(r), "MQTT: %s%s%s", mqc_result_str(r),
                packet[0] != '\0' ? joint : "", packet);
    lose(c, &error);
}

void session_refused(iothub_client *c, uint8_t return_code)
{
    static const struct {
        iothub_result reason;
        const char *text;
    } codes[] = {
        /* MQTT 3.1.1 table 3.1 */
        [0] = { IOTHUB_ERR_PROTOCOL, "CONNACK with an unknown code" },
        [1] = { IOTHUB_ERR_PROTOCOL, "CONNACK 1: the hub does not speak MQTT 3.1.1" },
        [2] = { IOTHUB_ERR_AUTH, "CONNACK 2: the hub refused the client id (device id)" },
        [3] = { IOTHUB_ERR_UNAVAILABLE, "CONNACK 3: the hub is unavailable" },
        [4] = { IOTHUB_ERR_AUTH, "CONNACK 4: the hub refused the user name or token" },
        [5] = { IOTHUB_ERR_AUTH, "CONNACK 5: not authorized: key, token, clock or device id" },
    };
    size_t code = return_code < sizeof codes / sizeof codes[0] ? return_code : 0;

    session_feed(c, LIFE_LOST, codes[code].reason, codes[code].text);
}

void session_subscribed(iothub_client *c, uint16_t packet_id, mqc_span return_codes)
{
    iothub_error error;

    switch (subscribe_on_suback(c, packet_id, return_codes, &error)) {
    case SUBSCRIBE_IGNORED: break;
    case SUBSCRIBE_REFUSED: session_feed(c, LIFE_LOST, error.code, error.text); break;
    case SUBSCRIBE_DONE: session_feed(c, LIFE_SUBACK, IOTHUB_OK, "connected"); break;
    }
}

void session_hurry(iothub_client *c)
{
    c->session.deadline = context_now(&c->context);
    context_poke(&c->context);
}

void session_new_token(iothub_client *c)
{
    c->session.token_replaced = true;
    context_poke(&c->context); /* its notice may come earlier than anything waited for */
    if (c->context.state == IOTHUB_CONNECTED || c->context.state == IOTHUB_WAITING) {
        session_hurry(c);
    }
}

/* --- what the application asks for, granted by the next turn ---------------------- */

iothub_result session_start(iothub_client *c)
{
    switch (c->wish.kind) {
    case IOTHUB_WISH_NONE:
        if (c->context.state != IOTHUB_STOPPED) {
            return context_refuse(&c->context, IOTHUB_ERR_STATE,
                                  "iothub_start: already started; once is enough");
        }
        c->wish.kind = IOTHUB_WISH_START;
        break;
    case IOTHUB_WISH_STOP: c->wish.kind = IOTHUB_WISH_STOP_START; break;
    case IOTHUB_WISH_START_STOP: c->wish.kind = IOTHUB_WISH_START; break;
    case IOTHUB_WISH_START:
    case IOTHUB_WISH_STOP_START:
        return context_refuse(&c->context, IOTHUB_ERR_STATE,
                              "iothub_start: already started; the next iothub_process begins");
    }
    context_poke(&c->context);
    return IOTHUB_OK;
}

void session_stop(iothub_client *c, uint32_t grace_ms)
{
    bool starting = c->wish.kind == IOTHUB_WISH_START || c->wish.kind == IOTHUB_WISH_START_STOP;

    c->wish.kind = starting ? IOTHUB_WISH_START_STOP : IOTHUB_WISH_STOP;
    c->wish.stop_at = context_now(&c->context) + grace_ms;
    context_poke(&c->context);
}

iothub_result session_reconnect_now(iothub_client *c)
{
    if (c->context.state == IOTHUB_WAITING) {
        session_hurry(c);
    } else if (c->context.state == IOTHUB_CONNECTED) {
        renewal_hurry(c);
    } else {
        return context_refuse(
            &c->context, IOTHUB_ERR_STATE,
            "iothub_reconnect_now: neither connected nor waiting for the next attempt");
    }
    return IOTHUB_OK;
}

iothub_result session_set_token(iothub_client *c, const char *shared_access_signature)
{
    if (c->context.identity.key.len > 0) {
        return context_refuse(
            &c->context, IOTHUB_ERR_STATE,
            "iothub_set_token: the client makes its tokens from its key, and needs none");
    }
    if (shared_access_signature == NULL) {
        return context_refuse(&c->context, IOTHUB_ERR_ARG,
                              "iothub_set_token: SharedAccessSignature is NULL");
    }
    iothub_result r =
        credential_take_token(c, mqc_span_str(shared_access_signature), context_error(&c->context));
    if (r == IOTHUB_OK) {
        session_new_token(c);
    }
    return r;
}

/* --- time ------------------------------------------------------------------- */

/* How long work on the old connection may postpone a renewal: to 90 % of the token's life, if
 * that is known. */
static uint64_t patience_ms(const iothub_client *c)
{
    bool known = c->context.identity.key.len > 0 &&
                 !wall_clock_moved(context_clock(&c->context), c->session.clock_s);

    return known ? (uint64_t)c->context.options.sas_lifetime_s * 100 : PATIENCE_MS;
}

static void on_deadline(iothub_client *c)
{
    iothub_session *own = &c->session;
    iothub_state s = c->context.state;
    uint32_t more_ms = stage_more_ms(c, c->stream, s, own->attempt_began, &own->pace);

    own->deadline = more_ms > 0 ? context_now(&c->context) + more_ms : 0;
    if (more_ms > 0) {
        return;
    }
    if (s == IOTHUB_CONNECTED) {
        renewal_begin(c, patience_ms(c));
    } else if (s < IOTHUB_CONNECTED) {
        session_feed(c, LIFE_DEADLINE, IOTHUB_ERR_TIMEOUT, life_late_text(s));
    } else {
        session_feed(c, LIFE_DEADLINE, IOTHUB_OK,
                     s == IOTHUB_STOPPING ? "stopped" : "trying again");
    }
}

/* Requests of the application that have not ended. */
static bool work_left(const iothub_client *c)
{
    size_t own = c->twin.pending ? 1 : 0;
    /* What is in a store can wait for the next start. */
    bool telemetry =
        c->context.options.store == NULL || mqc_get_state(c->context.engine) == MQC_CONNECTED;

    return (telemetry && mqc_lane(c->context.engine, IOTHUB_LANE_TELEMETRY).count > 0) ||
           mqc_lane(c->context.engine, IOTHUB_LANE_METHOD).count > 0 ||
           mqc_lane(c->context.engine, IOTHUB_LANE_TWIN).count > own;
}

static void grant_wishes(iothub_client *c, mqc_time now)
{
    iothub_wish *wish = &c->wish;

    if (wish->kind == IOTHUB_WISH_START || wish->kind == IOTHUB_WISH_START_STOP) {
        wish->kind = wish->kind == IOTHUB_WISH_START ? IOTHUB_WISH_NONE : IOTHUB_WISH_STOP;
        back_off_reset(c);
        c->session.connected_at = 0;
        session_feed(c, LIFE_START, IOTHUB_OK, "starting");
    }
    if (!wish_is_stop(&c->wish)) {
        return;
    }
    if (c->context.state == IOTHUB_STOPPED) { /* before any start */
        cancel_all(c);
    } else if (now >= wish->stop_at || !work_left(c)) {
        session_feed(c, LIFE_STOP, IOTHUB_OK, "stopping");
    }
}

/* On purpose or for a new token: DISCONNECT once nothing is in flight, close once it has left. */
static void leave(iothub_client *c)
{
    if (c->context.state != IOTHUB_RENEWING && c->context.state != IOTHUB_STOPPING) {
        return;
    }
    if (mqc_get_state(c->context.engine) == MQC_CONNECTED) {
        if (mqc_lane(c->context.engine, IOTHUB_LANE_TELEMETRY).in_flight > 0 ||
            mqc_lane(c->context.engine, IOTHUB_LANE_METHOD).count > 0 ||
            (c->context.state == IOTHUB_RENEWING && methods_open(c))) {
            return;
        }
        (void)mqc_disconnect(c->context.engine);
        context_poke(&c->context);
    }
    if (!mqc_tx_ready(c->context.engine)) {
        session_feed(c, LIFE_LEFT, IOTHUB_OK,
                     c->context.state == IOTHUB_STOPPING ? "stopped" : "reconnecting");
    }
}

bool session_is_leaving(const iothub_client *c)
{
    return wish_is_stop(&c->wish) || c->context.state == IOTHUB_STOPPING;
}

/* Another time of day may end a wait, or call for a new token. */
static void look_at_clock(iothub_client *c, mqc_time now)
{
    if (!back_off_look(c, now)) {
        return;
    }
    if (c->context.state == IOTHUB_WAITING) {
        session_hurry(c);
        return;
    }
    /* The token in use may end at any time; but a clock that flaps is no reason for a storm. */
    mqc_time earliest = c->session.login_at + c->context.options.retry_max_ms;
    mqc_time when = now < earliest ? earliest : now;
    if (when < c->session.deadline) {
        c->session.deadline = when;
        callback_log_text(&c->context, IOTHUB_LOG_WARNING, "session",
                          "the wall clock was set: a new token");
    }
}

void session_look(iothub_client *c, mqc_time now)
{
    grant_wishes(c, now);
    look_at_clock(c, now);
    if (c->session.deadline != 0 && now >= c->session.deadline) {
        on_deadline(c);
    }
    if (renewal_on_time(c, now)) {
        session_feed(c, LIFE_RENEW, IOTHUB_OK, "changing to a new connection");
    }
    leave(c);
}

bool session_next_deadline(const iothub_client *c, mqc_time *when)
{
    mqc_time deadline = c->session.deadline;

    if (wish_is_stop(&c->wish) && c->context.state != IOTHUB_STOPPING &&
        (deadline == 0 || c->wish.stop_at < deadline)) {
        deadline = c->wish.stop_at;
    }
    mqc_time look = back_off_next_look(c);
    if (look != 0 && (deadline == 0 || look < deadline)) {
        deadline = look;
    }
    *when = deadline;
    return deadline != 0;
}
