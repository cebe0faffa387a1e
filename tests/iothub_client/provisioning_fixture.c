#include "provisioning_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void copy(char *out, size_t cap, const void *from, size_t len)
{
    size_t n = len < cap ? len : cap - 1;

    if (n > 0) {
        memcpy(out, from, n);
    }
    out[n] = '\0';
}

/* Checks that a text for people contains no key and no signature. */
static void check_no_secret(const char *text)
{
    if (strstr(text, "sig=") != NULL || strstr(text, "AAECAwQF") != NULL) {
        fail_msg("a secret in: %s", text);
    }
}

/* --- the service ------------------------------------------------------------------------- */

/* Sends like fake_hub_send, but only cut_at bytes of the packet. */
static void send_cut(const provisioning_fixture *f, scripted_stream *s, const char *topic,
                     const char *body)
{
    uint8_t packet[2048];
    const size_t topic_len = strlen(topic);
    const size_t body_len = strlen(body);
    size_t rest = 2 + topic_len + body_len;
    size_t n = 0;

    packet[n++] = 0x30;
    for (; rest > 0x7F; rest >>= 7) {
        packet[n++] = (uint8_t)(rest | 0x80u);
    }
    packet[n++] = (uint8_t)rest;
    packet[n++] = (uint8_t)(topic_len >> 8);
    packet[n++] = (uint8_t)topic_len;
    memcpy(packet + n, topic, topic_len);
    memcpy(packet + n + topic_len, body, body_len);
    n += topic_len + body_len;
    scripted_feed(s, packet, n < f->cut_at ? n : f->cut_at);
    if (n > f->cut_at && f->cut_closes) {
        s->recv_then = PLAT_EOF;
    }
}

static void answer(provisioning_fixture *f, scripted_stream *s, const fake_hub_publish *question)
{
    const char *rid = strstr(question->topic, "$rid=");
    char topic[512];

    assert_non_null(rid);
    assert_true(f->reply_count > 0);
    const size_t n = f->asked < f->reply_count ? f->asked : f->reply_count - 1;
    const dps_reply *reply = &f->replies[n];
    f->asked++;
    if (reply->status == 0) {
        return;
    }
    snprintf(topic, sizeof topic, "$dps/registrations/res/%u/?%.*s%s", reply->status,
             (int)strcspn(rid, "&"), rid, reply->more != NULL ? reply->more : "");
    send_cut(f, s, topic, reply->body);
}

static void serve(scripted_stream *s, scripted_call call, plat_result r, void *user)
{
    provisioning_fixture *f = user;
    const bool service = strcmp(s->host, f->options.host) == 0;

    if (call == SCRIPTED_OPEN && r == PLAT_OK && !service) {
        copy(f->hub_host, sizeof f->hub_host, s->host, strlen(s->host));
        f->hub_opens++;
    }
    if (call != SCRIPTED_SEND || r != PLAT_OK) {
        return;
    }
    if (!service) {
        fake_hub_serve(&f->hub, s);
        return;
    }
    const unsigned before = f->dps.publishes;
    fake_hub_serve(&f->dps, s);
    for (unsigned n = before; n < f->dps.publishes; n++) {
        answer(f, s, fake_hub_at(&f->dps, n));
    }
}

/* --- callbacks ------------------------------------------------------------------------------ */

static void on_assigned(iothub_client *c, const iothub_assignment *a, void *user)
{
    provisioning_fixture *f = user;

    assert_ptr_equal(c, f->client);
    f->assigned_count++;
    copy(f->assigned_hub, sizeof f->assigned_hub, a->hub, strlen(a->hub));
    copy(f->assigned_id, sizeof f->assigned_id, a->device_id, strlen(a->device_id));
    copy(f->assigned_substatus, sizeof f->assigned_substatus, a->substatus, strlen(a->substatus));
    copy(f->assigned_payload, sizeof f->assigned_payload, a->payload.ptr, a->payload.len);
    f->assigned_from_cache = a->from_cache;
    assert_true(a->certificates_len <= sizeof f->assigned_certificates);
    assert_true((a->certificates == NULL) == (a->certificates_len == 0));
    f->assigned_certificates_len = a->certificates_len;
    if (a->certificates != NULL) {
        memcpy(f->assigned_certificates, a->certificates, a->certificates_len);
    }
    if (f->set_when_assigned != NULL) {
        assert_int_equal(iothub_set_credentials(c, f->set_when_assigned, 1), IOTHUB_OK);
    }
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    provisioning_fixture *f = user;

    (void)c;
    check_no_secret(s->text);
    f->states[f->status_count % DPS_STATUSES] = s->state;
    f->reasons[f->status_count % DPS_STATUSES] = s->reason;
    f->status_count++;
    f->retry_in_ms = s->retry_in_ms;
    if (s->reason != IOTHUB_OK) {
        copy(f->text, sizeof f->text, s->text, strlen(s->text));
    }
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    provisioning_fixture *f = user;

    (void)c;
    f->dones[f->done_count++ % DPS_DONES] = *d;
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    provisioning_fixture *f = user;
    const size_t at = strlen(f->log);

    check_no_secret(text);
    snprintf(f->log + at, sizeof f->log - at, "%d %s %s\n", (int)level, module, text);
}

