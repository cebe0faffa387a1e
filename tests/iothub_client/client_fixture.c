#include "client_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void copy(char *out, size_t cap, mqc_span in)
{
    size_t n = in.len < cap ? in.len : cap - 1;
    if (n > 0) {
        memcpy(out, in.ptr, n);
    }
    out[n] = '\0';
}

/* Expects that no text for people contains the key, a signature or a token. */
static void check_no_secret(const client_fixture *f, const char *text)
{
    if (strstr(text, "sig=") != NULL || (f->secret[0] != '\0' && strstr(text, f->secret) != NULL)) {
        fail_msg("a secret in: %s", text);
    }
}

static void remember_secret(client_fixture *f, const char *connection_string)
{
    static const char *const names[] = { "SharedAccessKey=", "sig=" };

    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(connection_string, names[i]);
        if (at != NULL) {
            at += strlen(names[i]);
            copy(f->secret, sizeof f->secret, mqc_span_of(at, strcspn(at, "&;")));
        }
    }
}

void fixture_check_unlocked(const client_fixture *f)
{
    if (f->client != NULL && f->client->context.lock != NULL) {
        assert_false(fake_threads_held(&f->client->context.lock->thread));
    }
}

void fixture_lock(client_fixture *f)
{
    iothub_lock *g = &f->client->context.lock_memory;

    assert_int_equal(lock_init(g, &fake_threads), PLAT_OK);
    f->client->context.lock = g;
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    client_fixture *f = user;
    fixture_status *to = &f->statuses[f->status_count++ % FIXTURE_LOG];

    fixture_check_unlocked(f);
    to->state = s->state;
    to->reason = s->reason;
    to->retry_in_ms = s->retry_in_ms;
    check_no_secret(f, s->text);
    snprintf(to->text, sizeof to->text, "%s", s->text);
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    client_fixture *f = user;

    fixture_check_unlocked(f);
    copy(f->done_body, sizeof f->done_body, d->body);
    f->dones[f->done_count++ % (4 * FIXTURE_LOG)] = *d;
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    (void)c;
    client_fixture *f = user;

    fixture_check_unlocked(f);
    copy(f->c2d_body, sizeof f->c2d_body, iothub_message_body(m));
    f->deliveries[f->c2d_count++ % FIXTURE_LOG] = iothub_message_delivery(m);
    if (f->on_c2d != NULL) {
        f->on_c2d(f, m);
    }
    return f->disposition;
}

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    (void)c;
    client_fixture *f = user;
    fixture_desired *to = &f->desired[f->desired_count++ % FIXTURE_LOG];

    fixture_check_unlocked(f);
    copy(to->json, sizeof to->json, d->json);
    copy(to->reported, sizeof to->reported, d->reported);
    to->version = d->version;
    to->complete = d->complete;
    to->result = d->result;
    snprintf(to->text, sizeof to->text, "%s", d->text);
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    (void)c;
    client_fixture *f = user;

    fixture_check_unlocked(f);
    copy(f->method_name, sizeof f->method_name, call->name);
    copy(f->method_payload, sizeof f->method_payload, call->payload);
    f->tokens[f->method_count++ % FIXTURE_LOG] = call->token;
    return f->verdict;
}

static void on_expiring(iothub_client *c, int64_t seconds_left, void *user)
{
    (void)c;
    client_fixture *f = user;

    fixture_check_unlocked(f);
    f->expiring_count++;
    f->seconds_left = seconds_left;
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    client_fixture *f = user;
    size_t at = strlen(f->log);

    fixture_check_unlocked(f);
    check_no_secret(f, text);
    snprintf(f->log + at, sizeof f->log - at, "%d %s %s\n", (int)level, module, text);
}

/* The hub must answer within the send, because the bytes are gone after a DISCONNECT and the
 * close. */
static void serve_after_send(scripted_stream *s, scripted_call call, plat_result r, void *user)
{
    client_fixture *f = user;

    if (call == SCRIPTED_SEND && r == PLAT_OK) {
        fake_hub_serve(&f->hub, s);
    }
}

