#include <stdio.h>

#include "certificate_fixture.h"
#include "client_fixture.h"
#include "fake_kv.h"
#include "fake_store.h"

/* Tests a client whose certificate renews itself, with a fake hub and a fake issuer. */

#define NOW    1700000000 /* time of the fake clock */
#define CSR    "$iothub/credentials/POST/issueCertificate/?$rid="
#define ANSWER "$iothub/credentials/res/"

enum { LIFE_S = 100000, HOUR_MS = 3600000 };

static fake_issuer issuer;
static fake_kv kv;
static iothub_certificate_options wanted;
static iothub_certificate_info reported; /* by the latest call of changed */
static unsigned reports;
static uint64_t memory[IOTHUB_CERTIFICATE_SIZE / sizeof(uint64_t)];

static void on_changed(iothub_client *c, const iothub_certificate_info *info, void *user)
{
    client_fixture *f = user;

    assert_ptr_equal(c, f->client);
    fixture_check_unlocked(f);
    reported = *info;
    reports++;
}

static void with_certificate(iothub_options *o)
{
    fake_platform *p = &((client_fixture *)o->user)->platform;
    iothub_error error;

    p->identities = issuer.identities;
    p->platform.identities = &issuer.identities;
    wanted.platform = o->platform;
    o->certificate = iothub_certificate_init(memory, sizeof memory, &wanted, &error);
    if (o->certificate == NULL) {
        fail_msg("%s", error.text);
    }
    o->callbacks.desired = NULL;
    o->retry_min_ms = 1000;
    o->auth_retry_min_ms = 300000;
}

static void prepare(void)
{
    fake_issuer_init(&issuer);
    fake_kv_init(&kv);
    iothub_certificate_options_init(&wanted);
    wanted.maker = &issuer.maker;
    wanted.cache = &kv.base;
    wanted.changed = on_changed;
    reports = 0;
    memset(&reported, 0, sizeof reported);
}

static void begin(client_fixture *f)
{
    fixture_init(f, with_certificate);
    fixture_connect(f);
    fixture_run(f);
}

static void end(client_fixture *f)
{
    iothub_certificate *certificate = f->options.certificate;

    fixture_free(f);
    iothub_certificate_deinit(certificate);
    assert_int_equal(issuer.alive, 0);
}

static iothub_certificate_info info_of(const client_fixture *f)
{
    iothub_certificate_info info;

    iothub_certificate_get(f->options.certificate, &info);
    return info;
}

static iothub_certificate_state state_of(const client_fixture *f)
{
    return info_of(f).state;
}

/* Returns the id of the latest request. */
static const char *rid_of(const client_fixture *f)
{
    const fake_hub_publish *p = fake_hub_last(&f->hub, CSR);

    assert_non_null(p);
    return p->topic + strlen(CSR);
}

static unsigned requests_of(const client_fixture *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->hub.publishes; i++) {
        n += strncmp(fake_hub_at(&f->hub, i)->topic, CSR, strlen(CSR)) == 0 ? 1 : 0;
    }
    return n;
}

static void answer_as(client_fixture *f, const char *rid, int status, const char *body)
{
    char topic[128];

    snprintf(topic, sizeof topic, ANSWER "%d/?$rid=%s", status, rid);
    fake_hub_send(fixture_stream(f), topic, body, strlen(body), 0);
    fixture_run(f);
}

static void answer(client_fixture *f, int status, const char *body)
{
    answer_as(f, rid_of(f), status, body);
}

/* Issues a certificate for the latest key. The client may change to it in this turn. */
static void issue(client_fixture *f, int64_t from_s, int64_t until_s)
{
    char body[256];

    fake_issuer_answer(body, sizeof body, f->platform.platform.crypto, issuer.keys, from_s,
                       until_s);
    answer(f, 200, body);
}

static void issue_now(client_fixture *f)
{
    const int64_t now_s = (int64_t)f->platform.clock.wall_ms / 1000;

    issue(f, now_s, now_s + LIFE_S);
    fixture_sleep(f, 3000); /* the change of the connection */
}

/* --- the usual course -------------------------------------------------------------- */

static void it_names_the_preview_api_and_subscribes_to_answers(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);

    assert_non_null(strstr(f.hub.user_name, "/?api-version=2025-08-01-preview&"));
    assert_non_null(strstr(f.hub.held, ANSWER "#"));
    end(&f);
}

