#include "token_fixture.h"

/* Tests tokens that the application provides and replaces. */

static void a_ready_made_token_is_sent_as_it_is(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 3600);
    fixture_connect(&f);
    assert_string_equal(f.hub.password, device_token(3600));
    fixture_sleep(&f, 3500000);
    /* The client cannot renew this token, so it stays connected. */
    assert_int_equal(f.hub.connects, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_token_may_stand_anywhere_in_the_connection_string(void **state)
{
    (void)state;
    static const char *const orders[] = { "H;D;S", "H;S;D", "D;H;S", "D;S;H", "S;H;D", "S;D;H" };

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        char text[600] = "";
        client_fixture f;
        for (const char *o = orders[i]; *o != '\0'; o++) {
            strcat(text, *o == 'H'   ? "HostName=myhub.azure-devices.net"
                         : *o == 'D' ? "DeviceId=device1"
                         : *o == 'S' ? "SharedAccessSignature="
                                     : ";");
            strcat(text, *o == 'S' ? device_token(3600) : "");
        }
        fixture_init_as(&f, text, NULL);
        memset(text, 0, sizeof text); /* the client must have copied everything */
        fixture_connect(&f);
        assert_string_equal(fixture_stream(&f)->host, "myhub.azure-devices.net");
        assert_string_equal(f.hub.client_id, "device1");
        assert_string_equal(f.hub.password, device_token(3600));
        fixture_free(&f);
    }
}

static void a_later_token_may_be_longer(void **state)
{
    (void)state;
    char token[2048];
    char longest[121];
    client_fixture f;
    init_with_token(&f, 3600);
    fixture_connect(&f);
    memset(longest, 'p', 120);
    longest[120] = '\0';
    snprintf(token, sizeof token, "%s&skn=%s", device_token(7200), longest);

    assert_int_equal(iothub_set_token(f.client, token), IOTHUB_OK);
    fixture_sleep(&f, 60000);

    assert_int_equal(f.hub.connects, 2);
    assert_string_equal(f.hub.password, token);
    fixture_free(&f);
}

/* The memory is exactly as large as iothub_init asks for. */
static void a_later_token_may_be_128_bytes_longer_in_the_least_memory(void **state)
{
    (void)state;
    for (size_t growth = 100; growth <= 160; growth++) {
        char first[IOTHUB_SAS_TOKEN_SIZE];
        char later[IOTHUB_SAS_TOKEN_SIZE + 200];
        iothub_error error;
        client_fixture f;
        init_with_token(&f, 3600);
        snprintf(first, sizeof first, "%s", device_token(3600));
        const size_t len =
            IOTHUB_CLIENT_SIZE + missing_of(&f, with_token(first), IOTHUB_CLIENT_SIZE);
        void *memory = fixture_memory(len);
        iothub_free(f.client);
        f.client = iothub_init(memory, len, with_token(first), &f.options, &error);
        assert_non_null(f.client);
        snprintf(later, sizeof later, "%s&skn=%0*d", first, (int)growth - 5, 0);
        assert_int_equal(strlen(later), strlen(first) + growth);

        iothub_result r = iothub_set_token(f.client, later);
        fixture_connect(&f);

        assert_int_equal(r, growth <= 128 ? IOTHUB_OK : IOTHUB_ERR_MEMORY);
        assert_string_equal(f.hub.password, growth <= 128 ? later : first);
        fixture_free(&f);
        free(memory);
    }
}

/* Whatever is written into the scratch buffer for CONNECT must fit, however long it is. */
static void with_a_token_any_model_id_logs_in_in_the_least_memory(void **state)
{
    (void)state;
    static char model[1001];

    for (size_t len = 1; len <= 1000; len += len < 300 || len > 420 ? 37 : 1) {
        client_fixture f;
        init_with_token(&f, 3600);
        memset(model, 'm', len);
        model[len] = '\0';
        f.options.model_id = model;
        f.options.tx_size = 1024;
        void *memory = move_to_the_least(&f, with_token(device_token(3600)));

        fixture_connect(&f);

        assert_non_null(strstr(f.hub.user_name, "&model-id=m"));
        assert_int_equal(strlen(strstr(f.hub.user_name, "&model-id=")), 10 + len);
        fixture_free(&f);
        free(memory);
    }
}

