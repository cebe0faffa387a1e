#include "client_fixture.h"

static void connects_logs_in_and_subscribes(void **state)
{
    (void)state;
    static const iothub_state path[] = { IOTHUB_RESOLVING,  IOTHUB_CONNECTING,  IOTHUB_SECURING,
                                         IOTHUB_LOGGING_IN, IOTHUB_SUBSCRIBING, IOTHUB_CONNECTED };
    client_fixture f;
    fixture_init(&f, NULL);

    fixture_connect(&f);

    assert_int_equal(f.hub.connects, 1);
    assert_string_equal(f.hub.client_id, "device1");
    assert_string_equal(f.hub.user_name,
                        "myhub.azure-devices.net/device1/"
                        "?api-version=2021-04-12&DeviceClientType=iothub_device%2F0.1.0");
    assert_memory_equal(
        f.hub.password,
        "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1&sig=", 73);
    assert_non_null(strstr(f.hub.password, "&se=1700003600"));
    assert_false(f.hub.clean_session);
    assert_int_equal(f.hub.keep_alive_s, 240);
    assert_string_equal(f.hub.filters,
                        "$iothub/twin/res/# devices/device1/messages/devicebound/# "
                        "$iothub/twin/PATCH/properties/desired/# $iothub/methods/POST/#");
    assert_int_equal(f.status_count, sizeof path / sizeof path[0]);
    for (unsigned i = 0; i < f.status_count; i++) {
        assert_int_equal(f.statuses[i].state, path[i]);
        assert_int_equal(f.statuses[i].reason, IOTHUB_OK);
    }
    fixture_free(&f);
}

static void features_without_a_callback_are_not_subscribed(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.client->context.options.callbacks.c2d = NULL;
    f.client->context.options.callbacks.method = NULL;
    f.client->context.options.callbacks.desired = NULL;

    fixture_connect(&f);

    assert_string_equal(f.hub.filters, "$iothub/twin/res/#");
    assert_int_equal(f.hub.publishes, 0); /* the twin is not requested either */
    fixture_free(&f);
}

static void a_stalled_stage_is_given_up_at_its_deadline(void **state)
{
    (void)state;
    static const struct {
        plat_stage stall_at;
        bool mute_connect, mute_subscribe;
        iothub_state stuck;
        uint64_t deadline_ms;
    } stages[] = {
        { PLAT_STAGE_RESOLVE, false, false, IOTHUB_RESOLVING, 15000 },
        { PLAT_STAGE_CONNECT, false, false, IOTHUB_CONNECTING, 15000 },
        { PLAT_STAGE_TLS, false, false, IOTHUB_SECURING, 15000 },
        { PLAT_STAGE_OPEN, true, false, IOTHUB_LOGGING_IN, 30000 },
        { PLAT_STAGE_OPEN, false, true, IOTHUB_SUBSCRIBING, 30000 },
    };

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.platform.streams[0].stall_at = stages[i].stall_at;
        f.hub.mute_connect = stages[i].mute_connect;
        f.hub.mute_subscribe = stages[i].mute_subscribe;
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_run(&f);
        assert_int_equal(iothub_get_state(f.client), stages[i].stuck);

        fixture_sleep(&f, stages[i].deadline_ms - 1);
        assert_int_equal(iothub_get_state(f.client), stages[i].stuck);
        fixture_sleep(&f, 1);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
        assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_TIMEOUT);
        assert_int_equal(f.platform.streams[0].state, SCRIPTED_CLOSED);
        fixture_free(&f);
    }
}

static void a_silent_hub_is_lost_after_one_and_a_half_keep_alives(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    fixture_stream(&f)->after = NULL;

    uint64_t lost_after = 0;
    while (iothub_get_state(f.client) == IOTHUB_CONNECTED && lost_after < 1000000) {
        fake_clock_advance(&f.platform.clock, 1000); /* the hub does not answer any more */
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        lost_after += 1000;
    }

    assert_int_equal(lost_after, 360000);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_TIMEOUT);
    assert_string_equal(fixture_last_status(&f)->text, "MQTT: timed out waiting for PINGRESP");
    fixture_free(&f);
}

static void a_lost_connection_is_repaired_automatically(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    fixture_cut(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_NETWORK);
    assert_in_range(fixture_last_status(&f)->retry_in_ms, 1, 1000);
    fixture_sleep(&f, 1000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.hub.connects, 2);
    iothub_stats stats;
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.connects, 2);
    assert_int_equal(stats.losses, 1);
    fixture_free(&f);
}

