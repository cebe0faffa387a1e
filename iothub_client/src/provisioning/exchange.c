#include "provisioning/exchange.h"

#include <assert.h>
#include <string.h>

#include "connection/life.h"
#include "connection/loss.h"
#include "connection/wall_clock.h"
#include "context/callbacks.h"
#include "context/result_map.h"
#include "hub/dps_topics.h"
#include "provisioning/dps_packets.h"
#include "provisioning/poll_wait.h"

enum {
    READS_MAX = 64,      /* most reads in one turn, so that it ends even if the peer never pauses */
    INBOUND = 4,         /* most unacknowledged messages */
    ENTRIES = 4,         /* most requests in the ring */
    PAUSE_MAX_MS = 60000 /* for a longer wait, the connection is closed */
};

/* --- set-up ---------------------------------------------------------------------------------- */

static mqc_memory cut_memory(const dps_request *r, const dps_sizes *sizes, dps_room *room)
{
    return (mqc_memory){
        .rx = dps_room_cut(room, r->options.answer_size),
        .rx_len = r->options.answer_size,
        .control = dps_room_cut(room, sizes->connect),
        .control_len = sizes->connect,
        .inbound = dps_room_cut(room, INBOUND * sizeof(mqc_inbound)),
        .inbound_len = INBOUND,
        .lanes = { { .ring = dps_room_cut(room, sizes->publish),
                     .ring_len = sizes->publish,
                     .entries = dps_room_cut(room, ENTRIES * sizeof(mqc_entry)),
                     .entries_len = ENTRIES } },
        .lane_count = 1,
    };
}

static void set_up(iothub_exchange *x, const dps_request *r, const iothub_options *o,
                   const mqc_memory *m, char *scratch, size_t scratch_len)
{
    const hub_names names = { .host_name = mqc_span_str(r->options.host) };
    iothub_options own = *o;

    memset(x, 0, sizeof *x);
    own.port = r->options.port;
    x->request = *r;
    context_init(&x->context, NULL, &x->engine, &own);
    context_set_identity(&x->context, &names);
    context_set_scratch(&x->context, scratch, scratch_len, 0);
    (void)mqc_init(&x->engine, m); /* cannot fail, because this file has chosen the sizes */
    channel_init(&x->channel, &x->context);
    x->due = IOTHUB_NEVER;
}

iothub_result exchange_make(iothub_exchange **out, const iothub_provisioning_options *p,
                            const iothub_options *o, dps_room *room, iothub_error *error)
{
    iothub_exchange *x = dps_room_cut(room, sizeof *x);
    dps_request r;

    *out = NULL;
    iothub_result result = dps_request_take(&r, p, o->platform, room, error);
    if (result == IOTHUB_OK && o->certificate != NULL) {
        result = dps_request_expect_csr(&r, error);
    }
    if (result != IOTHUB_OK) {
        return result;
    }
    const dps_sizes sizes = dps_measure(&r, o);
    const mqc_memory m = cut_memory(&r, &sizes, room);
    /* A chain is never longer than the answer that contains it as text. */
    const size_t chain_cap = r.csr.len > 0 ? r.options.answer_size : 0;
    uint8_t *chain = dps_room_cut(room, chain_cap);
    char *scratch = dps_room_cut(room, sizes.scratch);
    if (scratch == NULL) { /* this is the last part, so all parts fit if it does */
        return IOTHUB_OK;
    }
    set_up(x, &r, o, &m, scratch, sizes.scratch);
    issued_chain_init(&x->chain, chain, chain_cap);
    *out = x;
    return IOTHUB_OK;
}

void exchange_join(iothub_exchange *x, const iothub_context *client)
{
    context_join(&x->context, client);
}

void exchange_deinit(iothub_exchange *x)
{
    assert(exchange_valid(x));
    channel_deinit(&x->channel);
}

#ifndef NDEBUG
bool exchange_valid(const iothub_exchange *x)
{
    const bool timed = x->state == EXCHANGE_ASKING || x->state == EXCHANGE_PAUSING;

    if (timed == (x->due == IOTHUB_NEVER)) {
        return false;
    }
    if (x->state != EXCHANGE_IDLE && x->state != EXCHANGE_OPENING &&
        x->channel.state != CHANNEL_OPEN) {
        return false;
    }
    return x->operation_id[DPS_OPERATION_ID_MAX] == '\0';
}
#endif

/* --- states ------------------------------------------------------------------------------------
 */

static void enter(iothub_exchange *x, exchange_state state, mqc_time due)
{
    x->state = state;
    x->due = due;
}