/* When a token is checked, the scratch buffer holds the resource twice. */
static void a_token_for_the_longest_names_is_checked_in_the_least_memory(void **state)
{
    (void)state;
    static char device[129];
    static char host[192];
    static char text[IOTHUB_SAS_TOKEN_SIZE + 400];
    static char resource[400];
    memset(host, 'h', sizeof host - 1);
    host[63] = host[127] = '.';

    for (size_t len = 1; len <= 128; len++) {
        client_fixture f;
        memset(device, 'd', len);
        device[len] = '\0';
        snprintf(resource, sizeof resource, "%s/devices/%s", host, device);
        (void)snprintf(text, sizeof text, "HostName=%s;DeviceId=%s;SharedAccessSignature=%s", host,
                       device, make_token(resource, NOW + 100));
        init_with_token(&f, 3600);
        f.options.tx_size = 1024;
        void *memory = move_to_the_least(&f, text);

        fixture_connect(&f);

        assert_string_equal(f.hub.client_id, device);
        fixture_free(&f);
        free(memory);
    }
}

/* The check needs memory in which nothing else is stored. */
static void a_new_token_leaves_alone_what_waits(void **state)
{
    (void)state;
    client_fixture f;
    unsigned accepted = 0;
    char body[200] = "";
    init_with_token(&f, 3600);
    for (;;) {
        (void)snprintf(body, sizeof body, "message %u", accepted);
        const iothub_telemetry t = { .body = body, .body_len = sizeof body };
        if (iothub_send_telemetry(f.client, &t, NULL) != IOTHUB_OK) {
            break;
        }
        accepted++;
    }
    assert_true(accepted > 60);

    assert_int_equal(iothub_set_token(f.client, device_token(7200)), IOTHUB_OK);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    fixture_run(&f);

    unsigned n = 0;
    for (unsigned i = 0; i < f.hub.publishes; i++) {
        const fake_hub_publish *p = fake_hub_at(&f.hub, i);
        if (strstr(p->topic, "/messages/events/") != NULL) {
            (void)snprintf(body, sizeof body, "message %u", n++);
            assert_string_equal(p->topic, "devices/device1/messages/events/");
            assert_int_equal(p->payload_len, sizeof body);
            assert_memory_equal(p->payload, body, sizeof body);
        }
    }
    assert_int_equal(n, accepted);
    fixture_free(&f);
}

static void a_token_of_a_wider_scope_will_do(void **state)
{
    (void)state;
    static const char *const scopes[] = { "myhub.azure-devices.net",
                                          "myhub.azure-devices.net/devices",
                                          "MYHUB.azure-devices.net/devices/device1" };

    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        client_fixture f;
        fixture_init_as(&f, with_token(make_token(scopes[i], NOW + 100)), NULL);
        fixture_connect(&f);
        fixture_free(&f);
    }
}

static void a_token_for_another_resource_is_refused(void **state)
{
    (void)state;
    static const char *const scopes[] = {
        "myhub.azure-devices.net/devices/device",
        "myhub.azure-devices.net/devices/device10",
        "myhub.azure-devices.net/devices/device1/modules/m",
        "myhub.azure-devices.net/devices/device2",
        "myhub.azure-devices.ne",
        "other.azure-devices.net/devices/device1",
        "x",
    };
    client_fixture f;
    init_with_token(&f, 3600); /* used for its platform */

    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        iothub_error error;
        const char *token = make_token(scopes[i], NOW + 100);
        assert_null(iothub_new(with_token(token), &f.options, &error));
        assert_int_equal(error.code, IOTHUB_ERR_PART_INVALID);
        assert_null(strstr(error.text, "sig="));
        assert_int_equal(iothub_set_token(f.client, token), IOTHUB_ERR_PART_INVALID);
    }
    fixture_free(&f);
}

/* A resource is compared without regard to case; '@' and '[' are the neighbours of the letters
 * in ASCII. */
