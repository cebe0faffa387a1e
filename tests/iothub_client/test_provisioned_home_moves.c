#include "provisioned_home_fixture.h"

#include "fake_store.h"

/* Tests a client that asks the service again, and then moves to another hub or has another id. */

static const dps_reply moved[] = { { 200, NULL, DPS_ASSIGNED_BODY(HUB2, "device1") } };

/* --- asking again --- */

static void after_n_failed_attempts_it_moves_to_another_hub_with_all_messages(void **state)
{
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    f.options.register_after = 3;
    f.options.cache = &f.kv.base;
    provisioning_make_client(&f);
    start(&f);
    f.hub.mute_publish = true; /* the messages stay in flight at the old hub */
    (void)send(&f, "one");
    (void)send(&f, "two");
    provisioning_run(&f);
    leave_hub(&f, moved);
    (void)send(&f, "three");
    const unsigned opens = f.hub_opens;
    while (f.hub_opens < opens + 3) {
        provisioning_sleep(&f, 1000);
    }
    assert_int_equal(f.asked, 0);
    f.hub.mute_connect = false; /* the hub answers again, too late for the third attempt */
    f.hub.mute_publish = false;
    provisioning_sleep(&f, 60000);
    assert_int_equal(f.asked, 1);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_string_equal(f.hub_host, HUB2);
    assert_non_null(strstr(f.hub.user_name, HUB2 "/device1/"));
    check_all_done(&f, 3);
    assert_int_equal(received(&f, "devices/device1/messages/events/"), 5);
    assert_non_null(strstr(f.kv.values[0].data, HUB2));
    provisioning_free(&f);
}