static void a_failure_without_words_of_the_stream_has_those_of_its_code(void **state)
{
    (void)state;
    static const char *const details[] = { "", "the cable is out" };

    for (size_t i = 0; i < 2; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_connect(&f);
        fixture_stream(&f)->failure_detail = details[i];
        fixture_stream(&f)->send_room = 10; /* the message is longer, so a part of it waits */
        (void)fixture_send(&f, "x");
        fixture_run(&f);
        assert_true(f.client->session.changeover.channels[0].want_write);

        fixture_cut(&f);

        assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_NETWORK);
        assert_string_equal(fixture_last_status(&f)->text,
                            details[i][0] != '\0' ? details[i] : plat_result_str(PLAT_ERR_IO));
        /* False, because the next stream may accept bytes. */
        assert_false(f.client->session.changeover.channels[0].want_write);
        fixture_free(&f);
    }
}

static void each_refusal_of_the_hub_has_its_result(void **state)
{
    (void)state;
    static const iothub_result expected[] = { IOTHUB_OK,       IOTHUB_ERR_PROTOCOL,
                                              IOTHUB_ERR_AUTH, IOTHUB_ERR_UNAVAILABLE,
                                              IOTHUB_ERR_AUTH, IOTHUB_ERR_AUTH };

    for (uint8_t code = 1; code <= 5; code++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.hub.return_code = code;

        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_run(&f);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
        assert_int_equal(fixture_last_status(&f)->reason, expected[code]);
        assert_null(strstr(f.log, "sig="));
        fixture_free(&f);
    }
}

static void a_refused_credential_is_tried_once_more_soon_and_then_slowly(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.return_code = 5;

    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_in_range(fixture_last_status(&f)->retry_in_ms, 1, 1000);
    fixture_sleep(&f, fixture_last_status(&f)->retry_in_ms);

    assert_int_equal(f.hub.connects, 2);
    assert_in_range(fixture_last_status(&f)->retry_in_ms, 300000 / 16, 300000);
    fixture_free(&f);
}

/* Failures of the network before it do not count as refusals. */
static void a_first_refusal_is_tried_soon_whatever_failed_before(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.return_code = 5;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    for (int failures = 0; failures < 2; failures++) {
        scripted_fail(&f.platform.streams[0], SCRIPTED_OPEN, 1, PLAT_ERR_CONNECT);
        fixture_run(&f);
        assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_CONNECT);
        fake_clock_advance(&f.platform.clock, fixture_last_status(&f)->retry_in_ms);
    }
    assert_int_equal(f.hub.connects, 0);

    fixture_run(&f);

    assert_int_equal(f.hub.connects, 1);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_AUTH);
    assert_in_range(fixture_last_status(&f)->retry_in_ms, 1, 4000);
    fixture_free(&f);
}

static void a_token_is_renewed_by_a_planned_reconnect_without_back_off(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.hub.session_present = true;
    unsigned before = f.status_count;

    fixture_sleep(&f, 3600 * 800 - 1);
    assert_int_equal(f.hub.connects, 1);
    fixture_sleep(&f, 1);

    assert_int_equal(f.hub.connects, 2);
    assert_int_equal(f.hub.disconnects, 1);
    assert_non_null(strstr(f.hub.password, "&se=1700006480"));
    for (unsigned i = before; i < f.status_count; i++) {
        assert_int_equal(f.statuses[i].reason, IOTHUB_OK);
        assert_int_not_equal(f.statuses[i].state, IOTHUB_WAITING);
    }
    fixture_free(&f);
}

static void an_unset_clock_is_named_before_anything_is_sent(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fake_clock_set_wall(&f.platform.clock, 0);

    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_NO_TIME);
    assert_int_equal(f.platform.streams[0].calls[SCRIPTED_OPEN], 0);

    fake_clock_set_wall(&f.platform.clock, 1700000000);
    fixture_sleep(&f, 1000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_refused_filter_is_named(void **state)
{
    (void)state;
    static const char *const filters[] = { "$iothub/twin/res/#",
                                           "devices/device1/messages/devicebound/#",
                                           "$iothub/twin/PATCH/properties/desired/#",
                                           "$iothub/methods/POST/#" };

    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.hub.refuse_filter = filters[i];
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_run(&f);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
        assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_REJECTED);
        if (strstr(fixture_last_status(&f)->text, filters[i]) == NULL) {
            fail_msg("%s is not named: %s", filters[i], fixture_last_status(&f)->text);
        }
        f.hub.refuse_filter = NULL;
        fixture_sleep(&f, 1000);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        fixture_free(&f);
    }
}

