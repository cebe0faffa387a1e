#include "drive/api.h"

#include "drive/client.h"
#include "drive/wake.h"
#include "text/sized_struct.h"

/* All public functions except those of the heap and the runner. Only this file takes and
 * releases the lock of the client; callbacks.c releases it around each callback. */

static const iothub_error no_client = {
    .code = IOTHUB_ERR_ARG,
    .text = "the client is NULL: iothub_new failed, and its error says why",
};

static const iothub_error not_a_client = {
    .code = IOTHUB_ERR_STATE,
    .text = "not a client: iothub_init failed or was not called, or iothub_deinit has ended it",
};

iothub_result api_begin(const iothub_client *c)
{
    if (c == NULL) {
        return no_client.code;
    }
    if (c->magic != IOTHUB_CLIENT_MAGIC) {
        return not_a_client.code;
    }
    context_enter(&c->context);
    if (c->unserved) {
        client_look_for_driver(c->context.handle);
    }
    return IOTHUB_OK;
}

iothub_result api_return(const iothub_client *c, iothub_result r)
{
    context_leave(&c->context);
    return r;
}

const iothub_error *iothub_last_error(const iothub_client *c)
{
    if (c == NULL) {
        return &no_client;
    }
    if (c->magic != IOTHUB_CLIENT_MAGIC) {
        /* The result is a constant, not in the client, because its memory may be used for
         * something else. */
        return &not_a_client;
    }
    return context_error(context_own(&c->context));
}

/* --- life ------------------------------------------------------------------------------ */

iothub_client *iothub_init(void *memory, size_t memory_len, const char *connection_string,
                           const iothub_options *o, iothub_error *error)
{
    client_place place = { .memory = memory, .len = memory_len };
    return client_init(&place, connection_string, o, error);
}

bool api_end(iothub_client *c)
{
    if (api_begin(c) != IOTHUB_OK) {
        return false;
    }
    bool may_end = client_may_end(c);
    context_leave(&c->context);
    if (!may_end) {
        return false;
    }
    if (c->stop_runner != NULL) {
        (void)c->stop_runner(c);
    }
    context_enter(&c->context);
    client_cancel(c);
    loop_take_events(c);
    client_close(c);
    context_leave(&c->context);
    context_drop_lock(&c->context);
    client_wipe(c);
    return true;
}

void iothub_deinit(iothub_client *c)
{
    (void)api_end(c);
}

iothub_result iothub_start(iothub_client *c)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, session_start(&c->session)) : r;
}

iothub_result iothub_stop(iothub_client *c, uint32_t grace_ms)
{
    iothub_result r = api_begin(c);

    if (r == IOTHUB_OK) {
        session_stop(&c->session, grace_ms);
        context_leave(&c->context);
    }
    return r;
}

iothub_result iothub_reconnect_now(iothub_client *c)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, session_reconnect_now(&c->session)) : r;
}

iothub_result iothub_set_token(iothub_client *c, const char *shared_access_signature)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, session_set_token(&c->session, shared_access_signature))
                          : r;
}

/* --- credentials ----------------------------------------------------------------------- */

iothub_result iothub_provide_token(iothub_client *c, const char *shared_access_signature)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK
               ? api_return(c, session_provide_token(&c->session, shared_access_signature))
               : r;
}

iothub_result iothub_token_failed(iothub_client *c, const char *text)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, session_token_failed(&c->session, text)) : r;
}

iothub_result iothub_set_credentials(iothub_client *c, const iothub_credential *credentials,
                                     size_t count)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, session_set_credentials(&c->session, credentials, count))
                          : r;
}

void iothub_get_credentials_sized(const iothub_client *c, iothub_credentials_info *out,
                                  size_t struct_size)
{
    iothub_credentials_info info = { .kind = IOTHUB_CREDENTIAL_NONE };

    if (out == NULL) {
        return;
    }
    if (api_begin(c) == IOTHUB_OK) {
        credential_describe(&c->session.credential, &info);
        (void)api_return(c, IOTHUB_OK);
    }
    iothub_struct_out(out, struct_size, &info, sizeof info);
}

/* --- callbacks that are set later ------------------------------------------------------- */

