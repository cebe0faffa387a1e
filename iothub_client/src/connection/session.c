#include "connection/session.h"

#include "connection/home.h"
#include "connection/loss.h"
#include "context/callbacks.h"
#include "context/result_map.h"

void session_init(iothub_session *s, iothub_context *context)
{
    s->context = context;
    changeover_init(&s->changeover, context);
    credential_init(&s->credential, context);
    subscribe_init(&s->subscribe, context);
    back_off_reset(&s->back_off, context_now(context));
}

void session_deinit(iothub_session *s)
{
    changeover_deinit(&s->changeover);
}

/* --- the change of the connection ------------------------------------------------------------ */

/* Resets everything that belongs to the ended connection. */
static void close_connection(iothub_session *s)
{
    mqc_engine *engine = s->context->engine;

    channel_close(session_channel(s));
    mqc_reset(engine);
    /* Discarded, because their answers are no longer expected. */
    (void)mqc_discard(engine, IOTHUB_LANE_METHOD);
    mqc_hold(engine, IOTHUB_LANE_TWIN, true);
    mqc_hold(engine, IOTHUB_LANE_TELEMETRY, false);
    context_end_connection(s->context);
}

/* Ends every open request. Call it only when there is no connection. */
static void cancel_requests(iothub_session *s)
{
    for (unsigned lane = 0; lane < IOTHUB_LANES; lane++) {
        (void)mqc_discard(s->context->engine, (uint8_t)lane);
    }
    wish_on_stopped(&s->wish);
}

/* --- what a new state does first ------------------------------------------------------------- */

/* This function and those after it return false if the connection is lost. */

static bool log_in(iothub_session *s, mqc_time now, iothub_error *why)
{
    plat_flow f;
    bool reports_flow = channel_flow(session_channel(s), &f);

    changeover_on_login(&s->changeover, now);
    return credential_log_in(&s->credential, reports_flow, now, why) == IOTHUB_OK;
}

static bool subscribe(iothub_session *s, mqc_time now, iothub_error *why)
{
    gap_end(&s->gap, now); /* from now on this connection accepts telemetry */
    return subscribe_start(&s->subscribe, why) == IOTHUB_OK;
}

/* Sets the deadline of the current state to now. */
void session_hurry(iothub_session *s)
{
    channel_set_deadline(session_channel(s), context_now(s->context));
    context_poke(s->context);
}

static void begin_connected(iothub_session *s, mqc_time now)
{
    s->counts.connects++;
    s->counts.websocket_connects += channel_is_websocket(session_channel(s)) ? 1 : 0;
    back_off_connected(&s->back_off, now);
    home_on_connected(s->context);
    if (changeover_plan(&s->changeover, &s->credential) ||
        credential_is_second_best(&s->credential)) {
        back_off_watch_clock(&s->back_off, BACK_OFF_LOOK_MS, now);
    }
    if (credential_is_outdated(&s->credential)) { /* it was replaced while this connection logged in
                                                     with the old one */
        session_hurry(s);
    }
}

static void begin_search(iothub_session *s)
{
    changeover_note_clock(&s->changeover);
    s->context->home->ops->begin(s->context->home);
}

/* Begins the current state. adopted means that a channel is already open, or being opened. */
static bool begin_state(iothub_session *s, mqc_time now, bool adopted, iothub_error *why)
{
    switch (s->context->state) {
    case IOTHUB_PROVISIONING: begin_search(s); break;
    case IOTHUB_RESOLVING:
        if (adopted) {
            break;
        }
        changeover_note_clock(&s->changeover);
        return attempt_open(session_channel(s), &s->credential, why) == IOTHUB_OK;
    case IOTHUB_LOGGING_IN: return log_in(s, now, why);
    case IOTHUB_SUBSCRIBING: return subscribe(s, now, why);
    case IOTHUB_CONNECTED: begin_connected(s, now); break;
    case IOTHUB_RENEWING:
        gap_begin(&s->gap, now);
        mqc_hold(s->context->engine, IOTHUB_LANE_TELEMETRY, true);
        break;
    case IOTHUB_STOPPING: (void)mqc_disconnect(s->context->engine); break;
    case IOTHUB_STOPPED: cancel_requests(s); break;
    case IOTHUB_CONNECTING:
    case IOTHUB_SECURING:
    case IOTHUB_WAITING: break;
    }
    return true;
}

