#include "provisioning_fixture.h"

#include <stdio.h>

/* Tests one conversation with the service from outside. */

#define ASSIGNED DPS_ASSIGNED_BODY("myhub.azure-devices.net", "device1")

static void a_device_is_assigned_after_some_polls(void **state)
{
    static const dps_reply replies[] = {
        { 202, "&retry-after=3", DPS_ASSIGNING_BODY },
        { 202, "&retry-after=2", DPS_ASSIGNING_BODY },
        { 200, NULL, ASSIGNED },
    };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    provisioning_run(&f);
    assert_string_equal(f.dps.client_id, "sn-007");
    assert_string_equal(f.dps.user_name, "0ne1/registrations/sn-007/api-version=2021-06-01"
                                         "&ClientVersion=iothub_device%2F0.1.0");
    assert_true(f.dps.clean_session);
    assert_string_equal(f.dps.filters, "$dps/registrations/res/#");
    assert_string_equal(fake_hub_at(&f.dps, 0)->topic,
                        "$dps/registrations/PUT/iotdps-register/?$rid=1");
    assert_string_equal(fake_hub_at(&f.dps, 0)->payload, "{\"registrationId\":\"sn-007\"}");
    assert_int_equal(f.asked, 1);
    provisioning_sleep(&f, 2999);
    assert_int_equal(f.asked, 1);
    provisioning_sleep(&f, 400); /* up to an eighth of the wait is random */
    assert_int_equal(f.asked, 2);
    assert_string_equal(fake_hub_at(&f.dps, 1)->topic,
                        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2"
                        "&operationId=4.op-1");
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_RUNS);
    assert_null(iothub_provisioning_answer(f.registration));
    provisioning_sleep(&f, 2300);

    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    const iothub_assignment *a = iothub_provisioning_answer(f.registration);
    assert_string_equal(a->hub, "myhub.azure-devices.net");
    assert_string_equal(a->device_id, "device1");
    assert_string_equal(a->substatus, "initialAssignment");
    assert_int_equal(a->payload.len, 0);
    assert_int_equal(f.assigned_count, 1);
    assert_int_equal(f.dps.disconnects, 1);
    assert_null(provisioning_dps_stream(&f));
    provisioning_free(&f);
}

static void the_password_is_a_token_for_the_registration(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ASSIGNED } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.id_scope = "0neFEEDC0DE";
    f.options.registration_id = "reg-1";
    f.client_options.sas_lifetime_s = 2;
    f.platform.clock.wall_ms =
        INT64_C(1700000000000) - 2000; /* the time for which the expected token is known */
    provisioning_make_registration(&f);

    provisioning_run(&f);
    assert_string_equal(f.dps.password,
                        "SharedAccessSignature sr=0neFEEDC0DE%2Fregistrations%2Freg-1"
                        "&sig=%2F1I%2Fjsk3yCiBuBdfQVbVHXelztGKRP6BFOviWvkD8N8%3D"
                        "&se=1700000000&skn=registration");
    provisioning_free(&f);
}

static void a_group_key_logs_in_with_the_derived_key(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ASSIGNED } };
    char derived[IOTHUB_DEVICE_KEY_SIZE];
    provisioning_fixture f;
    char password[1600];
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.key = NULL;
    f.options.group_key = K32;
    provisioning_make_registration(&f);
    provisioning_run(&f);
    snprintf(password, sizeof password, "%s", f.dps.password);
    provisioning_free(&f);

    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    assert_int_equal(
        iothub_derive_device_key(f.platform.platform.crypto, K32, "sn-007", derived, NULL),
        IOTHUB_OK);
    f.options.key = derived;
    provisioning_make_registration(&f);
    provisioning_run(&f);
    assert_string_equal(f.dps.password, password);
    provisioning_free(&f);
}

static void a_certificate_is_shown_in_tls_and_logs_in_without_a_password(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ASSIGNED } };
    plat_identity identity = { .info = { .common_name = "sn-007" } };
    const iothub_credential certificate = iothub_x509_credential(&identity);
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.key = NULL;
    f.options.credential = &certificate;
    provisioning_make_registration(&f);

    provisioning_run(&f);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    assert_ptr_equal(f.platform.streams[0].identity, &identity);
    assert_string_equal(f.dps.password, "");
    assert_string_equal(f.dps.client_id, "sn-007");
    provisioning_free(&f);
}