iothub_result iothub_set_c2d_callback(iothub_client *c, iothub_c2d_callback *c2d)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    context_set_c2d(&c->context, c2d);
    session_update_subscriptions(&c->session);
    return api_return(c, IOTHUB_OK);
}

iothub_result iothub_set_desired_callback(iothub_client *c, iothub_desired_callback *desired)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    context_set_desired(&c->context, desired);
    twin_expect_document(&c->twin);
    if (session_has_feature(&c->session, TOPIC_FEATURE_DESIRED)) {
        twin_on_connected(&c->twin);
    }
    session_update_subscriptions(&c->session);
    return api_return(c, IOTHUB_OK);
}

iothub_result iothub_set_method_callback(iothub_client *c, iothub_method_callback *method)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    context_set_method(&c->context, method);
    session_update_subscriptions(&c->session);
    return api_return(c, IOTHUB_OK);
}

/* --- driving --------------------------------------------------------------------------- */

/* Checks whether the calling thread may drive the client now. */
static iothub_result may_drive(iothub_client *c)
{
    if (context_has_runner(&c->context)) {
        return context_refuse(&c->context, IOTHUB_ERR_STATE,
                              "iothub_process, iothub_wait: the runner drives the client");
    }
    if (c->context.processing || c->context.logging) {
        return context_refuse(&c->context, IOTHUB_ERR_STATE,
                              "iothub_process, iothub_wait inside a callback, or on two threads at "
                              "once: return first, or use a runner");
    }
    return IOTHUB_OK;
}

iothub_result iothub_process(iothub_client *c)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = may_drive(c);
    if (r == IOTHUB_OK) {
        loop_turn(c);
    }
    return api_return(c, r);
}

/* Sleeps until there is something to do, but at most max_ms. */
static iothub_result sleep_until_work(iothub_client *c, uint32_t max_ms)
{
    const plat_net *net = c->context.options.platform->net;
    int limit = max_ms < INT32_MAX ? (int)max_ms : INT32_MAX;
    plat_poll polls[IOTHUB_POLL_FDS];
    int timeout_ms;

    loop_poll(c, polls, &timeout_ms);
    if (timeout_ms == 0 || limit == 0) {
        return IOTHUB_OK;
    }
    context_leave(&c->context);
    net->wait(net, polls, IOTHUB_POLL_FDS,
              timeout_ms < 0 || timeout_ms > limit ? limit : timeout_ms);
    context_enter(&c->context);
    return may_drive(c);
}

iothub_result iothub_wait(iothub_client *c, uint32_t max_ms)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = may_drive(c);
    if (r == IOTHUB_OK && !c->context.poked) {
        r = sleep_until_work(c, max_ms);
    }
    if (r == IOTHUB_OK) {
        loop_turn(c);
    }
    return api_return(c, r);
}

void iothub_poll_info_sized(iothub_client *c, iothub_poll *out, size_t struct_size)
{
    iothub_poll poll = { .timeout_ms = -1 };

    if (out == NULL) {
        return;
    }
    loop_no_polls(poll.fds);
    if (api_begin(c) == IOTHUB_OK) {
        if (!context_has_runner(&c->context)) {
            loop_poll(c, poll.fds, &poll.timeout_ms);
        }
        context_leave(&c->context);
    }
    iothub_struct_out(out, struct_size, &poll, sizeof poll);
}

/* --- requests -------------------------------------------------------------------------- */

/* Sends a message of a program that was compiled with another version. */
static iothub_result send_sized(iothub_client *c, const iothub_telemetry *t, size_t struct_size,
                                iothub_op *op)
{
    iothub_telemetry known;

    iothub_result r = iothub_struct_in(&known, sizeof known, t, struct_size, "telemetry",
                                       context_error(&c->context));
    return r == IOTHUB_OK ? telemetry_send(&c->telemetry, &known, op) : r;
}

/* Returns whether a turn is needed after a message was queued. */
static bool wants_turn(iothub_client *c, bool ends_when_sent)
{
    return wake_on_queued(&c->wake, &c->session, &c->traffic, &c->telemetry, ends_when_sent) ||
           telemetry_wants_turn(&c->telemetry, wish_is_stop(&c->session.wish));
}