/* --- the transition -------------------------------------------------------------------------- */

static void count_end(iothub_session *s, iothub_state was, iothub_state next)
{
    if (was == IOTHUB_CONNECTED && next != IOTHUB_RENEWING && next != IOTHUB_STOPPING) {
        s->counts.losses++;
    }
    if (was != IOTHUB_CONNECTED && next == IOTHUB_WAITING) {
        s->counts.failed_attempts++;
    }
    if (was == IOTHUB_LOGGING_IN && next == IOTHUB_WAITING) {
        /* Something between the device and the hub may let this transport through only half. */
        context_prefer_websocket(s->context, !s->context->prefers_websocket);
    }
}

static void set_deadline(iothub_session *s, iothub_state state, uint32_t wait_ms, mqc_time now)
{
    if (state == IOTHUB_LOGGING_IN || state == IOTHUB_SUBSCRIBING) {
        channel_begin_stage(session_channel(s), state, now);
    } else if (state > IOTHUB_SUBSCRIBING || state == IOTHUB_STOPPED) {
        channel_set_deadline(session_channel(s), wait_ms > 0 ? now + wait_ms : IOTHUB_NEVER);
    } /* in the other states, the channel itself sets the deadline */
}

static void tell(iothub_session *s, iothub_result reason, const char *text, uint32_t retry_in_ms)
{
    const iothub_status status = {
        .state = s->context->state,
        .reason = reason,
        .text = text,
        .retry_in_ms = retry_in_ms,
        .attempt = s->back_off.failures,
        .credential = credential_in_use(&s->credential)->kind,
        .credential_index = credential_index(&s->credential),
    };

    callback_status(s->context, &status);
}

/* Enters the state `next`. adopt means that the connection continues with the spare. Returns
 * false if the new state could not be begun. */
static bool enter(iothub_session *s, iothub_state next, bool adopt, uint32_t wait_ms,
                  iothub_error *why)
{
    const mqc_time now = context_now(s->context);
    const bool at_rest = next == IOTHUB_WAITING || next == IOTHUB_STOPPED;
    const bool begins = next == IOTHUB_RESOLVING || next == IOTHUB_PROVISIONING;

    if (at_rest) {
        gap_cancel(&s->gap);
        home_cancel(s->context);
    }
    if (adopt || at_rest || begins) {
        close_connection(s);
    }
    if (adopt || begins) {
        back_off_begin(&s->back_off, now);
    }
    if (adopt) {
        changeover_adopt(&s->changeover, now);
    }
    if (next != IOTHUB_CONNECTED && next != IOTHUB_RENEWING) {
        changeover_cancel(&s->changeover);
    }
    if (next != IOTHUB_WAITING) {
        back_off_watch_clock(&s->back_off, 0, now);
    }
    context_set_state(s->context, next);
    set_deadline(s, next, wait_ms, now);
    context_poke(s->context);
    return begin_state(s, now, adopt, why);
}

/* Changes the state; no other function calls life_next. The new state is reported to the
 * application when the transition is complete. */