static void it_requests_a_certificate_and_logs_in_with_it(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);

    assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_REQUESTED);
    assert_non_null(strstr(fake_hub_last(&f.hub, CSR)->payload, "{\"id\":\"device1\",\"csr\":\""));
    assert_null(strstr(fake_hub_last(&f.hub, CSR)->payload, "replace"));
    answer(&f, 202, "{\"correlationId\":\"c\",\"operationExpires\":\"2030-01-01T00:00:00Z\"}");
    assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_ACCEPTED);
    assert_int_equal(kv.puts, 0);
    issue_now(&f);

    const iothub_certificate_info info = info_of(&f);
    assert_int_equal(info.state, IOTHUB_CERTIFICATE_VALID);
    assert_true(info.issued);
    assert_true(info.saved);
    assert_int_equal(info.renewals, 1);
    assert_int_equal(info.not_after_s - info.not_before_s, LIFE_S);
    assert_int_equal(kv.puts, 1);
    assert_int_equal(reports, 1);
    assert_int_equal(reported.fault.code, IOTHUB_OK);
    assert_non_null(fixture_stream(&f)->identity);
    assert_string_equal(f.hub.password, "");
    assert_int_equal(issuer.alive, 1);
    end(&f);
}

static void it_renews_after_four_fifths_of_the_life_within_a_twentieth(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        client_fixture f;
        prepare();
        begin(&f);
        f.platform.crypto.seed = round;
        issue_now(&f);
        const int64_t at_s = info_of(&f).renew_at_s - info_of(&f).not_before_s;
        assert_in_range(at_s, LIFE_S * 775 / 1000, LIFE_S * 825 / 1000);

        fixture_sleep(&f, (uint64_t)(at_s - 120) * 1000);
        assert_int_equal(requests_of(&f), 1);
        fixture_sleep(&f, 181000);
        assert_true(requests_of(&f) > 1);
        assert_int_equal(issuer.keys, 2);
        issue_now(&f);
        assert_int_equal(info_of(&f).renewals, 2);
        assert_int_equal(issuer.alive, 1); /* the old one is released */
        assert_int_equal(f.expiring_count, 0);
        end(&f);
    }
}

static void nothing_is_written_before_the_new_certificate_has_logged_in(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    issue_now(&f);

    iothub_certificate_renew(f.options.certificate);
    fixture_run(&f);
    f.hub.mute_connect = true;
    issue_now(&f);
    assert_int_equal(kv.puts, 1);
    assert_int_equal(issuer.alive, 2); /* the old one is still there */
    f.hub.mute_connect = false;
    fixture_sleep(&f, HOUR_MS);
    assert_int_equal(kv.puts, 2);
    assert_int_equal(issuer.alive, 1);
    end(&f);
}

/* --- what the hub answers ------------------------------------------------------------ */

static void an_accepted_request_is_answered_on_a_later_connection(void **state)
{
    (void)state;
    client_fixture f;
    char rid[64];
    prepare();
    begin(&f);
    answer(&f, 202, "{\"operationExpires\":\"2030-01-01T00:00:00Z\"}");
    snprintf(rid, sizeof rid, "%s", rid_of(&f));

    fixture_cut(&f);
    fixture_sleep(&f, 10000);
    assert_int_equal(fixture_last_status(&f)->state, IOTHUB_CONNECTED);
    assert_int_equal(requests_of(&f), 1);
    assert_int_equal(issuer.keys, 1);
    issue_now(&f);
    assert_int_equal(info_of(&f).renewals, 1);
    end(&f);
}

static void a_request_without_an_answer_is_repeated_with_the_same_id(void **state)
{
    (void)state;
    for (unsigned cut = 0; cut < 2; cut++) {
        client_fixture f;
        char rid[64];
        prepare();
        begin(&f);
        snprintf(rid, sizeof rid, "%s", rid_of(&f));

        if (cut == 1) {
            fixture_cut(&f);
        }
        fixture_sleep(&f, cut == 1 ? 10000 : 61000);
        assert_int_equal(requests_of(&f), 2);
        assert_string_equal(rid_of(&f), rid);
        assert_int_equal(issuer.keys, 1);
        /* The first one has arrived, so the hub refuses the second one. */
        char body[128];
        snprintf(body, sizeof body, "{\"errorCode\":409005,\"info\":{\"requestId\":\"%s\"}}", rid);
        answer(&f, 409, body);
        assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_ACCEPTED);
        issue_now(&f);
        assert_int_equal(info_of(&f).renewals, 1);
        end(&f);
    }
}