static void payloads_go_both_ways(void **state)
{
    static const dps_reply replies[] = {
        { 200, NULL,
          "{\"registrationState\":{\"status\":\"assigned\",\"assignedHub\":\"h.example\","
          "\"deviceId\":\"d\",\"payload\":{\"site\":[1,2]}}}" },
    };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.payload = "{\"modelId\":\"dtmi:com:example:Thermostat;1\"}";
    provisioning_make_registration(&f);

    provisioning_run(&f);
    assert_string_equal(fake_hub_at(&f.dps, 0)->payload,
                        "{\"registrationId\":\"sn-007\",\"payload\":{\"modelId\":"
                        "\"dtmi:com:example:Thermostat;1\"}}");
    assert_string_equal(f.assigned_payload, "{\"site\":[1,2]}");
    const iothub_assignment *a = iothub_provisioning_answer(f.registration);
    assert_memory_equal(a->payload.ptr, "{\"site\":[1,2]}", a->payload.len);
    provisioning_free(&f);
}

/* The service answers with a chain of two certificates: an empty SEQUENCE and one with a NULL. */
static const uint8_t issued[] = { 0x30, 0x00, 0x30, 0x02, 0x05, 0x00 };
#define ISSUED DPS_ISSUED_BODY("h.example", "d", "[\"MAA=\",\"MAIFAA==\"]")

static void set_up_with_csr(provisioning_fixture *f)
{
    provisioning_init(f);
    f->options.csr = "MAEA";
    f->options.api_version = "2025-07-01-preview";
}

static void a_certificate_request_is_answered_with_the_issued_chain(void **state)
{
    static const dps_reply replies[] = { { 202, "&retry-after=1", DPS_ASSIGNING_BODY },
                                         { 200, NULL, ISSUED } };
    provisioning_fixture f;
    (void)state;
    set_up_with_csr(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.payload = "{\"a\":1}";
    provisioning_make_registration(&f);

    provisioning_sleep(&f, 2000);
    assert_non_null(strstr(f.dps.user_name, "/api-version=2025-07-01-preview&"));
    assert_string_equal(fake_hub_at(&f.dps, 0)->payload,
                        "{\"registrationId\":\"sn-007\",\"payload\":{\"a\":1},\"csr\":\"MAEA\"}");
    assert_int_equal(f.assigned_certificates_len, sizeof issued);
    assert_memory_equal(f.assigned_certificates, issued, sizeof issued);
    const iothub_assignment *a = iothub_provisioning_answer(f.registration);
    assert_int_equal(a->certificates_len, sizeof issued);
    assert_memory_equal(a->certificates, issued, sizeof issued);
    provisioning_free(&f);
}

static void an_answer_without_a_chain_is_reported_and_logged(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ASSIGNED } };
    provisioning_fixture f;
    (void)state;
    set_up_with_csr(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    provisioning_run(&f);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    assert_null(iothub_provisioning_answer(f.registration)->certificates);
    assert_non_null(strstr(f.log, "issued no certificate"));
    provisioning_free(&f);
}

static void a_chain_that_was_not_requested_is_ignored(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ISSUED } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    provisioning_run(&f);
    assert_int_equal(f.assigned_count, 1);
    assert_int_equal(f.assigned_certificates_len, 0);
    provisioning_free(&f);
}

static void a_chain_that_cannot_be_read_fails_and_the_next_attempt_may_succeed(void **state)
{
    static const char *const broken[] = {
        DPS_ISSUED_BODY("h.example", "d", "[]"),
        DPS_ISSUED_BODY("h.example", "d", "\"MAA=\""),
        DPS_ISSUED_BODY("h.example", "d", "[\"MAA=\",7]"),
        DPS_ISSUED_BODY("h.example", "d", "[\"MAE=\"]"),
        DPS_ISSUED_BODY("h.example", "d", "[\"secret\"]"),
    };
    (void)state;

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        const dps_reply replies[] = { { 200, NULL, broken[i] }, { 200, NULL, ISSUED } };
        provisioning_fixture f;
        set_up_with_csr(&f);
        PROVISIONING_ANSWERS(&f, replies);
        provisioning_make_registration(&f);
        provisioning_run(&f);
        assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_WAITS);
        const iothub_error *error = iothub_provisioning_error(f.registration);
        assert_int_equal(error->code, IOTHUB_ERR_PROTOCOL);
        assert_non_null(strstr(error->text, "issued certificate chain"));
        assert_null(strstr(error->text, "secret"));
        assert_int_equal(f.assigned_count, 0);
        provisioning_sleep(&f, 60000);
        assert_int_equal(f.assigned_count, 1);
        assert_int_equal(f.assigned_certificates_len, sizeof issued);
        provisioning_free(&f);
    }
}