iothub_result iothub_send_telemetry_sized(iothub_client *c, const iothub_telemetry *t,
                                          size_t struct_size, iothub_op *op)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = t == NULL || struct_size == sizeof *t ? telemetry_send(&c->telemetry, t, op)
                                              : send_sized(c, t, struct_size, op);
    if (r == IOTHUB_OK && wants_turn(c, t != NULL && t->at_most_once)) {
        context_poke(&c->context);
    }
    return api_return(c, r);
}

iothub_result iothub_purge(iothub_client *c, uint64_t *count)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    uint64_t n = limits_purge(&c->telemetry.limits);
    if (count != NULL) {
        *count = n;
    }
    return api_return(c, IOTHUB_OK);
}

iothub_result iothub_message_accept(iothub_client *c, uint32_t delivery)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, c2d_accept(&c->c2d, delivery)) : r;
}

iothub_result iothub_twin_get(iothub_client *c, void *tag, iothub_op *op)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, twin_queue_get(&c->twin, tag, op)) : r;
}

iothub_result iothub_twin_report(iothub_client *c, const void *json, size_t len, void *tag,
                                 iothub_op *op)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK
               ? api_return(c, twin_queue_report(&c->twin, mqc_span_of(json, len), tag, op))
               : r;
}

iothub_result iothub_method_respond(iothub_client *c, const iothub_method_token *token, int status,
                                    const void *json, size_t len, void *tag, iothub_op *op)
{
    iothub_result r = api_begin(c);
    return r == IOTHUB_OK ? api_return(c, methods_respond(&c->methods, token, status,
                                                          mqc_span_of(json, len), tag, op))
                          : r;
}

/* --- looking in ------------------------------------------------------------------------ */

iothub_state iothub_get_state(const iothub_client *c)
{
    if (api_begin(c) != IOTHUB_OK) {
        return IOTHUB_STOPPED;
    }
    iothub_state s = c->context.state;
    context_leave(&c->context);
    return s;
}

static void count_connections(const iothub_session *s, iothub_stats *out)
{
    const session_counts *counts = &s->counts;

    out->connects = counts->connects;
    out->failed_attempts = counts->failed_attempts + s->changeover.failed_attempts;
    out->losses = counts->losses;
    out->ack_timeouts = counts->ack_timeouts;
    out->read_stalls = counts->read_stalls;
    out->tls_resumptions = counts->tls_resumptions;
    out->websocket_connects = counts->websocket_connects;
    out->token_renewals = s->gap.changes;
    out->renewal_gap_last_ms = s->gap.last_ms;
    out->renewal_gap_longest_ms = s->gap.longest_ms;
    out->renewal_gap_sum_ms = s->gap.sum_ms;
}

static void count_traffic(const iothub_traffic *traffic, iothub_stats *out)
{
    out->bytes_sent = traffic->bytes_sent;
    out->bytes_received = traffic->bytes_received;
    out->send_calls = traffic->send_calls;
    out->recv_calls = traffic->recv_calls;
}

static void count_features(const iothub_client *c, iothub_stats *out)
{
    out->c2d_received = c->c2d.received;
    out->c2d_accepted = c->c2d.accepted;
    out->c2d_oversize = c->c2d.oversize;
    out->methods_received = c->methods.received;
    out->methods_answered = c->methods.answered;
    out->desired_delivered = c->twin.delivered;
    out->desired_duplicates = c->twin.duplicates;
    out->desired_gaps = c->twin.gaps;
    out->twin_retries = c->twin.retries;
    out->ignored = c->context.ignored;
}

void iothub_get_stats_sized(const iothub_client *c, iothub_stats *out, size_t struct_size)
{
    iothub_stats stats = { 0 };

    if (out == NULL) {
        return;
    }
    if (api_begin(c) == IOTHUB_OK) {
        count_connections(&c->session, &stats);
        count_traffic(&c->traffic, &stats);
        telemetry_count(&c->telemetry, &stats);
        count_features(c, &stats);
        context_leave(&c->context);
    }
    iothub_struct_out(out, struct_size, &stats, sizeof stats);
}
