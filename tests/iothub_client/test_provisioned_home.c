#include "provisioned_home_fixture.h"

#include "provisioning/provisioned_home.h"

/* Tests a client that the service assigns to its hub. */

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

static void a_client_logs_in_with_the_certificate_that_the_service_has_issued(void **state)
{
    static const dps_reply replies[] = {
        { 200, NULL, DPS_ISSUED_BODY(HUB, "device1", "[\"MAA=\"]") },
    };
    plat_identity identity = {
        .info = { .common_name = "sn-007",
                  .not_after_s = INT64_MAX / 2,
                  .chain_until_s = INT64_MAX / 2 },
    };
    const iothub_credential certificate = iothub_x509_credential(&identity);
    provisioning_fixture f;
    (void)state;
    provisioning_init(&f);
    PROVISIONING_ANSWERS(&f, replies);
    f.options.csr = "MAEA";
    f.options.api_version = "2025-07-01-preview";
    f.options.cache = &f.kv.base;
    f.set_when_assigned = &certificate;
    provisioning_make_client(&f);

    (void)send(&f, "before the start");
    start(&f);
    provisioning_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.assigned_certificates_len, 2);
    assert_int_equal(f.hub_opens, 1); /* the key of the registration was not tried */
    assert_string_equal(f.hub.password, "");
    assert_string_equal(f.hub.client_id, "device1");
    check_all_done(&f, 1);

    /* The next run has the chain in its options, because the cache does not have it. */
    iothub_free(f.client);
    f.options.csr = NULL;
    f.set_when_assigned = NULL;
    f.client_options.credentials = &certificate;
    f.client_options.credential_count = 1;
    provisioning_make_client(&f);
    start(&f);
    provisioning_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_true(f.assigned_from_cache);
    assert_int_equal(f.assigned_certificates_len, 0);
    assert_string_equal(f.hub.password, "");
    assert_int_equal(f.asked, 1);
    provisioning_free(&f);
}

static void a_certificate_request_is_sent_even_if_the_cache_knows_the_hub(void **state)
{
    static const dps_reply replies[] = {
        { 200, NULL, DPS_ISSUED_BODY(HUB, "device1", "[\"MAA=\"]") },
    };
    static const dps_reply refused[] = { { 403, NULL, "" } };
    provisioning_fixture f;
    (void)state;
    set_up(&f);
    f.options.cache = &f.kv.base;
    provisioning_make_client(&f);
    start(&f);
    iothub_free(f.client);

    f.options.csr = "MAEA";
    f.options.api_version = "2025-07-01-preview";
    PROVISIONING_ANSWERS(&f, replies);
    f.assigned_count = 0;
    provisioning_make_client(&f);
    start(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.asked, 1);
    assert_int_equal(f.assigned_count, 1);
    assert_int_equal(f.assigned_certificates_len, 2);
    iothub_free(f.client);

    /* A service that refuses does not keep the client from its hub. */
    PROVISIONING_ANSWERS(&f, refused);
    f.assigned_count = 0;
    provisioning_make_client(&f);
    start(&f);
    assert_int_not_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    provisioning_sleep(&f, 60000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(f.asked, 1);
    assert_int_equal(f.assigned_count, 1);
    assert_true(f.assigned_from_cache);
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
    h.next = HOME_CONNECT; /* wrong, because no hub is known */
    assert_false(provisioned_home_valid(&h));
    h.known = true;
    assert_true(provisioned_home_valid(&h));
    h.refusals = 1; /* wrong, because a refusal counts as a failure, too */
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
        cmocka_unit_test(a_client_logs_in_with_the_certificate_that_the_service_has_issued),
        cmocka_unit_test(a_certificate_request_is_sent_even_if_the_cache_knows_the_hub),
        cmocka_unit_test(properties_and_later_messages_keep_their_topics),
        cmocka_unit_test(c2d_messages_and_methods_use_the_assigned_id),
        cmocka_unit_test(a_certificate_logs_in_to_the_service_and_to_the_hub),
        cmocka_unit_test(other_credentials_of_the_options_are_used_for_the_hub),
        cmocka_unit_test(the_next_run_connects_to_the_cached_hub_without_asking),
        cmocka_unit_test(the_cache_holds_no_secret_and_is_for_this_device_only),
        cmocka_unit_test(a_broken_cache_is_logged_and_done_without),
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