static void polls_without_an_operation_id_use_the_known_one(void **state)
{
    static const dps_reply replies[] = {
        { 202, "&retry-after=1", DPS_ASSIGNING_BODY },
        { 202, "&retry-after=1", "{\"status\":\"assigning\"}" },
        { 202, "&retry-after=1", "{}" },
        { 200, NULL, ASSIGNED },
    };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    provisioning_sleep(&f, 5000);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    for (unsigned n = 1; n < 4; n++) {
        assert_non_null(strstr(fake_hub_at(&f.dps, n)->topic, "operationId=4.op-1"));
    }
    provisioning_free(&f);
}

static void without_any_operation_id_the_device_registers_again(void **state)
{
    static const dps_reply replies[] = {
        { 202, "&retry-after=1", "{\"status\":\"assigning\"}" },
        { 202, "&retry-after=1", DPS_ASSIGNING_BODY },
        { 404, NULL, "{\"errorCode\":404203,\"message\":\"Operation not found\"}" },
        { 200, NULL, ASSIGNED },
    };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    provisioning_sleep(&f, 20000);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    assert_non_null(strstr(fake_hub_at(&f.dps, 1)->topic, "iotdps-register"));
    assert_non_null(strstr(fake_hub_at(&f.dps, 2)->topic, "operationId=4.op-1"));
    assert_non_null(strstr(fake_hub_at(&f.dps, 3)->topic, "iotdps-register"));
    provisioning_free(&f);
}

static void a_busy_service_is_asked_again_on_the_same_connection(void **state)
{
    static const dps_reply replies[] = {
        { 429, "&retry-after=5", "{\"errorCode\":429001,\"trackingId\":\"t-1\"}" },
        { 503, NULL, "nonsense" },
        { 202, "&retry-after=1", DPS_ASSIGNING_BODY },
        { 500, "&retry-after=1", "{\"errorCode\":500000}" },
        { 200, NULL, ASSIGNED },
    };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    provisioning_sleep(&f, 4999);
    assert_int_equal(f.asked, 1);
    provisioning_sleep(&f, 20000);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    assert_int_equal(f.dps.connects, 1);
    assert_int_equal(f.asked, 5);
    assert_non_null(strstr(fake_hub_at(&f.dps, 4)->topic, "operationId=4.op-1"));
    assert_non_null(strstr(f.log, "tracking id t-1"));
    provisioning_free(&f);
}

static void without_a_wait_of_its_own_a_busy_service_is_asked_soon_and_another_one_later(
    void **state)
{
    static const dps_reply busy[] = { { 503, NULL, "" }, { 200, NULL, ASSIGNED } };
    static const dps_reply assigning[] = { { 202, NULL, DPS_ASSIGNING_BODY },
                                           { 200, NULL, ASSIGNED } };
    unsigned sooner = 0;
    (void)state;

    for (uint32_t seed = 1; seed <= 20; seed++) { /* seeds of the random part of the waits */
        for (int which = 0; which < 2; which++) {
            provisioning_fixture f;
            provisioning_init(&f);
            f.platform.crypto.seed = seed;
            provisioning_answers(&f, which == 0 ? busy : assigning, 2);
            provisioning_make_registration(&f);
            provisioning_sleep(&f, 1000); /* retry_min_ms */
            assert_true(which == 1 || f.asked == 2);
            sooner += which == 1 && f.asked == 2 ? 1 : 0;
            provisioning_sleep(&f, 3000);
            assert_int_equal(f.asked, 2);
            provisioning_free(&f);
        }
    }
    assert_true(sooner < 15);
}

static void all_that_has_arrived_is_read_in_one_turn(void **state)
{
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    f.platform.streams[0].recv_max = 1;
    f.dps.mute_subscribe = true;
    provisioning_make_registration(&f);
    (void)iothub_provisioning_process(f.registration); /* CONNECT, and its answer of four bytes */
    (void)iothub_provisioning_process(f.registration);
    assert_int_equal(f.dps.subscribes, 1);
    provisioning_free(&f);
}