/* Closes the connection, also that of a stream that could not be opened. The last answer stays
 * readable, because nothing more is received. */
static void end(iothub_exchange *x)
{
    channel_close(&x->channel);
    enter(x, EXCHANGE_IDLE, IOTHUB_NEVER);
}

static exchange_answer fail(iothub_exchange *x, iothub_result code, const char *text)
{
    (void)iothub_fail(&x->error, code, "DPS: %s", text);
    end(x);
    return EXCHANGE_FAILED;
}

static exchange_answer fail_with(iothub_exchange *x, const iothub_error *why)
{
    x->error = *why;
    end(x);
    return EXCHANGE_FAILED;
}

void exchange_begin(iothub_exchange *x)
{
    assert(exchange_valid(x));
    mqc_event ended;

    mqc_reset(&x->engine);
    (void)mqc_discard(&x->engine, 0);
    while (mqc_next_event(&x->engine, &ended)) { /* discards requests of an earlier attempt */
    }
    x->operation_id[0] = '\0';
    x->waits = 0;
    x->wait_ms = 0;
    x->refused = false;
    x->error = (iothub_error){ .code = IOTHUB_OK };
    enter(x, EXCHANGE_OPENING, IOTHUB_NEVER);
}

void exchange_cancel(iothub_exchange *x)
{
    assert(exchange_valid(x));
    if (x->state != EXCHANGE_IDLE) {
        end(x);
    }
}

/* --- opening and logging in --------------------------------------------------------------------
 */

static exchange_answer log_in(iothub_exchange *x, mqc_time now)
{
    mqc_connect_options c;
    iothub_error why;
    plat_flow f;

    if (dps_fill_connect(&x->request, &x->context, &c, &why) != IOTHUB_OK) {
        return fail_with(x, &why);
    }
    c.reports_flow = channel_flow(&x->channel, &f);
    if (mqc_connect(&x->engine, &c, now) != MQC_OK) {
        return fail(x, IOTHUB_ERR_TOO_BIG, "CONNECT does not fit its buffer: user_agent");
    }
    x->give_up_at = now + x->request.options.assign_timeout_ms;
    enter(x, EXCHANGE_LOGGING_IN, IOTHUB_NEVER);
    channel_begin_stage(&x->channel, IOTHUB_LOGGING_IN, now);
    return EXCHANGE_RUNS;
}

/* Opens the connection. Tokens and certificates need the date, so the clock must be set. */
static exchange_answer open(iothub_exchange *x, mqc_time now)
{
    iothub_error why;

    if (!wall_clock_is_set(wall_clock_s(context_clock(&x->context)))) {
        return fail(x, IOTHUB_ERR_NO_TIME, "the wall clock is not set");
    }
    if (!channel_in_use(&x->channel) &&
        channel_open(&x->channel, dps_request_identity(&x->request), &why) != IOTHUB_OK) {
        return fail(x, why.code, why.text);
    }
    switch (channel_progress(&x->channel, now, &why)) {
    case CHANNEL_WAITS: return EXCHANGE_RUNS;
    case CHANNEL_READY: return log_in(x, now);
    case CHANNEL_FAILED: break;
    }
    return fail(x, why.code, why.text);
}

static exchange_answer on_refusal(iothub_exchange *x, uint8_t return_code)
{
    if (return_code == 3) {
        return fail(x, IOTHUB_ERR_UNAVAILABLE, "CONNACK 3: the service is unavailable");
    }
    x->refused = return_code != 0;
    return fail(x, return_code == 1 ? IOTHUB_ERR_PROTOCOL : IOTHUB_ERR_AUTH,
                return_code == 1
                    ? "CONNACK 1: the host does not speak MQTT 3.1.1"
                    : "the service refused the login; check id_scope, registration_id, the key or "
                      "certificate, and the clock");
}

static exchange_answer subscribe(iothub_exchange *x, mqc_time now)
{
    const mqc_subscription filter = { .filter = dps_topic_filter(), .qos = 1 };

    if (mqc_subscribe(&x->engine, &filter, 1, NULL) != MQC_OK) {
        return fail(x, IOTHUB_ERR_TOO_BIG, "SUBSCRIBE does not fit its buffer");
    }
    enter(x, EXCHANGE_SUBSCRIBING, IOTHUB_NEVER);
    channel_begin_stage(&x->channel, IOTHUB_SUBSCRIBING, now);
    return EXCHANGE_RUNS;
}

/* --- questions ---------------------------------------------------------------------------------
 */