static void the_request_of_an_earlier_run_is_replaced(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"errorCode\":409005,\"info\":{\"requestId\":\"other\"}}", "{\"errorCode\":409005}", "?"
    };
    static const char *const replaced[] = { "\"replace\":\"other\"", "\"replace\":\"*\"",
                                            "\"replace\":\"*\"" };

    for (size_t i = 0; i < 3; i++) {
        client_fixture f;
        prepare();
        begin(&f);
        answer(&f, 409, bodies[i]);
        assert_int_equal(requests_of(&f), 2);
        assert_non_null(strstr(fake_hub_last(&f.hub, CSR)->payload, replaced[i]));
        /* It has ended meanwhile. */
        answer(&f, 412, "{\"errorCode\":412001}");
        assert_int_equal(requests_of(&f), 3);
        assert_null(strstr(fake_hub_last(&f.hub, CSR)->payload, "replace"));
        /* A hub that contradicts itself is not asked without a pause. */
        answer(&f, 412, "{\"errorCode\":412001}");
        assert_int_equal(requests_of(&f), 3);
        fixture_sleep(&f, 120000);
        assert_true(requests_of(&f) > 3);
        assert_int_equal(issuer.keys, 1);
        issue_now(&f);
        assert_int_equal(info_of(&f).renewals, 1);
        end(&f);
    }
}

static void a_busy_hub_is_asked_again_with_the_same_key_when_it_wants(void **state)
{
    (void)state;
    static const int statuses[] = { 429, 500, 503 };

    for (size_t i = 0; i < 3; i++) {
        client_fixture f;
        prepare();
        begin(&f);
        answer(&f, statuses[i], "{\"errorCode\":429002,\"retryAfter\":600}");
        assert_int_equal(reports, 1);
        assert_int_equal(reported.fault.code, IOTHUB_ERR_REJECTED);
        fixture_sleep(&f, 599000);
        assert_int_equal(requests_of(&f), 1);
        fixture_sleep(&f, 2000);
        assert_int_equal(requests_of(&f), 2);
        assert_int_equal(issuer.keys, 1);
        issue_now(&f);
        assert_int_equal(info_of(&f).failures, 0);
        assert_int_equal(info_of(&f).fault.code, IOTHUB_OK);
        end(&f);
    }
}

static void after_a_refusal_another_key_is_tried_much_later(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
    } refusals[] = {
        { 400, "{\"errorCode\":400040}" }, { 401, "" },   { 404, "{}" }, { 200, "{}" },
        { 200, "{\"certificates\":[]}" },  { 200, "no" }, { 302, "" },
    };

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        client_fixture f;
        prepare();
        begin(&f);
        answer(&f, refusals[i].status, refusals[i].body);
        assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_WANTED);
        assert_int_equal(info_of(&f).status, refusals[i].status);
        assert_int_not_equal(reported.fault.code, IOTHUB_OK);
        fixture_sleep(&f, 15000);
        assert_int_equal(requests_of(&f), 1);
        fixture_sleep(&f, 300000);
        assert_true(requests_of(&f) > 1);
        assert_int_equal(issuer.keys, 2);
        issue_now(&f);
        assert_int_equal(info_of(&f).renewals, 1);
        end(&f);
    }
}

static void a_certificate_for_another_key_is_refused(void **state)
{
    (void)state;
    client_fixture f;
    char body[256];
    prepare();
    begin(&f);
    fake_issuer_answer(body, sizeof body, f.platform.platform.crypto, 7, NOW, NOW + LIFE_S);

    answer(&f, 200, body);
    assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_WANTED);
    assert_int_equal(reported.fault.code, IOTHUB_ERR_CREDENTIAL);
    assert_int_equal(issuer.alive, 0);
    end(&f);
}

static void an_answer_that_is_cut_anywhere_leaves_the_old_credential(void **state)
{
    (void)state;
    char body[256];
    client_fixture f;
    prepare();
    begin(&f);
    fake_issuer_answer(body, sizeof body, f.platform.platform.crypto, 1, NOW, NOW + LIFE_S);
    const size_t whole = strlen(body);

    for (size_t len = 0; len < whole; len++) {
        char part[256];
        memcpy(part, body, len);
        part[len] = '\0';
        answer(&f, 200, part);
        assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_WANTED);
        assert_int_equal(fixture_last_status(&f)->state, IOTHUB_CONNECTED);
        iothub_certificate_renew(f.options.certificate);
        fixture_run(&f);
        assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_REQUESTED);
    }
    issue_now(&f);
    assert_int_equal(info_of(&f).renewals, 1);
    end(&f);
}