/* --- set-up ----------------------------------------------------------------------------------- */

void provisioning_init(provisioning_fixture *f)
{
    memset(f, 0, sizeof *f);
    fake_platform_init(&f->platform);
    fake_kv_init(&f->kv);
    fake_hub_init(&f->dps);
    fake_hub_init(&f->hub);
    f->cut_at = SIZE_MAX;
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        f->platform.streams[i].after = serve;
        f->platform.streams[i].user = f;
    }
    iothub_provisioning_options_init(&f->options);
    f->options.id_scope = "0ne1";
    f->options.registration_id = "sn-007";
    f->options.key = K32;
    f->options.assigned = on_assigned;
    iothub_options_init(&f->client_options);
    f->client_options.platform = &f->platform.platform;
    f->client_options.rx_size = 8192;
    f->client_options.tx_size = 16384;
    f->client_options.request_size = 4096;
    f->client_options.log_level = IOTHUB_LOG_DEBUG;
    f->client_options.callbacks.log = on_log;
    f->client_options.callbacks.status = on_status;
    f->client_options.callbacks.done = on_done;
    f->client_options.user = f;
}

void provisioning_free(provisioning_fixture *f)
{
    check_no_secret(iothub_provisioning_error(f->registration)->text);
    iothub_provisioning_free(f->registration);
    iothub_free(f->client);
    fake_platform_free(&f->platform);
}

void provisioning_answers(provisioning_fixture *f, const dps_reply *replies, size_t count)
{
    f->replies = replies;
    f->reply_count = count;
    f->asked = 0;
}

void provisioning_make_registration(provisioning_fixture *f)
{
    iothub_error error;

    f->registration = iothub_provisioning_new(&f->options, &f->client_options, &error);
    if (f->registration == NULL) {
        fail_msg("iothub_provisioning_new: %s", error.text);
    }
}

void provisioning_expect_failure(const provisioning_fixture *f, iothub_result code,
                                 const char *text)
{
    assert_int_equal(iothub_provisioning_process(f->registration), IOTHUB_PROVISIONING_FAILED);
    const iothub_error *error = iothub_provisioning_error(f->registration);
    assert_int_equal(error->code, code);
    if (strstr(error->text, text) == NULL) {
        fail_msg("\"%s\" does not contain \"%s\"", error->text, text);
    }
}

void provisioning_make_client(provisioning_fixture *f)
{
    iothub_error error;

    f->client = iothub_new_provisioned(&f->options, &f->client_options, &error);
    if (f->client == NULL) {
        fail_msg("iothub_new_provisioned: %s", error.text);
    }
}

/* --- driving ------------------------------------------------------------------------------------
 */

static iothub_poll poll_info(provisioning_fixture *f)
{
    iothub_poll p;

    if (f->client != NULL) {
        iothub_poll_info(f->client, &p);
    } else {
        iothub_provisioning_poll_info(f->registration, &p);
    }
    return p;
}

static bool has_input(const provisioning_fixture *f, const iothub_poll *p)
{
    bool unread = false;

    for (size_t i = 0; i < f->platform.net.made; i++) {
        const scripted_stream *s = &f->platform.streams[i];
        const bool ended = s->recv_then != PLAT_WOULD_BLOCK;
        unread = unread || (s->state == SCRIPTED_READY && (scripted_unread(s) > 0 || ended));
    }
    return unread && (p->fds[0].want_read || p->fds[1].want_read);
}

void provisioning_run(provisioning_fixture *f)
{
    for (int round = 0; round < 10000; round++) {
        if (f->client != NULL) {
            assert_int_equal(iothub_process(f->client), IOTHUB_OK);
        } else {
            (void)iothub_provisioning_process(f->registration);
        }
        const iothub_poll p = poll_info(f);
        if (p.timeout_ms != 0 && !has_input(f, &p)) {
            return;
        }
    }
    fail_msg("it never comes to rest");
}

void provisioning_sleep(provisioning_fixture *f, uint64_t ms)
{
    while (ms > 0) {
        const iothub_poll p = poll_info(f);
        const uint64_t step =
            p.timeout_ms < 0 || (uint64_t)p.timeout_ms > ms ? ms : (uint64_t)p.timeout_ms;
        fake_clock_advance(&f->platform.clock, step);
        ms -= step;
        provisioning_run(f);
    }
}

scripted_stream *provisioning_dps_stream(provisioning_fixture *f)
{
    for (size_t i = 0; i < f->platform.net.made; i++) {
        scripted_stream *s = &f->platform.streams[i];
        if (s->state != SCRIPTED_CLOSED && strcmp(s->host, f->options.host) == 0) {
            return s;
        }
    }
    return NULL;
}

unsigned provisioning_entered(const provisioning_fixture *f, iothub_state state)
{
    unsigned n = 0;

    assert_true(f->status_count <= DPS_STATUSES);
    for (unsigned i = 0; i < f->status_count; i++) {
        n += f->states[i] == state ? 1 : 0;
    }
    return n;
}