static bool step(iothub_session *s, life_input in, iothub_result reason, const char *text,
                 iothub_error *why)
{
    const iothub_options *o = &s->context->options;
    const iothub_state was = s->context->state;
    const iothub_state spare = changeover_spare_state(&s->changeover, &s->credential);
    const mqc_time now = context_now(s->context);
    iothub_state next = life_next(was, in, spare);
    if (next == IOTHUB_RESOLVING && (was == IOTHUB_STOPPED || was == IOTHUB_WAITING) &&
        home_needs_search(s->context)) {
        next = life_next(was, LIFE_SEARCH, spare);
    }
    uint32_t wait_ms = life_budget_ms(o, next, s->changeover.renewal.urgent);
    bool adopt = (was == IOTHUB_CONNECTED || was == IOTHUB_RENEWING) && life_is_opening(next) &&
                 next == spare;
    iothub_error failure;

    if (next == was) {
        return true;
    }
    count_end(s, was, next);
    if (was == IOTHUB_CONNECTED) {
        back_off_disconnected(&s->back_off, o, now);
    }
    if (next == IOTHUB_WAITING) {
        (void)iothub_fail(&failure, reason, "%s", text);
        text = failure.text;
        wait_ms = attempt_failed(&s->back_off, &s->credential, &failure, now);
        if (wait_ms == IOTHUB_RETRY_STOP) {
            wait_ms = 0;
            next = life_next(was, LIFE_GIVE_UP, IOTHUB_STOPPED);
        }
    }
    bool begun = enter(s, next, adopt, wait_ms, why);
    tell(s, reason, text, next == IOTHUB_WAITING ? wait_ms : 0);
    return begun;
}

static void feed(iothub_session *s, life_input in, iothub_result reason, const char *text)
{
    iothub_error why;
    iothub_error none; /* unused, because waiting and stopping cannot fail */

    if (!step(s, in, reason, text, &why)) {
        (void)step(s, LIFE_LOST, why.code, why.text, &none);
    }
}

/* --- the change to a new connection ---------------------------------------------------------- */

static bool may_renew(const iothub_session *s)
{
    return s->changeover.renewal.due && s->context->state == IOTHUB_CONNECTED &&
           !wish_is_stop(&s->wish);
}

static void renew(iothub_session *s, const session_busy *busy, mqc_time now)
{
    /* A callback may stop the client while the new credential is prepared. */
    if (!may_renew(s) ||
        changeover_prepare(&s->changeover, &s->credential, now) != CHANGEOVER_PREPARED ||
        !may_renew(s)) {
        return;
    }
    if (changeover_go_on(&s->changeover, &s->credential, busy_with_connection(s->context, busy),
                         now) == CHANGEOVER_LEAVES) {
        feed(s, LIFE_RENEW, IOTHUB_OK, "changing to a new connection");
    }
}

static void progress_spare(iothub_session *s, mqc_time now)
{
    if (changeover_progress(&s->changeover, &s->credential, now) == CHANGEOVER_OPENED) {
        s->counts.tls_resumptions += channel_resumed(session_spare(s)) ? 1 : 0;
        context_poke(s->context); /* the new connection may be usable immediately */
    }
}

/* --- what the streams and the engine report -------------------------------------------------- */

/* Handles the end of the connection in use. If the client was closing it, this is not a failure. */
static void on_connection_lost(iothub_session *s, const iothub_error *why)
{
    iothub_error error = *why;

    if (s->context->state == IOTHUB_RENEWING) {
        feed(s, LIFE_LOST, IOTHUB_OK, "the old connection has ended");
        return;
    }
    if (s->context->state == IOTHUB_CONNECTED && channel_in_use(session_spare(s))) {
        (void)iothub_fail(&error, why->code, "%s; continuing with the new connection", why->text);
    }
    feed(s, LIFE_LOST, error.code, error.text);
}

void session_on_stream_error(iothub_session *s, plat_result r)
{
    iothub_error error; /* a copy, because the text may become invalid when the stream is closed */

    (void)channel_why(session_channel(s), r, &error);
    bool closed = r == PLAT_EOF && s->context->state == IOTHUB_CONNECTED;
    if (closed && back_off_evicted(&s->back_off, &s->context->options, context_now(s->context))) {
        (void)loss_by_eviction(&error);
    }
    on_connection_lost(s, &error);
}

/* Opens the channel when the token that was requested for it has been provided. */
static void resume_opening(iothub_session *s)
{
    iothub_error why;

    if (attempt_open(session_channel(s), &s->credential, &why) != IOTHUB_OK) {
        feed(s, LIFE_LOST, why.code, why.text);
    }
}