static void answers_to_other_requests_are_ignored(void **state)
{
    (void)state;
    client_fixture f;
    char body[256];
    prepare();
    begin(&f);
    fake_issuer_answer(body, sizeof body, f.platform.platform.crypto, 1, NOW, NOW + LIFE_S);

    answer_as(&f, "0", 200, body);
    answer_as(&f, "0123456789abcdef0123456789abcdef", 400, "{}");
    assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_REQUESTED);
    assert_int_equal(info_of(&f).status, 0);
    issue_now(&f);
    answer(&f, 200, body); /* once more */
    assert_int_equal(info_of(&f).renewals, 1);
    assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_VALID);
    end(&f);
}

static void an_answer_that_is_too_large_is_a_failure(void **state)
{
    (void)state;
    client_fixture f;
    static char body[9000];
    prepare();
    begin(&f);

    memset(body, 'x', sizeof body - 1);
    answer(&f, 200, body);
    assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_WANTED);
    assert_int_equal(reported.fault.code, IOTHUB_ERR_TOO_BIG);
    end(&f);
}

static void an_operation_that_expires_is_begun_again_with_another_key(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);

    answer(&f, 202, "{\"operationExpires\":\"2023-11-14T22:23:20Z\"}"); /* ten minutes later */
    fixture_sleep(&f, 590000);
    assert_int_equal(requests_of(&f), 1);
    fixture_sleep(&f, 20000);
    assert_int_equal(requests_of(&f), 2);
    assert_int_equal(issuer.keys, 2);
    end(&f);
}

/* --- the login ------------------------------------------------------------------------- */

static void a_refused_certificate_leaves_the_old_credential_in_use(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);

    f.hub.return_code = 5;
    issue(&f, NOW, NOW + LIFE_S);
    fixture_sleep(&f, 20000);
    assert_int_equal(reported.fault.code, IOTHUB_ERR_AUTH);
    assert_int_equal(issuer.alive, 0);
    assert_int_equal(kv.puts, 0);
    f.hub.return_code = 0;
    fixture_sleep(&f, HOUR_MS);
    assert_int_equal(fixture_last_status(&f)->state, IOTHUB_CONNECTED);
    assert_null(fixture_stream(&f)->identity);
    assert_int_equal(issuer.keys, 2); /* another key was tried later */
    end(&f);
}

static void the_other_credential_is_used_when_the_certificate_is_refused_later(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    issue_now(&f);
    assert_non_null(fixture_stream(&f)->identity);

    f.hub.return_code = 5;
    fixture_cut(&f);
    const unsigned before = f.hub.connects;
    while (f.hub.connects < before + 2) {
        fixture_sleep(&f, 100);
    }
    f.hub.return_code = 0;
    fixture_sleep(&f, 10000);
    assert_int_equal(fixture_last_status(&f)->state, IOTHUB_CONNECTED);
    assert_string_not_equal(f.hub.password, "");
    assert_int_equal(requests_of(&f), 2); /* a new certificate is wanted */
    issue_now(&f);
    assert_non_null(fixture_stream(&f)->identity);
    end(&f);
}

static void the_application_cannot_replace_the_credentials(void **state)
{
    (void)state;
    const iothub_credential own = iothub_key_credential("AAAA", NULL);
    client_fixture f;
    prepare();
    begin(&f);

    assert_int_equal(iothub_set_credentials(f.client, &own, 1), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "options.certificate"));
    assert_int_equal(iothub_set_token(f.client, "SharedAccessSignature sr=x"), IOTHUB_ERR_STATE);
    end(&f);
}

/* --- the next run ------------------------------------------------------------------------ */

static void the_next_run_logs_in_with_the_saved_certificate(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    issue_now(&f);
    end(&f);

    begin(&f);
    assert_int_equal(f.hub.connects, 1);
    assert_non_null(fixture_stream(&f)->identity);
    assert_int_equal(requests_of(&f), 0);
    assert_int_equal(state_of(&f), IOTHUB_CERTIFICATE_VALID);
    assert_true(info_of(&f).saved);
    assert_int_equal(info_of(&f).renewals, 0);
    assert_int_equal(kv.puts, 1);
    end(&f);
}

