#include "provisioning_fixture.h"

#include <stdio.h>

#include "fake_store.h"
#include "provisioning/provisioned_home.h"

/* Tests a client that the service assigns to its hub. */

#define HUB      "myhub.azure-devices.net"
#define HUB2     "otherhub.azure-devices.net"
#define ASSIGNED DPS_ASSIGNED_BODY(HUB, "device1")

static const dps_reply assigned[] = { { 200, NULL, ASSIGNED } };

static iothub_op send(provisioning_fixture *f, const char *body)
{
    const iothub_telemetry t = { .body = body, .body_len = strlen(body) };
    iothub_op op = 0;

    if (iothub_send_telemetry(f->client, &t, &op) != IOTHUB_OK) {
        fail_msg("refused: %s", iothub_last_error(f->client)->text);
    }
    return op;
}

static void start(provisioning_fixture *f)
{
    assert_int_equal(iothub_start(f->client), IOTHUB_OK);
    provisioning_run(f);
}

static void set_up(provisioning_fixture *f)
{
    provisioning_init(f);
    PROVISIONING_ANSWERS(f, assigned);
}

/* Returns the number of publishes to this topic that the hub has received. */
static unsigned received(const provisioning_fixture *f, const char *topic)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->hub.publishes; i++) {
        n += strcmp(fake_hub_at(&f->hub, i)->topic, topic) == 0 ? 1 : 0;
    }
    return n;
}

static void check_all_done(const provisioning_fixture *f, unsigned count)
{
    assert_int_equal(f->done_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(f->dones[i].result, IOTHUB_OK);
    }
}

static void telemetry_of_the_first_second_reaches_the_assigned_hub(void **state)
{
    static const dps_reply replies[] = {
        { 202, "&retry-after=3", DPS_ASSIGNING_BODY },
        { 200, NULL, ASSIGNED },
    };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    provisioning_make_client(&f);

    (void)send(&f, "before the start");
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_PROVISIONING);
    (void)send(&f, "while the service thinks");
    provisioning_sleep(&f, 4000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_string_equal(f.hub_host, HUB);
    assert_string_equal(f.hub.client_id, "device1");
    assert_non_null(strstr(f.hub.user_name, HUB "/device1/?api-version="));
    assert_non_null(strstr(f.hub.password, "sr=myhub.azure-devices.net%2Fdevices%2Fdevice1&"));
    assert_int_equal(received(&f, "devices/device1/messages/events/"), 2);
    check_all_done(&f, 2);
    assert_int_equal(f.assigned_count, 1);
    assert_string_equal(f.assigned_hub, HUB);
    assert_false(f.assigned_from_cache);
    assert_int_equal(provisioning_entered(&f, IOTHUB_PROVISIONING), 1);
    assert_string_equal(iothub_state_str(IOTHUB_PROVISIONING), "provisioning");
    provisioning_free(&f);
}

static void properties_and_later_messages_keep_their_topics(void **state)
{
    const iothub_property property = { "alert", "true" };
    const iothub_telemetry t = { .body = "x",
                                 .body_len = 1,
                                 .content_type = "text/plain",
                                 .properties = &property,
                                 .property_count = 1 };
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    provisioning_make_client(&f);

    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    start(&f);
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    provisioning_run(&f);
    assert_int_equal(received(&f, "devices/device1/messages/events/%24.ct=text%2Fplain&alert=true"),
                     2);
    provisioning_free(&f);
}

static void c2d_messages_and_methods_use_the_assigned_id(void **state)
{
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    provisioning_make_client(&f);
    start(&f);

    assert_int_equal(iothub_twin_report(f.client, "{\"a\":1}", 7, NULL, NULL), IOTHUB_OK);
    provisioning_run(&f);
    check_all_done(&f, 1);
    provisioning_free(&f);
}

static void a_certificate_logs_in_to_the_service_and_to_the_hub(void **state)
{
    plat_identity identity = { .info = { .common_name = "sn-007",
                                         .not_after_s = INT64_MAX / 2,
                                         .chain_until_s = INT64_MAX / 2 } };
    const iothub_credential certificate = iothub_x509_credential(&identity);
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    f.options.key = NULL;
    f.options.credential = &certificate;
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_ptr_equal(f.platform.streams[0].identity, &identity);
    assert_ptr_equal(f.platform.streams[1].identity, &identity);
    assert_string_equal(f.hub.password, "");
    provisioning_free(&f);
}