static void a_token_counts_in_any_case_of_letters(void **state)
{
    (void)state;
    static char text[IOTHUB_SAS_TOKEN_SIZE + 200];
    client_fixture f;
    iothub_error error;
    init_with_token(&f, 3600); /* used for its platform */
    const char *token =
        make_token("MYHUB.azure-devices.net/devices/abcdefghijklmnopqrstuvwxyz", NOW + 100);

    snprintf(text, sizeof text,
             "HostName=myhub.azure-devices.net;DeviceId=ABCDEFGHIJKLMNOPQRSTUVWXYZ;"
             "SharedAccessSignature=%s",
             token);
    iothub_client *c = iothub_new(text, &f.options, &error);
    if (c == NULL) {
        fail_msg("%s", error.text);
    }
    iothub_free(c);
    token = make_token("myhub.azure-devices.net/devices/`", NOW + 100);
    snprintf(text, sizeof text,
             "HostName=myhub.azure-devices.net;DeviceId=@;SharedAccessSignature=%s", token);
    assert_null(iothub_new(text, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_PART_INVALID);
    fixture_free(&f);
}

static void a_loop_wakes_for_the_notice_of_a_token(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    init_with_token(&f, 1000);
    f.hub.return_code = 3; /* stays unconnected, so that no other deadline is near in the end */
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    for (uint64_t slept = 0; f.expiring_count == 0; slept += (uint64_t)p.timeout_ms) {
        iothub_poll_info(f.client, &p);
        assert_true(p.timeout_ms >= 0 && slept + (uint64_t)p.timeout_ms <= 800000);
        fixture_sleep(&f, (uint64_t)p.timeout_ms);
    }
    fixture_free(&f);
}

static void the_end_of_a_token_is_announced_at_80_percent_and_when_it_comes(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 1000);
    fixture_connect(&f);

    fixture_sleep(&f, 799999);
    assert_int_equal(f.expiring_count, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(f.expiring_count, 1);
    assert_int_equal(f.seconds_left, 200);
    assert_non_null(strstr(f.log, "the SharedAccessSignature expires soon"));
    assert_null(strstr(f.log, "has expired"));
    fixture_sleep(&f, 199999);
    assert_int_equal(f.expiring_count, 1);
    fixture_sleep(&f, 1);
    assert_int_equal(f.expiring_count, 2);
    assert_non_null(strstr(f.log, "the SharedAccessSignature has expired"));
    assert_int_equal(f.seconds_left, 0);
    fixture_sleep(&f, 10000000);
    assert_int_equal(f.expiring_count, 2);
    fixture_free(&f);
}

/* The time in milliseconds must fit into 64 bits. */
static void the_end_of_a_token_may_be_as_far_away_as_it_likes(void **state)
{
    (void)state;
    static const uint64_t ends_s[] = { NOW + 1, INT64_C(2147483646999), INT64_C(2147483647000),
                                       INT64_C(2147483647001), UINT64_MAX };

    for (size_t i = 0; i < sizeof ends_s / sizeof ends_s[0]; i++) {
        const uint64_t most = UINT64_C(2147483647000);
        client_fixture f;
        fixture_init_as(&f, with_token(make_token(DEVICE_RESOURCE, ends_s[i])), NULL);
        const iothub_credential *c = credential_in_use(&f.client->session.credential);
        assert_true((uint64_t)c->type->validity(&f.client->context, c).until_s ==
                    (ends_s[i] < most ? ends_s[i] : most));
        fixture_connect(&f);
        assert_int_equal(f.expiring_count, 0);
        fixture_free(&f);
    }
}

static void a_clock_set_late_does_not_lose_the_notice(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 1000);
    fake_clock_set_wall(&f.platform.clock, 0);
    assert_int_equal(iothub_set_token(f.client, device_token(1000)), IOTHUB_OK);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_NO_TIME);

    fake_clock_set_wall(&f.platform.clock, NOW);
    fixture_sleep(&f, 10000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_sleep(&f, 850000);

    assert_int_equal(f.expiring_count, 1);
    fixture_free(&f);

    init_with_token(&f, 1000); /* a notice that is overdue is given, too */
    fake_clock_set_wall(&f.platform.clock, 0);
    assert_int_equal(iothub_set_token(f.client, device_token(1000)), IOTHUB_OK);
    fake_clock_set_wall(&f.platform.clock, NOW + 2000);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_sleep(&f, 10000);
    assert_int_equal(f.expiring_count, 1);
    assert_int_equal(f.seconds_left, 0);
    fixture_free(&f);
}

static void an_expired_token_is_named_and_no_connection_is_opened(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 0);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_TOKEN_EXPIRED);
    assert_int_equal(f.expiring_count, 1);
    assert_int_equal(f.seconds_left, 0);
    fixture_sleep(&f, 100000);
    assert_int_equal(f.platform.streams[0].calls[SCRIPTED_OPEN], 0);
    fixture_free(&f);
}