static void a_saved_certificate_of_no_use_is_replaced(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < 4; fault++) {
        client_fixture f;
        prepare();
        begin(&f);
        issue_now(&f);
        end(&f);

        issuer.fail_identity = fault == 0;
        kv.values[0].len -= fault == 1 ? 1 : 0;
        kv.get_fails = fault == 2 ? PLAT_ERR_STORE : PLAT_OK;
        fixture_init(&f, with_certificate);
        issuer.fail_identity = false;
        if (fault == 3) { /* expired */
            fake_clock_advance(&f.platform.clock, (uint64_t)(LIFE_S + 1) * 1000);
        } else {
            assert_int_not_equal(info_of(&f).fault.code, IOTHUB_OK);
        }
        fixture_connect(&f);
        fixture_run(&f);
        assert_string_not_equal(f.hub.password, "");
        assert_int_equal(requests_of(&f), 1);
        issue_now(&f);
        assert_int_equal(info_of(&f).renewals, 1);
        assert_int_equal(info_of(&f).fault.code, IOTHUB_OK);
        end(&f);
    }
}

static void a_cache_that_fails_costs_only_the_next_run(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    kv.put_fails = PLAT_ERR_STORE;
    begin(&f);
    issue_now(&f);

    assert_int_equal(info_of(&f).renewals, 1);
    assert_false(info_of(&f).saved);
    end(&f);
}

static void it_may_serve_a_second_client_after_the_first(void **state)
{
    (void)state;
    iothub_certificate *certificate;
    iothub_error error;
    client_fixture f;
    prepare();
    wanted.cache = NULL;
    begin(&f);
    issue_now(&f);

    assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error));
    assert_non_null(strstr(error.text, "in use by another client"));
    certificate = f.options.certificate;
    iothub_free(f.client);
    f.client = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error);
    assert_non_null(f.client);
    fixture_connect(&f);
    assert_non_null(fixture_stream(&f)->identity);
    assert_ptr_equal(certificate, f.options.certificate);
    end(&f);
}

static void a_second_client_saves_only_what_has_logged_in(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    issue_now(&f);
    iothub_certificate_renew(f.options.certificate);
    fixture_run(&f);
    f.hub.mute_connect = true;
    issue_now(&f); /* received, but not logged in */
    assert_int_equal(kv.puts, 1);
    iothub_free(f.client);

    f.hub.mute_connect = false;
    f.client = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, NULL);
    assert_non_null(f.client);
    fixture_connect(&f);
    fixture_run(&f);
    assert_non_null(fixture_stream(&f)->identity);
    assert_int_equal(kv.puts, 1);
    assert_int_equal(issuer.alive, 1);
    end(&f);
}

static void a_client_that_is_refused_leaves_store_and_certificate_free(void **state)
{
    (void)state;
    client_fixture f;
    fake_store store;
    int other;
    prepare();
    begin(&f);
    iothub_free(f.client);
    fake_store_init(&store);
    f.options.store = &store.base;

    store.base.user = &other; /* the store is refused */
    f.client = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, NULL);
    assert_null(f.client);
    store.base.user = NULL;
    f.options.rx_size = IOTHUB_CERTIFICATE_RX_MIN - 1; /* the certificate is refused */
    f.client = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, NULL);
    assert_null(f.client);
    f.options.rx_size = IOTHUB_CERTIFICATE_RX_MIN;
    f.client = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, NULL);
    assert_non_null(f.client);
    end(&f);
}

/* --- clocks -------------------------------------------------------------------------------- */

static void without_a_clock_nothing_is_renewed(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    issue_now(&f);

    fake_clock_set_wall(&f.platform.clock, 0);
    fixture_sleep(&f, (uint64_t)LIFE_S * 1000 / 2);
    assert_int_equal(requests_of(&f), 1);
    fake_clock_set_wall(&f.platform.clock, NOW + LIFE_S * 9 / 10);
    fixture_sleep(&f, 61000);
    assert_int_equal(requests_of(&f), 2);
    end(&f);
}

static void a_clock_that_jumps_renews_within_a_minute(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    issue_now(&f);

    f.platform.clock.wall_ms += 10 * 365 * 86400 * INT64_C(1000);
    fixture_sleep(&f, 61000);
    assert_int_equal(requests_of(&f), 2);
    end(&f);
}

/* --- failures at home ---------------------------------------------------------------------------
 */

static void a_key_that_cannot_be_made_is_tried_again_later(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < 2; fault++) {
        client_fixture f;
        prepare();
        issuer.fail_key = fault == 0 ? 1 : 0;
        issuer.fail_csr = fault == 1;
        begin(&f);
        assert_int_equal(requests_of(&f), 0);
        assert_int_equal(reported.fault.code, IOTHUB_ERR_CRYPTO);
        assert_int_equal(fixture_last_status(&f)->state, IOTHUB_CONNECTED);
        issuer.fail_csr = false;
        fixture_sleep(&f, 300000);
        assert_true(requests_of(&f) > 0);
        end(&f);
    }
}