static void other_credentials_of_the_options_are_used_for_the_hub(void **state)
{
    plat_identity factory = { .info = { .common_name = "sn-007" } };
    plat_identity operational = { .info = { .common_name = "device1",
                                            .not_after_s = INT64_MAX / 2,
                                            .chain_until_s = INT64_MAX / 2 } };
    const iothub_credential onboarding = iothub_x509_credential(&factory);
    const iothub_credential certificate = iothub_x509_credential(&operational);
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    f.options.key = NULL;
    f.options.credential = &onboarding;
    f.client_options.credentials = &certificate;
    f.client_options.credential_count = 1;
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_ptr_equal(f.platform.streams[0].identity, &factory);
    assert_ptr_equal(f.platform.streams[1].identity, &operational);
    provisioning_free(&f);
}

/* --- the cache --- */

/* Runs a client once, so that the cache contains an assignment. */
static void fill_cache(fake_kv *kv, const dps_reply *replies)
{
    provisioning_fixture f;

    provisioning_init(&f);
    provisioning_answers(&f, replies, 1);
    f.options.cache = &kv->base;
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.asked, 1);
    provisioning_free(&f);
}

static void the_next_run_connects_to_the_cached_hub_without_asking(void **state)
{
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    fill_cache(&f.kv, assigned);
    f.options.cache = &f.kv.base;
    f.options.registration_id = "SN-007"; /* names the same device as in lower case */
    provisioning_make_client(&f);
    (void)send(&f, "first");
    start(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.asked, 0);
    assert_int_equal(provisioning_entered(&f, IOTHUB_PROVISIONING), 0);
    assert_string_equal(f.hub_host, HUB);
    assert_int_equal(received(&f, "devices/device1/messages/events/"), 1);
    assert_int_equal(f.assigned_count, 1);
    assert_true(f.assigned_from_cache);
    assert_string_equal(f.assigned_hub, HUB);
    assert_string_equal(f.assigned_id, "device1");
    provisioning_free(&f);
}

static void the_cache_holds_no_secret_and_is_for_this_device_only(void **state)
{
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    fill_cache(&f.kv, assigned);
    for (size_t at = 0; at + 8 < f.kv.values[0].len; at++) {
        assert_memory_not_equal(f.kv.values[0].data + at, K32, 8);
    }
    f.options.cache = &f.kv.base;
    f.options.registration_id = "sn-008";
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(f.asked, 1);
    assert_string_not_equal(f.kv.values[1].key, "");
    provisioning_free(&f);
}

static void a_broken_cache_is_logged_and_done_without(void **state)
{
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    f.kv.get_fails = PLAT_ERR_STORE;
    f.kv.put_fails = PLAT_ERR_FULL;
    f.options.cache = &f.kv.base;
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_non_null(strstr(f.log, "the cache cannot be read: the disk is on fire"));
    assert_non_null(strstr(f.log, "the cache cannot be written: the disk is on fire"));
    provisioning_free(&f);
}

/* --- asking again --- */

static scripted_stream *hub_stream(provisioning_fixture *f)
{
    for (size_t i = 0; i < f->platform.net.made; i++) {
        if (f->platform.streams[i].state != SCRIPTED_CLOSED &&
            strcmp(f->platform.streams[i].host, DPS_HOST) != 0) {
            return &f->platform.streams[i];
        }
    }
    return NULL;
}

/* From now on the hub cannot be reached, and the service answers with these replies. */
static void leave_hub(provisioning_fixture *f, const dps_reply *replies)
{
    provisioning_answers(f, replies, 1);
    f->hub.mute_connect = true;
    scripted_break(hub_stream(f), PLAT_ERR_IO);
    provisioning_run(f);
}

static const dps_reply moved[] = { { 200, NULL, DPS_ASSIGNED_BODY(HUB2, "device1") } };

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

/* --- stops and ends --- */

static void a_stop_while_the_service_is_asked_ends_at_once(void **state)
{
    static const dps_reply silence[] = { { 0, NULL, "" } };
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, silence);
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_PROVISIONING);
    assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
    provisioning_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_null(provisioning_dps_stream(&f));
    PROVISIONING_ANSWERS(&f, assigned);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    provisioning_free(&f);
}