/* Registers, or asks for the state of the operation. The request has QoS 0, because the answer
 * acknowledges it. */
static exchange_answer ask(iothub_exchange *x, mqc_time now)
{
    mqc_outgoing m;

    x->rid++;
    if (x->operation_id[0] == '\0') {
        dps_fill_registration(&x->request, &x->context, x->rid, &m);
    } else {
        dps_fill_poll(&x->context, x->operation_id, x->rid, &m);
    }
    if (mqc_publish(&x->engine, &m, NULL) != MQC_OK) {
        return fail(x, IOTHUB_ERR_NETWORK, "the previous request could not be sent");
    }
    channel_set_deadline(&x->channel, IOTHUB_NEVER);
    enter(x, EXCHANGE_ASKING, now + x->context.options.request_timeout_ms);
    return EXCHANGE_RUNS;
}

static exchange_answer on_suback(iothub_exchange *x, mqc_span return_codes, mqc_time now)
{
    if (return_codes.len != 1 || return_codes.ptr[0] > 2) {
        return fail(x, IOTHUB_ERR_REJECTED, "SUBACK: the service refused the subscription");
    }
    return ask(x, now);
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* The service has not decided yet, so it is asked again later. */
static exchange_answer wait_for_more(iothub_exchange *x, const dps_topic *topic, mqc_time now)
{
    const iothub_options *o = &x->context.options;
    const bool busy = x->answer.verdict == DPS_BUSY;

    x->waits++;
    const uint64_t wait_ms = topic->has_retry_after ? poll_wait_asked_ms(o, topic->retry_after_s)
                                                    : poll_wait_own_ms(o, x->waits, busy);
    if (wait_ms > PAUSE_MAX_MS || now >= x->give_up_at) {
        x->wait_ms = topic->has_retry_after ? (uint32_t)wait_ms : 0;
        return busy ? fail_with(x, &x->answer.why)
                    : fail(x, IOTHUB_ERR_TIMEOUT,
                           now >= x->give_up_at
                               ? "no hub was assigned within assign_timeout_ms"
                               : "the service asks for a long wait before it is asked again");
    }
    enter(x, EXCHANGE_PAUSING, now + wait_ms);
    return EXCHANGE_RUNS;
}

static void log_refusal(const iothub_exchange *x)
{
    callback_log(&x->context, IOTHUB_LOG_WARNING, "dps", "%s%s%.*s", x->answer.why.text,
                 x->answer.tracking_id.len > 0 ? "; tracking id " : "",
                 IOTHUB_SPAN_VALUES(x->answer.tracking_id));
}

static exchange_answer on_refused(iothub_exchange *x)
{
    log_refusal(x);
    x->refused = true;
    return fail_with(x, &x->answer.why);
}

/* The service answers a poll with 404 if it has forgotten the operation. */
static bool forgot_operation(const iothub_exchange *x, const dps_topic *topic)
{
    return topic->status == 404 && x->operation_id[0] != '\0';
}

static void note_operation(iothub_exchange *x)
{
    /* Without a new operation id the known one is still valid. */
    if (x->answer.operation_id[0] != '\0') {
        memcpy(x->operation_id, x->answer.operation_id, sizeof x->operation_id);
    }
}

static exchange_answer assigned(iothub_exchange *x)
{
    const plat_crypto *crypto = x->context.options.platform->crypto;
    iothub_error why;
    size_t len;

    if (issued_chain_take(&x->chain, x->answer.certificates, crypto, &why) != IOTHUB_OK) {
        return fail_with(x, &why);
    }
    if (x->request.csr.len > 0 && x->chain.len == 0) {
        callback_log_text(&x->context, IOTHUB_LOG_WARNING, "dps",
                          "the service issued no certificate for csr; the enrolment must name an "
                          "authority that issues certificates");
    }
    callback_log(&x->context, IOTHUB_LOG_INFO, "dps", "assigned to %s as %s", x->answer.hub,
                 x->answer.device_id);
    (void)mqc_disconnect(&x->engine);
    const uint8_t *bytes = mqc_tx_data(&x->engine, &len);
    /* It is sent only once: if the stream does not accept it now, closing has the same meaning. */
    if (len > 0) {
        size_t sent;
        (void)channel_send(&x->channel, bytes, len, &sent);
    }
    end(x);
    return EXCHANGE_ASSIGNED;
}

static exchange_answer on_message(iothub_exchange *x, const mqc_message *m, mqc_time now)
{
    dps_topic topic;

    if (m->qos > 0) {
        (void)mqc_ack(&x->engine, m->packet_id);
    }
    if (!dps_topic_parse(m->topic, &topic) || topic.rid != x->rid || x->state != EXCHANGE_ASKING) {
        callback_log_text(&x->context, IOTHUB_LOG_DEBUG, "dps", "ignored a message");
        return EXCHANGE_RUNS;
    }
    dps_answer_parse(&x->answer, topic.status, m->payload);
    if (forgot_operation(x, &topic)) {
        x->operation_id[0] = '\0';
        return wait_for_more(x, &topic, now);
    }
    switch (x->answer.verdict) {
    case DPS_ASSIGNED: return assigned(x);
    case DPS_ASSIGNING: note_operation(x); return wait_for_more(x, &topic, now);
    case DPS_BUSY: log_refusal(x); return wait_for_more(x, &topic, now);
    case DPS_REFUSED: return on_refused(x);
    case DPS_BROKEN: break;
    }
    return fail_with(x, &x->answer.why);
}

static exchange_answer on_oversize(iothub_exchange *x, size_t len)
{
    (void)iothub_fail(&x->error, IOTHUB_ERR_TOO_BIG,
                      "DPS: an answer of %zu bytes is larger than answer_size (%zu)", len,
                      x->request.options.answer_size);
    x->refused = true;
    end(x);
    return EXCHANGE_FAILED;
}

/* --- bytes -------------------------------------------------------------------------------------
 */

static exchange_answer on_event(iothub_exchange *x, const mqc_event *ev, mqc_time now)
{
    switch (ev->type) {
    case MQC_EVENT_CONNECTED: return subscribe(x, now);
    case MQC_EVENT_REFUSED: return on_refusal(x, ev->u.connack.return_code);
    case MQC_EVENT_SUBSCRIBED: return on_suback(x, ev->u.suback.return_codes, now);
    case MQC_EVENT_PUBLISH: return on_message(x, &ev->u.publish, now);
    case MQC_EVENT_OVERSIZE: return on_oversize(x, ev->u.publish.payload_len);
    case MQC_EVENT_DONE:
    case MQC_EVENT_UNSUBSCRIBED: break;
    }
    return EXCHANGE_RUNS;
}

static exchange_answer take_events(iothub_exchange *x, mqc_time now)
{
    exchange_answer answer = EXCHANGE_RUNS;
    mqc_event ev;

    while (answer == EXCHANGE_RUNS && mqc_next_event(&x->engine, &ev)) {
        answer = on_event(x, &ev, now);
    }
    if (answer == EXCHANGE_RUNS && mqc_error(&x->engine) != MQC_OK) {
        iothub_error why;
        (void)loss_by_engine(mqc_error(&x->engine), mqc_error_packet(&x->engine), false, &why);
        return fail(x, why.code, why.text);
    }
    return answer;
}

static exchange_answer on_stream_error(iothub_exchange *x, plat_result r)
{
    iothub_error why;

    if (r == PLAT_EOF) {
        return fail(x, IOTHUB_ERR_NETWORK, "the service closed the connection");
    }
    (void)channel_why(&x->channel, r, &why);
    return fail(x, why.code, why.text);
}

static exchange_answer receive(iothub_exchange *x, mqc_time now, bool *more)
{
    size_t cap;
    size_t got = 0;
    uint8_t *at = mqc_rx_space(&x->engine, &cap);

    *more = false;
    if (cap == 0) {
        return EXCHANGE_RUNS;
    }
    plat_result r = channel_recv(&x->channel, at, cap, &got);
    if (r == PLAT_WOULD_BLOCK) {
        return EXCHANGE_RUNS;
    }
    if (r != PLAT_OK) {
        return on_stream_error(x, r);
    }
    *more = true;
    (void)mqc_rx_commit(&x->engine, got, now); /* an error is latched */
    return take_events(x, now);
}

static exchange_answer transmit(iothub_exchange *x, mqc_time now)
{
    size_t len;
    const uint8_t *bytes = mqc_tx_data(&x->engine, &len);

    while (len > 0) {
        size_t sent = 0;
        plat_result r = channel_send(&x->channel, bytes, len, &sent);
        if (r == PLAT_WOULD_BLOCK) {
            return EXCHANGE_RUNS;
        }
        if (r != PLAT_OK) {
            return on_stream_error(x, r);
        }
        mqc_tx_consume(&x->engine, sent, now);
        bytes = mqc_tx_data(&x->engine, &len);
    }
    return take_events(x, now);
}

static void report_flow(iothub_exchange *x, mqc_time now)
{
    plat_flow f;

    if (mqc_wants_flow(&x->engine, now) && channel_flow(&x->channel, &f)) {
        const mqc_flow flow = { f.received, f.delivered, f.pending, f.awaited };
        mqc_report_flow(&x->engine, &flow, now);
    }
}

static exchange_answer pump(iothub_exchange *x, mqc_time now)
{
    exchange_answer answer = EXCHANGE_RUNS;
    bool more = true;

    report_flow(x, now);
    (void)mqc_tick(&x->engine, now); /* an error is latched */
    for (int round = 0; more && answer == EXCHANGE_RUNS && round < READS_MAX; round++) {
        answer = receive(x, now, &more);
    }
    if (answer == EXCHANGE_RUNS) {
        answer = take_events(x, now);
    }
    return answer == EXCHANGE_RUNS ? transmit(x, now) : answer;
}

/* --- time --------------------------------------------------------------------------------------
 */

/* Returns the state of a client that has the same deadline. */
static iothub_state as_state(const iothub_exchange *x)
{
    switch (x->state) {
    case EXCHANGE_OPENING: return channel_as_state(&x->channel);
    case EXCHANGE_LOGGING_IN: return IOTHUB_LOGGING_IN;
    case EXCHANGE_SUBSCRIBING: return IOTHUB_SUBSCRIBING;
    case EXCHANGE_IDLE:
    case EXCHANGE_ASKING:
    case EXCHANGE_PAUSING: break;
    }
    return IOTHUB_STOPPED;
}

static exchange_answer look_at_time(iothub_exchange *x, mqc_time now)
{
    const iothub_state state = as_state(x);

    if (x->state == EXCHANGE_PAUSING && now >= x->due) {
        return ask(x, now);
    }
    if (x->state == EXCHANGE_ASKING && now >= x->due) {
        return fail(x, IOTHUB_ERR_TIMEOUT, "the service did not answer within request_timeout_ms");
    }
    if (state != IOTHUB_STOPPED && now >= channel_deadline(&x->channel) &&
        !channel_stage_goes_on(&x->channel, state, now)) {
        return fail(x, IOTHUB_ERR_TIMEOUT, channel_late_text(&x->channel, state));
    }
    return EXCHANGE_RUNS;
}

static exchange_answer step(iothub_exchange *x, mqc_time now)
{
    exchange_answer answer = EXCHANGE_RUNS;

    if (x->state == EXCHANGE_OPENING) {
        answer = open(x, now);
    }
    if (answer == EXCHANGE_RUNS && x->state > EXCHANGE_OPENING) {
        answer = pump(x, now);
    }
    if (answer == EXCHANGE_RUNS) {
        answer = look_at_time(x, now);
    }
    if (answer == EXCHANGE_RUNS && x->state > EXCHANGE_OPENING) {
        answer = transmit(x, now); /* sends packets that have become due */
    }
    return answer;
}

exchange_answer exchange_turn(iothub_exchange *x, mqc_time now)
{
    assert(exchange_valid(x));
    (void)context_begin_turn(&x->context);
    exchange_answer answer = step(x, now);
    context_end_turn(&x->context);
    assert(exchange_valid(x));
    return answer;
}

mqc_time exchange_poll(iothub_exchange *x, plat_poll *p)
{
    const bool opened = x->state > EXCHANGE_OPENING;
    mqc_time engine = IOTHUB_NEVER;

    channel_poll(&x->channel, opened && (x->channel.want_write || mqc_tx_ready(&x->engine)), 1, p);
    if (x->state == EXCHANGE_IDLE) {
        return IOTHUB_NEVER;
    }
    if (opened && !mqc_next_deadline(&x->engine, &engine)) {
        engine = IOTHUB_NEVER;
    }
    const mqc_time times[] = {
        x->state == EXCHANGE_OPENING && !channel_in_use(&x->channel) ? 0 : IOTHUB_NEVER,
        channel_deadline(&x->channel),
        x->due,
        engine,
        deadline_of(p->wake_at_ms),
    };
    return deadline_earliest(times, sizeof times / sizeof times[0]);
}

iothub_assignment exchange_assignment(const iothub_exchange *x)
{
    return (iothub_assignment){
        .hub = x->answer.hub,
        .device_id = x->answer.device_id,
        .substatus = x->answer.substatus,
        .payload = x->answer.payload,
        .certificates = x->chain.len > 0 ? x->chain.bytes : NULL,
        .certificates_len = x->chain.len,
    };
}