static void renew_ends_the_wait_after_a_failure(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    answer(&f, 400, "{}");

    iothub_certificate_renew(f.options.certificate);
    fixture_run(&f);
    assert_int_equal(requests_of(&f), 2);
    iothub_certificate_renew(f.options.certificate); /* it is on its way already */
    fixture_run(&f);
    assert_int_equal(requests_of(&f), 2);
    end(&f);
}

static void other_messages_go_on_as_before(void **state)
{
    (void)state;
    client_fixture f;
    prepare();
    begin(&f);
    for (unsigned i = 0; i < 50; i++) {
        const iothub_op op = fixture_send(&f, "{}");
        if (i % 5 == 0) {
            iothub_certificate_renew(f.options.certificate);
            fixture_run(&f);
            issue(&f, NOW, NOW + LIFE_S);
        }
        fixture_sleep(&f, 3000);
        iothub_result how;
        assert_int_equal(fixture_ended(&f, op, &how), 1);
        assert_int_equal(how, IOTHUB_OK);
    }
    assert_int_equal(info_of(&f).renewals, 10);
    assert_int_equal(issuer.alive, 1);
    end(&f);
}

/* --- mistakes
 * -------------------------------------------------------------------------------------- */

static void a_client_must_have_room_for_requests_and_answers(void **state)
{
    (void)state;
    client_fixture f;
    iothub_error error;
    prepare();
    begin(&f);
    iothub_free(f.client);
    f.client = NULL;

    f.options.rx_size = IOTHUB_CERTIFICATE_RX_MIN - 1;
    assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "rx_size must be at least 8192"));
    f.options.rx_size = IOTHUB_CERTIFICATE_RX_MIN;
    assert_null(iothub_new("HostName=h.net;DeviceId=d;ModuleId=m;SharedAccessKey=AAAA", &f.options,
                           &error));
    assert_int_equal(error.code, IOTHUB_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.text, "module"));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_names_the_preview_api_and_subscribes_to_answers),
        cmocka_unit_test(it_requests_a_certificate_and_logs_in_with_it),
        cmocka_unit_test(it_renews_after_four_fifths_of_the_life_within_a_twentieth),
        cmocka_unit_test(nothing_is_written_before_the_new_certificate_has_logged_in),
        cmocka_unit_test(an_accepted_request_is_answered_on_a_later_connection),
        cmocka_unit_test(a_request_without_an_answer_is_repeated_with_the_same_id),
        cmocka_unit_test(the_request_of_an_earlier_run_is_replaced),
        cmocka_unit_test(a_busy_hub_is_asked_again_with_the_same_key_when_it_wants),
        cmocka_unit_test(after_a_refusal_another_key_is_tried_much_later),
        cmocka_unit_test(a_certificate_for_another_key_is_refused),
        cmocka_unit_test(an_answer_that_is_cut_anywhere_leaves_the_old_credential),
        cmocka_unit_test(answers_to_other_requests_are_ignored),
        cmocka_unit_test(an_answer_that_is_too_large_is_a_failure),
        cmocka_unit_test(an_operation_that_expires_is_begun_again_with_another_key),
        cmocka_unit_test(a_refused_certificate_leaves_the_old_credential_in_use),
        cmocka_unit_test(the_other_credential_is_used_when_the_certificate_is_refused_later),
        cmocka_unit_test(the_application_cannot_replace_the_credentials),
        cmocka_unit_test(the_next_run_logs_in_with_the_saved_certificate),
        cmocka_unit_test(a_saved_certificate_of_no_use_is_replaced),
        cmocka_unit_test(a_cache_that_fails_costs_only_the_next_run),
        cmocka_unit_test(it_may_serve_a_second_client_after_the_first),
        cmocka_unit_test(a_second_client_saves_only_what_has_logged_in),
        cmocka_unit_test(a_client_that_is_refused_leaves_store_and_certificate_free),
        cmocka_unit_test(without_a_clock_nothing_is_renewed),
        cmocka_unit_test(a_clock_that_jumps_renews_within_a_minute),
        cmocka_unit_test(a_key_that_cannot_be_made_is_tried_again_later),
        cmocka_unit_test(renew_ends_the_wait_after_a_failure),
        cmocka_unit_test(other_messages_go_on_as_before),
        cmocka_unit_test(a_client_must_have_room_for_requests_and_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