static void a_client_ends_in_any_state_of_the_exchange(void **state)
{
    static const dps_reply replies[] = {
        { 202, "&retry-after=3", DPS_ASSIGNING_BODY },
        { 200, NULL, ASSIGNED },
    };
    (void)state;

    for (int turns = 0; turns < 12; turns++) {
        provisioning_fixture f;
        provisioning_init(&f);
        PROVISIONING_ANSWERS(&f, replies);
        f.platform.streams[0].stage_calls = 2;
        provisioning_make_client(&f);
        (void)send(&f, "x");
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        for (int i = 0; i < turns; i++) {
            assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        }
        iothub_free(f.client);
        f.client = NULL;
        assert_int_equal(f.done_count, 1);
        provisioning_free(&f);
    }
}

static void the_descriptor_of_the_service_is_shown_and_withdrawn_before_the_hub_uses_the_slot(
    void **state)
{
    provisioning_fixture f;
    iothub_poll p;
    unsigned shown = 0;
    intptr_t last = -1;
    (void)state;
    set_up(&f);
    f.platform.streams[0].fd = 70;
    f.platform.streams[1].fd = 71;
    f.dps.mute_subscribe = true;
    provisioning_make_client(&f);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        iothub_poll_info(f.client, &p);
        shown += p.fds[1].fd == 70 ? 1 : 0;
        last = p.fds[1].fd;
    }
    assert_true(shown > 0);
    assert_int_equal(last, 70);
    assert_int_equal(p.fds[0].fd, -1);
    scripted_break(&f.platform.streams[0], PLAT_ERR_IO);
    provisioning_run(&f);
    iothub_poll_info(f.client, &p);
    assert_int_equal(p.fds[1].fd, -1);
    provisioning_free(&f);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    provisioned_home h = { .next = HOME_ASK };
    (void)state;

    assert_true(provisioned_home_valid(&h));
    h.next = HOME_CONNECT; /* to no hub */
    assert_false(provisioned_home_valid(&h));
    h.known = true;
    assert_true(provisioned_home_valid(&h));
    h.refusals = 1; /* which is a failure, too */
    assert_false(provisioned_home_valid(&h));
    h.failures = 1;
    assert_true(provisioned_home_valid(&h));
    h.polls_left = 3;
    assert_false(provisioned_home_valid(&h));
    h = (provisioned_home){ .next = HOME_ASK, .unreported = true };
    assert_false(provisioned_home_valid(&h));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telemetry_of_the_first_second_reaches_the_assigned_hub),
        cmocka_unit_test(properties_and_later_messages_keep_their_topics),
        cmocka_unit_test(c2d_messages_and_methods_use_the_assigned_id),
        cmocka_unit_test(a_certificate_logs_in_to_the_service_and_to_the_hub),
        cmocka_unit_test(other_credentials_of_the_options_are_used_for_the_hub),
        cmocka_unit_test(the_next_run_connects_to_the_cached_hub_without_asking),
        cmocka_unit_test(the_cache_holds_no_secret_and_is_for_this_device_only),
        cmocka_unit_test(a_broken_cache_is_logged_and_done_without),
        cmocka_unit_test(after_n_failed_attempts_it_moves_to_another_hub_with_all_messages),
        cmocka_unit_test(two_refusals_of_the_hub_in_a_row_ask_the_service_soon),
        cmocka_unit_test(a_hub_that_refuses_forever_costs_few_registrations),
        cmocka_unit_test(if_the_service_cannot_answer_the_known_hub_is_tried_in_turn),
        cmocka_unit_test(a_refusal_by_the_service_is_reported_and_repeated_slowly),
        cmocka_unit_test(a_wait_that_the_service_asks_for_is_obeyed_above_our_cap),
        cmocka_unit_test(a_longer_device_id_drops_the_oldest_messages_that_do_not_fit),
        cmocka_unit_test(stored_messages_get_the_device_id_of_the_assignment),
        cmocka_unit_test(a_stop_while_the_service_is_asked_ends_at_once),
        cmocka_unit_test(a_client_ends_in_any_state_of_the_exchange),
        cmocka_unit_test(
            the_descriptor_of_the_service_is_shown_and_withdrawn_before_the_hub_uses_the_slot),
#ifndef NDEBUG
        cmocka_unit_test(members_that_disagree_are_seen),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