static void a_new_token_leads_to_a_planned_reconnect(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 1000);
    fixture_connect(&f);
    unsigned before = f.status_count;

    assert_int_equal(iothub_set_token(f.client, device_token(5000)), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(f.hub.connects, 2);
    assert_int_equal(f.hub.disconnects, 1);
    assert_string_equal(f.hub.password, device_token(5000));
    assert_int_equal(f.statuses[before].state, IOTHUB_RENEWING);
    for (unsigned i = before; i < f.status_count; i++) {
        assert_int_equal(f.statuses[i].reason, IOTHUB_OK);
    }
    fixture_sleep(&f, 3999999);
    assert_int_equal(f.expiring_count, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(f.expiring_count, 1);
    fixture_free(&f);
}

/* The client does not know how long the old token is valid. */
static void an_open_call_postpones_the_new_token_for_ten_seconds(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 3600);
    fixture_connect(&f);
    fake_hub_send(fixture_stream(&f), "$iothub/methods/POST/m/?$rid=5", "", 0, 0);
    fixture_run(&f);
    assert_int_equal(f.method_count, 1);

    assert_int_equal(iothub_set_token(f.client, device_token(7200)), IOTHUB_OK);
    fixture_sleep(&f, 9999);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_sleep(&f, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_RENEWING);
    assert_int_equal(iothub_method_respond(f.client, &f.tokens[0], 200, "", 0, NULL, NULL),
                     IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(f.hub.connects, 2);
    assert_string_equal(f.hub.password, device_token(7200));
    fixture_free(&f);
}

static void a_new_token_ends_the_wait_of_an_expired_one(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 0);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_sleep(&f, 30000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);

    assert_int_equal(iothub_set_token(f.client, device_token(5000)), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_token_that_comes_during_the_login_is_used_soon(void **state)
{
    (void)state;
    client_fixture f;
    init_with_token(&f, 1000);
    f.hub.mute_subscribe = true;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_SUBSCRIBING);
    assert_int_equal(iothub_set_token(f.client, device_token(5000)), IOTHUB_OK);

    f.hub.mute_subscribe = false;
    uint16_t id = f.client->engine.requests.pending[0].packet_id;
    const uint8_t suback[] = { 0x90, 6, (uint8_t)(id >> 8), (uint8_t)id, 0, 1, 0, 0 };
    scripted_feed(fixture_stream(&f), suback, sizeof suback);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.hub.connects, 2);
    assert_string_equal(f.hub.password, device_token(5000));
    fixture_sleep(&f, 100000);
    assert_int_equal(f.hub.connects, 2);
    fixture_free(&f);
}

static void white_space_around_a_new_token_is_ignored(void **state)
{
    (void)state;
    client_fixture f;
    char text[IOTHUB_SAS_TOKEN_SIZE + 4];

    init_with_token(&f, 1000);
    (void)snprintf(text, sizeof text, " %s\r\n", device_token(2000));
    assert_int_equal(iothub_set_token(f.client, text), IOTHUB_OK);
    fixture_connect(&f);
    assert_string_equal(f.hub.password, device_token(2000));
    fixture_free(&f);
}

static void set_token_refuses_what_it_cannot_use(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    assert_int_equal(iothub_set_token(f.client, device_token(1000)), IOTHUB_ERR_STATE);
    fixture_free(&f);

    init_with_token(&f, 1000);
    assert_int_equal(iothub_set_token(f.client, NULL), IOTHUB_ERR_ARG);
    assert_true(iothub_set_token(f.client, "") < 0);
    assert_true(iothub_set_token(f.client, "SharedAccessSignature sr=x") < 0);
    fixture_connect(&f);
    assert_string_equal(f.hub.password, device_token(1000)); /* a refused token changes nothing */
    fixture_free(&f);
}

static void no_text_ever_holds_a_secret(void **state)
{
    (void)state;
    for (uint8_t code = 1; code <= 5; code++) { /* the fixture checks each text */
        client_fixture f;
        init_with_token(&f, 1000);
        f.hub.return_code = code;
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_sleep(&f, 2000000);
        assert_true(strlen(f.secret) > 40);
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_made_token_is_sent_as_it_is),
        cmocka_unit_test(a_token_may_stand_anywhere_in_the_connection_string),
        cmocka_unit_test(a_later_token_may_be_longer),
        cmocka_unit_test(a_later_token_may_be_128_bytes_longer_in_the_least_memory),
        cmocka_unit_test(with_a_token_any_model_id_logs_in_in_the_least_memory),
        cmocka_unit_test(a_token_for_the_longest_names_is_checked_in_the_least_memory),
        cmocka_unit_test(a_new_token_leaves_alone_what_waits),
        cmocka_unit_test(a_token_of_a_wider_scope_will_do),
        cmocka_unit_test(a_token_for_another_resource_is_refused),
        cmocka_unit_test(a_token_counts_in_any_case_of_letters),
        cmocka_unit_test(a_loop_wakes_for_the_notice_of_a_token),
        cmocka_unit_test(the_end_of_a_token_is_announced_at_80_percent_and_when_it_comes),
        cmocka_unit_test(the_end_of_a_token_may_be_as_far_away_as_it_likes),
        cmocka_unit_test(a_clock_set_late_does_not_lose_the_notice),
        cmocka_unit_test(an_expired_token_is_named_and_no_connection_is_opened),
        cmocka_unit_test(a_new_token_leads_to_a_planned_reconnect),
        cmocka_unit_test(an_open_call_postpones_the_new_token_for_ten_seconds),
        cmocka_unit_test(a_new_token_ends_the_wait_of_an_expired_one),
        cmocka_unit_test(a_token_that_comes_during_the_login_is_used_soon),
        cmocka_unit_test(white_space_around_a_new_token_is_ignored),
        cmocka_unit_test(set_token_refuses_what_it_cannot_use),
        cmocka_unit_test(no_text_ever_holds_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