static void a_long_wait_is_obeyed_without_a_connection(void **state)
{
    static const dps_reply replies[] = {
        { 429, "&retry-after=3600", "{\"errorCode\":429001}" },
        { 200, NULL, ASSIGNED },
    };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_registration(&f);

    provisioning_run(&f);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_WAITS);
    assert_null(provisioning_dps_stream(&f));
    assert_int_equal(iothub_provisioning_error(f.registration)->code, IOTHUB_ERR_UNAVAILABLE);
    provisioning_sleep(&f, 3599000);
    assert_int_equal(f.asked, 1);
    provisioning_sleep(&f, 500000);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    provisioning_free(&f);
}

static void a_service_that_never_decides_ends_in_a_timeout(void **state)
{
    static const dps_reply replies[] = { { 202, "&retry-after=3", DPS_ASSIGNING_BODY } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.assign_timeout_ms = 60000;
    provisioning_make_registration(&f);

    provisioning_sleep(&f, 70000);
    assert_int_equal(f.dps.connects, 2); /* the next attempt */
    assert_non_null(strstr(iothub_provisioning_error(f.registration)->text, "assign_timeout_ms"));
    assert_true(f.asked >= 17 && f.asked <= 24);
    provisioning_free(&f);
}

static void a_refusal_ends_the_registration_with_its_remedy(void **state)
{
    static const struct {
        dps_reply reply;
        iothub_result code;
        const char *text;
    } refusals[] = {
        { { 401, NULL, "{\"errorCode\":401000,\"message\":\"x\"}" },
          IOTHUB_ERR_AUTH,
          "iothub derive-key" },
        { { 401, NULL, "{\"errorCode\":401002}" }, IOTHUB_ERR_AUTH, "intermediates" },
        { { 400, NULL, "{\"errorCode\":400004}" }, IOTHUB_ERR_REJECTED, "api_version" },
        { { 400, NULL, "{\"errorCode\":400207}" }, IOTHUB_ERR_REJECTED, "custom allocation" },
        { { 404, NULL, "{\"errorCode\":404201}" }, IOTHUB_ERR_REJECTED, "no enrolment" },
        { { 403, NULL, "" }, IOTHUB_ERR_REJECTED, "enabled" },
        { { 200, NULL, "{\"status\":\"disabled\"}" }, IOTHUB_ERR_REJECTED, "disabled" },
        { { 200, NULL, "{\"status\":\"unassigned\"}" }, IOTHUB_ERR_REJECTED, "link a hub" },
        { { 200, NULL, "{\"status\":\"failed\",\"registrationState\":{\"errorCode\":400207}}" },
          IOTHUB_ERR_REJECTED,
          "custom allocation" },
        { { 200, NULL,
            "{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h.example\","
            "\"deviceId\":\"d\",\"connectionProfile\":\"mqttV5\"}}" },
          IOTHUB_ERR_UNSUPPORTED,
          "connection profile \"mqttV5\"" },
    };
    (void)state;

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        provisioning_fixture f;
        provisioning_init(&f);
        provisioning_answers(&f, &refusals[i].reply, 1);
        provisioning_make_registration(&f);
        provisioning_sleep(&f, 1000);
        provisioning_expect_failure(&f, refusals[i].code, refusals[i].text);
        assert_null(provisioning_dps_stream(&f));
        provisioning_sleep(&f, 10000000); /* nothing changes afterwards */
        assert_int_equal(f.asked, 1);
        provisioning_free(&f);
    }
}

/* --- faults ----------------------------------------------------------------------------------- */

/* Lets time pass until the registration waits for its next attempt or has ended. */
static iothub_provisioning_state settle(provisioning_fixture *f)
{
    for (int n = 0; n < 100; n++) {
        iothub_provisioning_state s = iothub_provisioning_process(f->registration);
        if (s != IOTHUB_PROVISIONING_RUNS) {
            return s;
        }
        provisioning_sleep(f, 1000);
    }
    fail_msg("it hangs");
    return IOTHUB_PROVISIONING_RUNS;
}

