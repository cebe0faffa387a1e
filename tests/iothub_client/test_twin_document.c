#include <stdio.h>

#include "twin_fixture.h"

/* Tests the document of desired properties and its changes, as the application receives them. */

static void the_document_comes_first_then_patches_in_order(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin = "{\"desired\":{\"a\":1,\"$version\":5},\"reported\":{\"b\":2,\"$version\":9}}";
    fixture_connect(&f);

    twin_patch(&f, 6);
    twin_patch(&f, 7);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 3);
    assert_true(f.desired[0].complete);
    assert_int_equal(f.desired[0].version, 5);
    assert_string_equal(f.desired[0].json, "{\"a\":1,\"$version\":5}");
    assert_string_equal(f.desired[0].reported, "{\"b\":2,\"$version\":9}");
    assert_false(f.desired[1].complete);
    assert_int_equal(f.desired[1].version, 6);
    assert_string_equal(f.desired[1].json, "{\"v\":6,\"$version\":6}");
    assert_string_equal(f.desired[1].reported, "");
    assert_int_equal(f.desired[2].version, 7);
    assert_int_equal(twin_gets(&f), 1);
    fixture_free(&f);
}

static void a_version_in_the_body_alone_will_do(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    static const char topic[] = "$iothub/twin/PATCH/properties/desired/?";

    fake_hub_send(fixture_stream(&f), topic, "{\"$version\":2}", 14, 0);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 2);
    assert_int_equal(f.desired[1].version, 2);
    fixture_free(&f);
}

static void a_repeated_patch_is_dropped(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    twin_patch(&f, 2);
    twin_patch(&f, 2);
    twin_patch(&f, 2);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 2);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.desired_duplicates, 2);
    assert_int_equal(twin_gets(&f), 1);
    fixture_free(&f);
}

static void a_gap_fetches_the_document_again(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    f.hub.twin = "{\"desired\":{\"$version\":4},\"reported\":{}}";
    twin_patch(&f, 3); /* version 2 was lost */
    fixture_run(&f);

    assert_int_equal(twin_gets(&f), 2);
    assert_int_equal(f.desired_count, 2);
    assert_true(f.desired[1].complete);
    assert_int_equal(f.desired[1].version, 4);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.desired_gaps, 1);
    fixture_free(&f);
}

static void a_patch_that_overtakes_the_document_is_not_lost(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    uint32_t rid = twin_rid(fake_hub_last(&f.hub, "$iothub/twin/GET/"));

    twin_patch(&f, 6); /* the document of version 5 has not arrived yet */
    fixture_run(&f);
    assert_int_equal(f.desired_count, 0);
    f.hub.twin = "{\"desired\":{\"$version\":6},\"reported\":{}}";
    f.hub.twin_status = 200;
    twin_answer(&f, 200, rid, "", "{\"desired\":{\"$version\":5},\"reported\":{}}");
    fixture_run(&f);

    assert_int_equal(twin_gets(&f), 2);
    assert_int_equal(f.desired[f.desired_count - 1].version, 6);
    assert_true(f.desired[f.desired_count - 1].complete);
    fixture_free(&f);
}

static void a_patch_before_the_suback_waits_for_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.session_present = true; /* the hub still has the subscription of an earlier run */
    f.hub.mute_subscribe = true;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_SUBSCRIBING);

    twin_patch(&f, 1); /* one more than the client's version, which is 0 */
    twin_patch(&f, 2);
    twin_patch(&f, 7);
    fixture_run(&f);
    assert_int_equal(f.desired_count, 0);

    uint16_t id = f.client->engine.requests.pending[0].packet_id;
    const uint8_t suback[] = { 0x90, 6, (uint8_t)(id >> 8), (uint8_t)id, 0, 1, 0, 0 };
    scripted_feed(fixture_stream(&f), suback, sizeof suback);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 1);
    assert_true(f.desired[0].complete);
    assert_int_equal(twin_gets(&f), 1);
    fixture_free(&f);
}