static void progress_channel(iothub_session *s, mqc_time now)
{
    iothub_channel *ch = session_channel(s);
    iothub_error why;

    if (!channel_in_use(ch)) {
        resume_opening(s);
        return;
    }
    channel_answer answer = channel_progress(ch, now, &why);

    if (ch->state > CHANNEL_RESOLVING && s->context->state == IOTHUB_RESOLVING) {
        feed(s, LIFE_RESOLVED, IOTHUB_OK, "host name found");
    }
    if (ch->state > CHANNEL_CONNECTING && s->context->state == IOTHUB_CONNECTING) {
        feed(s, LIFE_REACHED, IOTHUB_OK, "TCP connected");
    }
    if (answer == CHANNEL_READY) {
        s->counts.tls_resumptions += channel_resumed(ch) ? 1 : 0;
        feed(s, LIFE_STREAM_UP, IOTHUB_OK, "TLS established");
    } else if (answer == CHANNEL_FAILED) {
        on_connection_lost(s, &why);
    }
}

static void progress_home(iothub_session *s, mqc_time now)
{
    iothub_error why;

    switch (s->context->home->ops->turn(s->context->home, now, &why)) {
    case HOME_SEARCHES: break;
    case HOME_FOUND: feed(s, LIFE_FOUND, IOTHUB_OK, "assigned to a hub"); break;
    case HOME_FAILED: feed(s, LIFE_LOST, why.code, why.text); break;
    }
}

void session_open_channels(iothub_session *s, mqc_time now)
{
    if (s->context->state == IOTHUB_PROVISIONING) {
        progress_home(s, now);
    }
    if (s->context->state >= IOTHUB_RESOLVING && s->context->state <= IOTHUB_SECURING) {
        progress_channel(s, now);
    }
    if (channel_in_use(session_spare(s))) {
        progress_spare(s, now);
    }
}

void session_on_engine_error(iothub_session *s, mqc_result r, bool deferred)
{
    const char *packet = mqc_error_packet(s->context->engine);
    iothub_error why;

    if (r == MQC_ERR_STALLED) {
        s->counts.read_stalls++;
    }
    if (loss_is_of_acknowledgement(r, packet)) {
        s->counts.ack_timeouts++;
    }
    (void)loss_by_engine(r, packet, deferred, &why);
    on_connection_lost(s, &why);
}

void session_on_connack(iothub_session *s, bool session_present)
{
    credential_accepted(&s->credential);
    feed(s, LIFE_CONNACK, IOTHUB_OK,
         session_present ? "logged in; the hub has kept the session" : "logged in");
}

void session_on_refusal(iothub_session *s, uint8_t return_code)
{
    iothub_error why;

    (void)loss_by_refusal(return_code, credential_in_use(&s->credential)->kind, &why);
    feed(s, LIFE_LOST, why.code, why.text);
}

bool session_on_suback(iothub_session *s, mqc_span return_codes)
{
    const bool connecting = s->context->state == IOTHUB_SUBSCRIBING;
    unsigned features;
    iothub_error error;

    if (subscribe_on_suback(&s->subscribe, return_codes, &features, &error) != IOTHUB_OK) {
        feed(s, LIFE_LOST, error.code, error.text);
        return false;
    }
    feed(s, LIFE_SUBACK, IOTHUB_OK, "connected");
    session_update_subscriptions(s);
    return s->context->state == IOTHUB_CONNECTED &&
           (connecting || (features & (1u << TOPIC_FEATURE_DESIRED)) != 0);
}

void session_on_unsuback(iothub_session *s)
{
    subscribe_on_unsuback(&s->subscribe);
    session_update_subscriptions(s);
}

/* --- features -------------------------------------------------------------------------------- */

void session_update_subscriptions(iothub_session *s)
{
    if (s->context->state == IOTHUB_CONNECTED && subscribe_is_due(&s->subscribe)) {
        subscribe_update(&s->subscribe);
        context_poke(s->context);
    }
}

bool session_has_feature(const iothub_session *s, topic_feature feature)
{
    return s->context->state == IOTHUB_CONNECTED && subscribe_has(&s->subscribe, feature);
}

/* --- what the application asks for ----------------------------------------------------------- */