static void an_answer_cut_at_any_byte_is_no_hang_and_the_next_attempt_succeeds(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ASSIGNED } };
    (void)state;

    /* the lengths of the fixed header, the topic with its length, and the payload */
    const size_t whole = 3 + 2 + strlen("$dps/registrations/res/200/?$rid=1") + strlen(ASSIGNED);
    for (size_t cut = 0; cut < 2 * whole; cut++) {
        provisioning_fixture f;
        provisioning_init(&f);
        PROVISIONING_ANSWERS(&f, replies);
        f.cut_at = cut / 2;
        f.cut_closes = cut % 2 != 0;
        f.client_options.request_timeout_ms = 20000;
        provisioning_make_registration(&f);
        assert_int_equal(settle(&f), IOTHUB_PROVISIONING_WAITS);
        assert_null(provisioning_dps_stream(&f));
        f.cut_at = SIZE_MAX;
        for (size_t i = 0; i < FAKE_STREAMS; i++) {
            f.platform.streams[i].recv_then = PLAT_WOULD_BLOCK;
        }
        provisioning_sleep(&f, 60000);
        assert_int_equal(settle(&f), IOTHUB_PROVISIONING_ASSIGNED);
        provisioning_free(&f);
    }
}

static void each_call_of_the_stream_may_fail(void **state)
{
    static const dps_reply replies[] = {
        { 202, "&retry-after=1", DPS_ASSIGNING_BODY },
        { 200, NULL, ASSIGNED },
        { 200, NULL, ASSIGNED },
    };
    static const plat_result results[] = { PLAT_ERR_DNS, PLAT_ERR_IO, PLAT_ERR_CERT_DATE,
                                           PLAT_ERR_TLS, PLAT_EOF };
    unsigned failures = 0;
    (void)state;

    for (unsigned nth = 1; nth < 30; nth++) {
        for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
            provisioning_fixture f;
            provisioning_init(&f);
            PROVISIONING_ANSWERS(&f, replies);
            scripted_fail(&f.platform.streams[0], SCRIPTED_ANY, nth, results[i]);
            provisioning_make_registration(&f);
            provisioning_sleep(&f, 60000);
            assert_int_equal(settle(&f), IOTHUB_PROVISIONING_ASSIGNED);
            failures += iothub_provisioning_error(f.registration)->code != IOTHUB_OK ? 1 : 0;
            provisioning_free(&f);
        }
    }
    assert_true(failures >= 5 * 12);
}

static void a_service_that_stops_answering_at_any_packet_is_noticed_in_time(void **state)
{
    static const dps_reply silence[] = { { 0, NULL, "" } };
    (void)state;

    for (int at = 0; at < 3; at++) {
        provisioning_fixture f;
        provisioning_init(&f);
        PROVISIONING_ANSWERS(&f, silence);
        f.dps.mute_connect = at == 0;
        f.dps.mute_subscribe = at == 1;
        provisioning_make_registration(&f);
        provisioning_sleep(&f, 61000);
        assert_true(iothub_provisioning_error(f.registration)->code == IOTHUB_ERR_TIMEOUT);
        provisioning_free(&f);
    }
}

static void each_stage_of_opening_has_its_deadline(void **state)
{
    static const plat_stage stages[] = { PLAT_STAGE_RESOLVE, PLAT_STAGE_CONNECT, PLAT_STAGE_TLS };
    static const char *const texts[] = { "resolve_timeout_ms", "connect_timeout_ms",
                                         "tls_timeout_ms" };
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        provisioning_fixture f;
        provisioning_init(&f);
        f.platform.streams[0].stall_at = stages[i];
        provisioning_make_registration(&f);
        provisioning_sleep(&f, 16000);
        assert_non_null(strstr(iothub_provisioning_error(f.registration)->text, texts[i]));
        provisioning_free(&f);
    }
}

static void refused_logins_are_told_apart(void **state)
{
    static const struct {
        uint8_t code;
        iothub_result result;
        iothub_provisioning_state state;
    } codes[] = { { 1, IOTHUB_ERR_PROTOCOL, IOTHUB_PROVISIONING_FAILED },
                  { 2, IOTHUB_ERR_AUTH, IOTHUB_PROVISIONING_FAILED },
                  { 3, IOTHUB_ERR_UNAVAILABLE, IOTHUB_PROVISIONING_WAITS },
                  { 4, IOTHUB_ERR_AUTH, IOTHUB_PROVISIONING_FAILED },
                  { 5, IOTHUB_ERR_AUTH, IOTHUB_PROVISIONING_FAILED } };
    (void)state;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        provisioning_fixture f;
        provisioning_init(&f);
        f.dps.return_code = codes[i].code;
        provisioning_make_registration(&f);
        provisioning_run(&f);
        assert_int_equal(iothub_provisioning_process(f.registration), codes[i].state);
        assert_int_equal(iothub_provisioning_error(f.registration)->code, codes[i].result);
        provisioning_free(&f);
    }
}