static void reconnect_now_cuts_the_wait_short(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_ERR_STATE);
    fixture_connect(&f);
    fixture_cut(&f);

    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void every_failing_call_of_the_stream_is_survived(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 25; nth++) {
        client_fixture f;
        fixture_init(&f, NULL);
        scripted_fail(&f.platform.streams[0], SCRIPTED_ANY, nth, PLAT_ERR_IO);
        iothub_op first = fixture_send(&f, "one");
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_run(&f);
        iothub_op second = 0;
        assert_int_equal(iothub_twin_report(f.client, "{\"a\":1}", 7, NULL, &second), IOTHUB_OK);

        fixture_sleep(&f, 5000);
        /* The connection has just failed while idle. */
        if (iothub_get_state(f.client) == IOTHUB_WAITING) {
            fixture_sleep(&f, 1000);
        }

        iothub_result how;
        if (iothub_get_state(f.client) != IOTHUB_CONNECTED) {
            fail_msg("call %u: %s", nth, f.log);
        }
        assert_int_equal(fixture_ended(&f, first, &how), 1);
        assert_int_equal(how, IOTHUB_OK);
        assert_int_equal(fixture_ended(&f, second, &how), 1);
        assert_int_equal(how, IOTHUB_OK);
        fixture_free(&f);
    }
}

static void a_fleet_reconnects_spread_over_time_after_a_long_connection(void **state)
{
    (void)state;
    uint32_t shortest = UINT32_MAX;
    uint32_t longest = 0;

    for (int device = 0; device < 40; device++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.platform.crypto.seed = (uint32_t)device * 0x9E3779B9u;
        fixture_connect(&f);
        fixture_sleep(&f, 100000);
        fixture_cut(&f);
        uint32_t wait = fixture_last_status(&f)->retry_in_ms;
        shortest = wait < shortest ? wait : shortest;
        longest = wait > longest ? wait : longest;
        fixture_free(&f);
    }

    /* Out of 1000 ms; that 40 random delays are all on one side practically never happens. */
    assert_true(shortest < 500 && longest > 500);
}

static void shortest(iothub_options *o)
{
    o->retry_min_ms = 1;
    o->retry_max_ms = 1;
}

static void the_shortest_back_off_still_ends(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, shortest);
    f.hub.return_code = 3;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    fixture_sleep(&f, 100);
    assert_in_range(f.hub.connects, 50, 101);
    f.hub.return_code = 0;
    fixture_sleep(&f, 1);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_renewal_after_a_stable_time_forgets_old_failures(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.return_code = 3;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_sleep(&f, 100000);
    f.hub.return_code = 0;
    fixture_sleep(&f, 60000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);

    /* The connection has long been stable when the hub is busy at the renewal. */
    f.hub.return_code = 3;
    f.status_count = 0;
    fixture_sleep(&f, 3600000);

    const fixture_status *first = f.statuses;
    while (first->state != IOTHUB_WAITING) {
        first++;
    }
    assert_in_range(first->retry_in_ms, 1, 1000);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_logs_in_and_subscribes),
        cmocka_unit_test(features_without_a_callback_are_not_subscribed),
        cmocka_unit_test(a_stalled_stage_is_given_up_at_its_deadline),
        cmocka_unit_test(a_silent_hub_is_lost_after_one_and_a_half_keep_alives),
        cmocka_unit_test(a_lost_connection_is_repaired_automatically),
        cmocka_unit_test(a_failure_without_words_of_the_stream_has_those_of_its_code),
        cmocka_unit_test(each_refusal_of_the_hub_has_its_result),
        cmocka_unit_test(a_refused_credential_is_tried_once_more_soon_and_then_slowly),
        cmocka_unit_test(a_first_refusal_is_tried_soon_whatever_failed_before),
        cmocka_unit_test(a_token_is_renewed_by_a_planned_reconnect_without_back_off),
        cmocka_unit_test(an_unset_clock_is_named_before_anything_is_sent),
        cmocka_unit_test(a_refused_filter_is_named),
        cmocka_unit_test(reconnect_now_cuts_the_wait_short),
        cmocka_unit_test(every_failing_call_of_the_stream_is_survived),
        cmocka_unit_test(a_fleet_reconnects_spread_over_time_after_a_long_connection),
        cmocka_unit_test(the_shortest_back_off_still_ends),
        cmocka_unit_test(a_renewal_after_a_stable_time_forgets_old_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