static void a_refused_document_is_asked_for_again_with_back_off(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 429;
    fixture_connect(&f);
    assert_int_equal(twin_gets(&f), 1);

    fixture_sleep(&f, 60000);
    unsigned gets = twin_gets(&f);
    /* The limits of the delay double, so there are far fewer than sixty. */
    assert_in_range(gets, 4, 40);
    assert_int_equal(f.desired_count, 0);
    f.hub.twin_status = 200;
    fixture_sleep(&f, 60000);

    assert_int_equal(twin_gets(&f), gets + 1);
    assert_int_equal(f.desired_count, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_document_that_cannot_be_read_is_asked_for_again(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",
                                         "{",
                                         "[]",
                                         "{}",
                                         "{\"desired\":1}",
                                         "{\"desired\":{}}",
                                         "{\"desired\":{\"$version\":-1}}",
                                         "{\"desired\":{\"$version\":\"1\"}}" };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.hub.twin = wrong[i];
        fixture_connect(&f);
        assert_int_equal(f.desired_count, 0);
        f.hub.twin = "{\"desired\":{\"$version\":1}}";
        fixture_sleep(&f, 1000);
        assert_int_equal(f.desired_count, 1);
        assert_string_equal(f.desired[0].reported, "");
        fixture_free(&f);
    }
}

static void a_document_that_never_comes_is_asked_for_again(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    assert_int_equal(twin_gets(&f), 1);

    fixture_sleep(&f, 62000);

    assert_int_equal(twin_gets(&f), 2);
    assert_int_equal(f.done_count, 0); /* the failed request is the client's own */
    fixture_free(&f);
}

static void small_rx(iothub_options *o)
{
    o->rx_size = 512;
}

static void a_twin_larger_than_rx_size_ends_the_request_immediately(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    char twin[1001] = "{\"desired\":{\"$version\":1,\"x\":\"";
    memset(twin + strlen(twin), 'x', 900);
    strcat(twin, "\"}}");
    fixture_init(&f, small_rx);
    f.hub.twin = twin;
    fixture_connect(&f);

    iothub_op op = twin_get(&f);
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_TOO_BIG);
    assert_int_equal(fixture_last_done(&f)->status, 200);
    assert_string_equal(f.done_body, "");
    assert_non_null(strstr(f.log, "larger than rx_size"));
    /* Reported once, although the client repeats its own request. */
    assert_int_equal(f.desired_count, 1);
    fixture_sleep(&f, 60000);
    assert_int_equal(f.desired_count, 1);
    assert_int_equal(f.desired[0].result, IOTHUB_ERR_TOO_BIG);
    assert_string_equal(f.desired[0].text,
                        "a twin document of 933 bytes: larger than rx_size (512)");
    assert_string_equal(f.desired[0].json, "{}");
    assert_false(f.desired[0].complete);
    f.hub.twin = "{\"desired\":{\"$version\":2}}"; /* the hub's twin becomes smaller */
    fixture_sleep(&f, 60000);
    assert_int_equal(f.desired_count, 2);
    assert_int_equal(f.desired[1].result, IOTHUB_OK);
    assert_string_equal(f.desired[1].text, "");
    fixture_free(&f);
}

static void each_connection_begins_with_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    twin_patch(&f, 2);
    fixture_run(&f);
    f.hub.twin = "{\"desired\":{\"$version\":2},\"reported\":{}}";

    fixture_cut(&f);
    fixture_sleep(&f, 1000);

    assert_int_equal(f.desired_count, 3);
    assert_true(f.desired[2].complete);
    assert_int_equal(f.desired[2].version, 2);
    fixture_free(&f);
}

static void without_the_callback_there_is_no_get(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);

    twin_patch(&f, 2); /* arrives because of a subscription of an earlier run */
    fixture_run(&f);

    assert_int_equal(f.hub.publishes, 0);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void a_twin_recreated_with_a_lower_version_is_followed(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin = "{\"desired\":{\"$version\":50}}";
    fixture_connect(&f);
    f.hub.twin = "{\"desired\":{\"$version\":1}}";
    fixture_cut(&f);
    fixture_sleep(&f, 1000);

    twin_patch(&f, 2);
    fixture_run(&f);

    assert_int_equal(f.desired[f.desired_count - 1].version, 2);
    fixture_free(&f);
}

static void a_version_that_goes_back_fetches_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin = "{\"desired\":{\"$version\":50}}";
    fixture_connect(&f);
    f.hub.twin = "{\"desired\":{\"$version\":2}}"; /* the twin was deleted and created again */

    twin_patch(&f, 2);
    fixture_run(&f);

    assert_int_equal(twin_gets(&f), 2);
    assert_int_equal(f.desired_count, 2);
    assert_true(f.desired[1].complete);
    assert_int_equal(f.desired[1].version, 2);
    fixture_free(&f);
}