void fixture_init_as(client_fixture *f, const char *connection_string,
                     void (*change)(iothub_options *o))
{
    iothub_error error;

    memset(f, 0, sizeof *f);
    fake_platform_init(&f->platform);
    fake_hub_init(&f->hub);
    iothub_options_init(&f->options);
    f->options.platform = &f->platform.platform;
    f->options.rx_size = 8192;
    f->options.tx_size = 16384;
    f->options.request_size = 4096;
    f->options.log_level = IOTHUB_LOG_DEBUG;
    f->options.callbacks = (iothub_callbacks){
        .status = on_status,
        .done = on_done,
        .c2d = on_c2d,
        .desired = on_desired,
        .method = on_method,
        .token_expiring = on_expiring,
        .log = on_log,
    };
    f->options.user = f;
    if (change != NULL) {
        change(&f->options);
    }
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        f->platform.streams[i].after = serve_after_send;
        f->platform.streams[i].user = f;
    }
    if (connection_string == NULL) {
        connection_string = FIXTURE_CONNECTION_STRING;
    }
    remember_secret(f, connection_string);
    f->client = iothub_new(connection_string, &f->options, &error);
    if (f->client == NULL) {
        fail_msg("iothub_new: %s", error.text);
    }
}

void fixture_init(client_fixture *f, void (*change)(iothub_options *o))
{
    fixture_init_as(f, NULL, change);
}

void fixture_free(client_fixture *f)
{
    check_no_secret(f, iothub_last_error(f->client)->text);
    iothub_free(f->client);
    fake_platform_free(&f->platform);
}

void fixture_quiet(iothub_options *o)
{
    o->callbacks.desired = NULL;
}

scripted_stream *fixture_stream(client_fixture *f)
{
    return fake_platform_stream(&f->platform);
}

static bool client_is_awake(const client_fixture *f)
{
    iothub_poll p;

    iothub_poll_info(f->client, &p);
    return p.timeout_ms == 0;
}

static bool stream_has_input(client_fixture *f)
{
    iothub_poll p;
    bool unread = false;

    iothub_poll_info(f->client, &p);
    for (size_t i = 0; i < f->platform.net.made; i++) {
        scripted_stream *s = &f->platform.streams[i];
        unread = unread || (s->state == SCRIPTED_READY && scripted_unread(s) > 0);
    }
    return unread && (p.fds[0].want_read || p.fds[1].want_read);
}

void fixture_run(client_fixture *f)
{
    for (int round = 0; round < 10000; round++) {
        assert_int_equal(iothub_process(f->client), IOTHUB_OK);
        if (!client_is_awake(f) && !stream_has_input(f)) {
            return;
        }
    }
    fail_msg("the client never comes to rest");
}

void fixture_connect(client_fixture *f)
{
    assert_int_equal(iothub_start(f->client), IOTHUB_OK);
    fixture_run(f);
    if (iothub_get_state(f->client) != IOTHUB_CONNECTED) {
        fail_msg("not connected: %s", fixture_last_status(f)->text);
    }
}

void fixture_sleep(client_fixture *f, uint64_t ms)
{
    while (ms > 0) {
        iothub_poll p;
        iothub_poll_info(f->client, &p);
        uint64_t step =
            p.timeout_ms < 0 || (uint64_t)p.timeout_ms > ms ? ms : (uint64_t)p.timeout_ms;
        fake_clock_advance(&f->platform.clock, step);
        ms -= step;
        fixture_run(f);
    }
}

void fixture_cut(client_fixture *f)
{
    scripted_break(fixture_stream(f), PLAT_ERR_IO);
    fixture_run(f);
}

const fixture_status *fixture_last_status(const client_fixture *f)
{
    assert_true(f->status_count > 0);
    return &f->statuses[(f->status_count - 1) % FIXTURE_LOG];
}

iothub_op fixture_send(client_fixture *f, const char *body)
{
    const iothub_telemetry t = { .body = body, .body_len = strlen(body) };
    iothub_op op = 0;

    if (iothub_send_telemetry(f->client, &t, &op) != IOTHUB_OK) {
        fail_msg("refused: %s", iothub_last_error(f->client)->text);
    }
    return op;
}

unsigned fixture_ended(const client_fixture *f, iothub_op op, iothub_result *how)
{
    unsigned times = 0;

    assert_true(f->done_count <= 4 * FIXTURE_LOG);
    for (unsigned i = 0; i < f->done_count; i++) {
        if (f->dones[i].op == op) {
            times++;
            if (how != NULL) {
                *how = f->dones[i].result;
            }
        }
    }
    return times;
}

void *fixture_memory(size_t len)
{
    void *memory = NULL;

    assert_int_equal(posix_memalign(&memory, 16, len), 0);
    return memory;
}