static void what_is_no_answer_to_the_question_is_ignored(void **state)
{
    static const dps_reply silence[] = { { 0, NULL, "" } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, silence);
    provisioning_make_registration(&f);
    provisioning_run(&f);
    scripted_stream *s = provisioning_dps_stream(&f);

    fake_hub_send(s, "$dps/registrations/res/200/?$rid=7", ASSIGNED, strlen(ASSIGNED), 0);
    fake_hub_send(s, "$iothub/twin/res/200/?$rid=1", ASSIGNED, strlen(ASSIGNED), 9);
    provisioning_run(&f);
    assert_int_equal(f.dps.acks, 1);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_RUNS);
    fake_hub_send(s, "$dps/registrations/res/200/?$rid=1", ASSIGNED, strlen(ASSIGNED), 10);
    provisioning_run(&f);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    provisioning_free(&f);
}

static void an_answer_larger_than_answer_size_names_the_option(void **state)
{
    static char body[1500];
    const dps_reply replies[] = { { 200, NULL, body } };
    provisioning_fixture f;
    (void)state;
    memset(body, ' ', sizeof body - 1);
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.answer_size = 1024;
    provisioning_make_registration(&f);

    provisioning_run(&f);
    provisioning_expect_failure(&f, IOTHUB_ERR_TOO_BIG,
                                "1499 bytes is larger than answer_size (1024)");
    provisioning_free(&f);
}

static void without_a_clock_nothing_is_sent_until_it_is_set(void **state)
{
    static const dps_reply replies[] = { { 200, NULL, ASSIGNED } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.platform.clock.wall_ms = 0;
    provisioning_make_registration(&f);

    provisioning_sleep(&f, 10000);
    assert_int_equal(iothub_provisioning_error(f.registration)->code, IOTHUB_ERR_NO_TIME);
    assert_int_equal(f.dps.connects, 0);
    f.platform.clock.wall_ms = INT64_C(1700000000000);
    provisioning_sleep(&f, 60000);
    assert_int_equal(iothub_provisioning_process(f.registration), IOTHUB_PROVISIONING_ASSIGNED);
    provisioning_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_assigned_after_some_polls),
        cmocka_unit_test(the_password_is_a_token_for_the_registration),
        cmocka_unit_test(a_group_key_logs_in_with_the_derived_key),
        cmocka_unit_test(a_certificate_is_shown_in_tls_and_logs_in_without_a_password),
        cmocka_unit_test(payloads_go_both_ways),
        cmocka_unit_test(a_certificate_request_is_answered_with_the_issued_chain),
        cmocka_unit_test(an_answer_without_a_chain_is_reported_and_logged),
        cmocka_unit_test(a_chain_that_was_not_requested_is_ignored),
        cmocka_unit_test(a_chain_that_cannot_be_read_fails_and_the_next_attempt_may_succeed),
        cmocka_unit_test(polls_without_an_operation_id_use_the_known_one),
        cmocka_unit_test(without_any_operation_id_the_device_registers_again),
        cmocka_unit_test(a_busy_service_is_asked_again_on_the_same_connection),
        cmocka_unit_test(
            without_a_wait_of_its_own_a_busy_service_is_asked_soon_and_another_one_later),
        cmocka_unit_test(all_that_has_arrived_is_read_in_one_turn),
        cmocka_unit_test(a_long_wait_is_obeyed_without_a_connection),
        cmocka_unit_test(a_service_that_never_decides_ends_in_a_timeout),
        cmocka_unit_test(a_refusal_ends_the_registration_with_its_remedy),
        cmocka_unit_test(an_answer_cut_at_any_byte_is_no_hang_and_the_next_attempt_succeeds),
        cmocka_unit_test(each_call_of_the_stream_may_fail),
        cmocka_unit_test(a_service_that_stops_answering_at_any_packet_is_noticed_in_time),
        cmocka_unit_test(each_stage_of_opening_has_its_deadline),
        cmocka_unit_test(refused_logins_are_told_apart),
        cmocka_unit_test(what_is_no_answer_to_the_question_is_ignored),
        cmocka_unit_test(an_answer_larger_than_answer_size_names_the_option),
        cmocka_unit_test(without_a_clock_nothing_is_sent_until_it_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