static void grant_start(iothub_session *s)
{
    if (wish_take_start(&s->wish)) {
        back_off_reset(&s->back_off, context_now(s->context));
        feed(s, LIFE_START, IOTHUB_OK, "starting");
    }
}

static void grant_stop(iothub_session *s, const session_busy *busy, mqc_time now)
{
    if (!wish_is_stop(&s->wish)) {
        return;
    }
    if (s->context->state == IOTHUB_STOPPED) { /* the client was not started yet */
        cancel_requests(s);
    } else if (now >= s->wish.stop_at || !busy_with_requests(s->context, busy)) {
        feed(s, LIFE_STOP, IOTHUB_OK, "stopping");
    }
}

/* --- time ------------------------------------------------------------------------------------ */

/* Handles a change of the wall clock, which may end a wait, or require a new token. */
static void look_at_clock(iothub_session *s, mqc_time now)
{
    if (!back_off_look(&s->back_off, now) || !changeover_clock_moved(&s->changeover)) {
        return;
    }
    credential_clock_was_set(&s->credential);
    if (s->context->state == IOTHUB_WAITING) {
        session_hurry(s);
        return;
    }
    changeover_on_clock_set(&s->changeover, now);
}

static void on_state_deadline(iothub_session *s, iothub_state state, mqc_time now)
{
    channel_set_deadline(session_channel(s), IOTHUB_NEVER);
    if (state == IOTHUB_CONNECTED) {
        changeover_begin(&s->changeover, &s->credential, now);
        context_poke(s->context);
    } else {
        feed(s, LIFE_DEADLINE, state < IOTHUB_CONNECTED ? IOTHUB_ERR_TIMEOUT : IOTHUB_OK,
             life_late_text(state));
    }
}

static void look_at_deadline(iothub_session *s, mqc_time now)
{
    iothub_channel *ch = session_channel(s);
    const iothub_state state = s->context->state;

    if (channel_is_opening(ch)) {
        if (channel_is_late(ch, now)) {
            feed(s, LIFE_DEADLINE, IOTHUB_ERR_TIMEOUT, channel_late_text(ch, state));
        }
    } else if (now >= channel_deadline(ch) && !channel_stage_goes_on(ch, state, now)) {
        on_state_deadline(s, state, now);
    }
}

/* Closes the connection as planned: sends DISCONNECT when nothing is in flight, and closes the
 * stream when DISCONNECT was sent. */
static void leave(iothub_session *s, const session_busy *busy)
{
    mqc_engine *engine = s->context->engine;
    const iothub_state state = s->context->state;

    if (state != IOTHUB_RENEWING && state != IOTHUB_STOPPING) {
        return;
    }
    if (mqc_get_state(engine) == MQC_CONNECTED) {
        if (busy_with_last_messages(s->context, busy, state == IOTHUB_RENEWING)) {
            return;
        }
        (void)mqc_disconnect(engine);
    }
    if (!mqc_tx_ready(engine)) {
        feed(s, LIFE_LEFT, IOTHUB_OK, state == IOTHUB_STOPPING ? "stopped" : "reconnecting");
    }
}

void session_on_time(iothub_session *s, const session_busy *busy, mqc_time now)
{
    grant_start(s);
    grant_stop(s, busy, now);
    look_at_clock(s, now);
    look_at_deadline(s, now);
    renew(s, busy, now);
    leave(s, busy);
}

mqc_time session_deadline(const iothub_session *s)
{
    const iothub_state state = s->context->state;
    mqc_time earliest = deadline_earlier(channel_deadline(changeover_read_channel(&s->changeover)),
                                         credential_deadline(&s->credential));

    if (wish_is_stop(&s->wish) && state != IOTHUB_STOPPING) {
        earliest = deadline_earlier(earliest, s->wish.stop_at);
    }
    if (state == IOTHUB_WAITING) {
        earliest = deadline_earlier(earliest, s->back_off.look_at);
    }
    return may_renew(s)
               ? deadline_earlier(earliest, changeover_deadline(&s->changeover, &s->credential))
               : earliest;
}