static void a_change_that_cannot_be_read_fetches_the_document(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *body;
    } cases[] = {
        { "?$version=2", "{" },
        { "?$version=2", "[]" },
        { "?", "{}" },
        { "?x=%", "{\"a\":1}" },
        { "?$version=99999999999999999999", "{\"a\":1}" },
        { "?$version=-2", "{\"$version\":\"2\"}" },
        { "?$version=2", NULL }, /* a document that is larger than rx_size */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client_fixture f;
        char topic[128];
        char large[9000] = { 0 };
        memset(large, ' ', sizeof large - 1);
        const char *body = cases[i].body != NULL ? cases[i].body : large;
        snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/%s", cases[i].topic);
        fixture_init(&f, NULL);
        fixture_connect(&f);
        f.hub.twin = "{\"desired\":{\"$version\":2}}";

        fake_hub_send(fixture_stream(&f), topic, body, strlen(body), 0);
        fixture_run(&f);

        assert_int_equal(twin_gets(&f), 2);
        assert_int_equal(f.desired[f.desired_count - 1].version, 2);
        fixture_free(&f);
    }
}

static void a_change_that_cannot_be_read_may_have_overtaken_the_document(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    uint32_t rid = twin_rid(fake_hub_last(&f.hub, "$iothub/twin/GET/"));

    fake_hub_send(fixture_stream(&f), "$iothub/twin/PATCH/properties/desired/?$version=6", "{", 1,
                  0);
    fixture_run(&f);
    f.hub.twin = "{\"desired\":{\"$version\":6}}";
    f.hub.twin_status = 200;
    twin_answer(&f, 200, rid, "", "{\"desired\":{\"$version\":5}}");
    fixture_run(&f);

    assert_int_equal(twin_gets(&f), 2);
    assert_int_equal(f.desired[f.desired_count - 1].version, 6);
    fixture_free(&f);
}

static void a_document_asked_for_on_an_earlier_connection_is_not_believed(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin_status = 0;
    fixture_connect(&f);
    uint32_t rid = twin_rid(fake_hub_last(&f.hub, "$iothub/twin/GET/"));
    fixture_cut(&f); /* version 6 is created while the device is disconnected */
    fixture_sleep(&f, 1000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(twin_gets(&f), 2);

    f.hub.twin = "{\"desired\":{\"$version\":6}}";
    f.hub.twin_status = 200;
    twin_answer(&f, 200, rid, "", "{\"desired\":{\"$version\":5}}");
    fixture_run(&f);

    assert_int_equal(f.desired_count, 1);
    assert_int_equal(f.desired[0].version, 6);
    fixture_free(&f);
}

static void a_get_of_the_application_finds_a_change_that_was_never_notified(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    (void)twin_get(&f);
    fixture_run(&f);
    assert_int_equal(twin_gets(&f), 2); /* nothing has changed, so there is no other GET */
    assert_int_equal(f.desired_count, 1);

    f.hub.twin = "{\"desired\":{\"$version\":2}}";
    (void)twin_get(&f);
    fixture_run(&f);

    assert_int_equal(f.desired_count, 2);
    assert_int_equal(f.desired[1].version, 2);
    assert_int_equal(f.done_count, 2);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_comes_first_then_patches_in_order),
        cmocka_unit_test(a_version_in_the_body_alone_will_do),
        cmocka_unit_test(a_repeated_patch_is_dropped),
        cmocka_unit_test(a_gap_fetches_the_document_again),
        cmocka_unit_test(a_patch_that_overtakes_the_document_is_not_lost),
        cmocka_unit_test(a_patch_before_the_suback_waits_for_the_document),
        cmocka_unit_test(a_refused_document_is_asked_for_again_with_back_off),
        cmocka_unit_test(a_document_that_cannot_be_read_is_asked_for_again),
        cmocka_unit_test(a_document_that_never_comes_is_asked_for_again),
        cmocka_unit_test(a_twin_larger_than_rx_size_ends_the_request_immediately),
        cmocka_unit_test(each_connection_begins_with_the_document),
        cmocka_unit_test(without_the_callback_there_is_no_get),
        cmocka_unit_test(a_twin_recreated_with_a_lower_version_is_followed),
        cmocka_unit_test(a_version_that_goes_back_fetches_the_document),
        cmocka_unit_test(a_change_that_cannot_be_read_fetches_the_document),
        cmocka_unit_test(a_change_that_cannot_be_read_may_have_overtaken_the_document),
        cmocka_unit_test(a_document_asked_for_on_an_earlier_connection_is_not_believed),
        cmocka_unit_test(a_get_of_the_application_finds_a_change_that_was_never_notified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