static void two_refusals_of_the_hub_in_a_row_ask_the_service_soon(void **state)
{
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    provisioning_make_client(&f);
    start(&f);
    provisioning_answers(&f, moved, 1);
    f.hub.return_code = 5; /* the hub refuses the client, because the device was deleted */
    scripted_break(hub_stream(&f), PLAT_EOF);
    provisioning_run(&f);
    const unsigned connects = f.hub.connects;
    while (f.hub.connects < connects + 2) {
        provisioning_sleep(&f, 100);
    }
    f.hub.return_code = 0;
    provisioning_sleep(&f, 1100); /* waits for the first limit of the back-off */
    assert_int_equal(f.asked, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_string_equal(f.hub_host, HUB2);
    provisioning_free(&f);
}

static void a_hub_that_refuses_forever_costs_few_registrations(void **state)
{
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    f.hub.return_code = 5;
    provisioning_make_client(&f);
    start(&f);
    provisioning_sleep(&f, UINT64_C(24) * 3600 * 1000);
    assert_true(f.asked >= 5 && f.asked <= 90);
    provisioning_free(&f);
}

static void if_the_service_cannot_answer_the_known_hub_is_tried_in_turn(void **state)
{
    static const dps_reply busy[] = { { 503, NULL, "" } };
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    f.options.register_after = 2;
    f.options.assign_timeout_ms = 1;
    provisioning_make_client(&f);
    start(&f);
    leave_hub(&f, busy);
    while (f.asked == 0) {
        provisioning_sleep(&f, 1000);
    }
    const unsigned opens = f.hub_opens;
    while (f.hub_opens == opens) {
        provisioning_sleep(&f, 1000);
    }
    f.hub.mute_connect = false; /* the hub answers again */
    provisioning_sleep(&f, 200000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_string_equal(f.hub_host, HUB);
    provisioning_free(&f);
}

static void a_refusal_by_the_service_is_reported_and_repeated_slowly(void **state)
{
    static const dps_reply refused[] = { { 404, NULL, "{\"errorCode\":404201}" } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, refused);
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
    assert_non_null(strstr(f.text, "no enrolment"));
    assert_true(f.retry_in_ms >= 300000 / 16 && f.retry_in_ms <= 300000);
    provisioning_sleep(&f, UINT64_C(10) * 3600 * 1000);
    assert_true(f.asked >= 10 && f.asked <= 60);
    PROVISIONING_ANSWERS(&f, assigned);
    provisioning_sleep(&f, 3600 * 1000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    provisioning_free(&f);
}

static void a_wait_that_the_service_asks_for_is_obeyed_above_our_cap(void **state)
{
    static const dps_reply busy[] = { { 429, "&retry-after=7200", "{\"errorCode\":429001}" },
                                      { 200, NULL, ASSIGNED } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, busy);
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
    assert_true(f.retry_in_ms >= 7200000);
    provisioning_sleep(&f, 7199000);
    assert_int_equal(f.asked, 1);
    provisioning_sleep(&f, 1000000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    provisioning_free(&f);
}

/* --- other device ids --- */

static void a_longer_device_id_drops_the_oldest_messages_that_do_not_fit(void **state)
{
    static const dps_reply short_id[] = { { 200, NULL, DPS_ASSIGNED_BODY(HUB, "d") } };
    static const dps_reply long_id[] = {
        { 200, NULL,
          DPS_ASSIGNED_BODY(HUB2, "a-device-id-that-is-much-longer-than-the-one-before-it") }
    };
    provisioning_fixture f;
    unsigned ok = 0;
    unsigned dropped = 0;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, short_id);
    f.client_options.tx_size = 1024;
    f.options.register_after = 1;
    provisioning_make_client(&f);
    start(&f);
    leave_hub(&f, long_id);
    const char body[64] = "a body that fills a share of tx_size";
    const iothub_telemetry t = { .body = body, .body_len = sizeof body };
    unsigned sent = 0;
    while (iothub_send_telemetry(f.client, &t, NULL) == IOTHUB_OK) {
        sent++;
    }
    while (f.hub_opens < 2) {
        provisioning_sleep(&f, 100);
    }
    f.hub.mute_connect = false; /* the hub answers again, too late for the old assignment */
    provisioning_sleep(&f, 100000);
    assert_int_equal(f.done_count, sent);
    for (unsigned i = 0; i < sent; i++) {
        ok += f.dones[i].result == IOTHUB_OK ? 1 : 0;
        dropped += f.dones[i].result == IOTHUB_ERR_DROPPED ? 1 : 0;
    }
    assert_int_equal(ok + dropped, sent);
    assert_true(ok > 0 && dropped > 0);
    assert_int_equal(received(&f, "devices/a-device-id-that-is-much-longer-than-the-one-before-it"
                                  "/messages/events/"),
                     ok);
    assert_non_null(strstr(f.log, "messages dropped"));
    provisioning_free(&f);
}

static void stored_messages_get_the_device_id_of_the_assignment(void **state)
{
    static const dps_reply long_id[] = {
        { 200, NULL, DPS_ASSIGNED_BODY(HUB2, "a-longer-device-id") },
    };
    const iothub_property property = { "alert", "true" };
    const iothub_telemetry t = { .body = "x",
                                 .body_len = 1,
                                 .message_id = "m-1",
                                 .properties = &property,
                                 .property_count = 1 };
    provisioning_fixture f;
    fake_store store;
    (void)state;
    set_up(&f);
    fake_store_init(&store);
    f.client_options.store = &store.base;
    f.options.register_after = 1;
    provisioning_make_client(&f);

    /* The client is not assigned yet. */
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    start(&f);
    assert_int_equal(received(&f, "devices/device1/messages/events/%24.mid=m-1&alert=true"), 1);
    check_all_done(&f, 1);
    f.hub.mute_publish = true;
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK); /* in flight */
    provisioning_run(&f);
    leave_hub(&f, long_id);
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    f.hub.mute_publish = false;
    while (f.hub_opens < 2) {
        provisioning_sleep(&f, 100);
    }
    f.hub.mute_connect = false; /* the hub answers again, too late for the old assignment */
    provisioning_sleep(&f, 100000);
    assert_int_equal(
        received(&f, "devices/a-longer-device-id/messages/events/%24.mid=m-1&alert=true"), 2);
    check_all_done(&f, 3);
    provisioning_free(&f);
    fake_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_n_failed_attempts_it_moves_to_another_hub_with_all_messages),
        cmocka_unit_test(two_refusals_of_the_hub_in_a_row_ask_the_service_soon),
        cmocka_unit_test(a_hub_that_refuses_forever_costs_few_registrations),
        cmocka_unit_test(if_the_service_cannot_answer_the_known_hub_is_tried_in_turn),
        cmocka_unit_test(a_refusal_by_the_service_is_reported_and_repeated_slowly),
        cmocka_unit_test(a_wait_that_the_service_asks_for_is_obeyed_above_our_cap),
        cmocka_unit_test(a_longer_device_id_drops_the_oldest_messages_that_do_not_fit),
        cmocka_unit_test(stored_messages_get_the_device_id_of_the_assignment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
