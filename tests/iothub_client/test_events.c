#include <stdio.h>
#include <stdlib.h>

#include "twin_fixture.h"

/* Tests that each event of the engine reaches the part that it concerns, and that part's
 * counters. */

static iothub_stats stats_of(const client_fixture *f)
{
    iothub_stats stats;
    iothub_get_stats(f->client, &stats);
    return stats;
}

static void small(iothub_options *o)
{
    o->rx_size = 1024;
}

static void send(client_fixture *f, const char *topic, const void *body, size_t len, uint16_t id)
{
    fake_hub_send(fixture_stream(f), topic, body, len, id);
    fixture_run(f);
}

static void a_message_goes_where_its_topic_says(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    const unsigned desired = f.desired_count;

    send(&f, "devices/device1/messages/devicebound/", "c2d", 3, 0);
    assert_string_equal(f.c2d_body, "c2d");
    assert_int_equal(stats_of(&f).c2d_received, 1);
    send(&f, "$iothub/methods/POST/restart/?$rid=5", "{}", 2, 0);
    assert_string_equal(f.method_name, "restart");
    assert_int_equal(stats_of(&f).methods_received, 1);
    twin_patch(&f, 2);
    fixture_run(&f);
    assert_int_equal(f.desired_count, desired + 1);
    assert_int_equal(stats_of(&f).ignored, 0);
    send(&f, "somewhere/else", "x", 1, 0);
    assert_int_equal(stats_of(&f).ignored, 1);
    assert_non_null(strstr(f.log, "ignored a message on topic somewhere/else"));
    fixture_free(&f);
}

/* Cloud-to-device messages wait until the application accepts them; others are acknowledged when
 * they are handled. */
static void only_messages_to_the_device_wait_for_an_acknowledgement(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.disposition = IOTHUB_DEFER;

    send(&f, "devices/device1/messages/devicebound/", "later", 5, 7);
    assert_int_equal(f.hub.acks, 0);
    send(&f, "$iothub/methods/POST/m/?$rid=5", "{}", 2, 8);
    send(&f, "somewhere/else", "x", 1, 9);
    /* Acknowledgements keep the order of arrival, so these wait, too. */
    assert_int_equal(f.hub.acks, 0);
    assert_int_equal(iothub_message_accept(f.client, f.deliveries[0]), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(f.hub.acks, 3);
    fixture_free(&f);
}

static void a_message_that_is_too_large_is_acknowledged_named_and_counted(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *words;
        unsigned oversize, ignored;
    } cases[] = {
        { "devices/device1/messages/devicebound/", "skipped a cloud-to-device message", 1, 0 },
        { "$iothub/twin/PATCH/properties/desired/?$version=2", "a desired change", 0, 1 },
        { "$iothub/methods/POST/m/?$rid=5", "a method call", 0, 1 },
        { "somewhere/else", "skipped a message", 0, 1 },
    };
    static const char large[3000];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client_fixture f;
        char text[128];
        fixture_init(&f, small);
        fixture_connect(&f);
        send(&f, cases[i].topic, large, sizeof large, 7);
        snprintf(text, sizeof text, "%s of 3000 bytes: larger than rx_size (1024)", cases[i].words);
        if (strstr(f.log, text) == NULL) {
            fail_msg("%s: %s", cases[i].topic, f.log);
        }
        assert_int_equal(f.hub.acks, 1);
        assert_int_equal(stats_of(&f).c2d_oversize, cases[i].oversize);
        if (stats_of(&f).ignored != cases[i].ignored) {
            fail_msg("%s: ignored %u", cases[i].topic, (unsigned)stats_of(&f).ignored);
        }
        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        fixture_free(&f);
    }
}

static void a_request_ends_with_the_result_of_its_outcome(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    const iothub_telemetry brief = { .body = "x", .body_len = 1, .ttl_ms = 100 };
    iothub_op expires;
    fixture_init(&f, fixture_quiet);
    assert_int_equal(iothub_send_telemetry(f.client, &brief, &expires), IOTHUB_OK);
    fixture_sleep(&f, 100);
    assert_int_equal(fixture_ended(&f, expires, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_EXPIRED);
    assert_int_equal(stats_of(&f).telemetry_expired, 1);

    iothub_op dropped = fixture_send(&f, "dropped");
    assert_int_equal(iothub_purge(f.client, NULL), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(fixture_ended(&f, dropped, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_DROPPED);
    assert_int_equal(stats_of(&f).telemetry_dropped, 1);

    fixture_connect(&f);
    iothub_op acknowledged = fixture_send(&f, "acknowledged");
    fixture_run(&f);
    assert_int_equal(fixture_ended(&f, acknowledged, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    assert_int_equal(stats_of(&f).telemetry_acknowledged, 1);

    f.hub.mute_publish = true;
    iothub_op cancelled = fixture_send(&f, "cancelled");
    assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(fixture_ended(&f, cancelled, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_CANCELLED);
    assert_int_equal(stats_of(&f).telemetry_cancelled, 1);
    fixture_free(&f);
}

static void an_answer_of_the_clients_own_is_not_reported(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    f.verdict = IOTHUB_METHOD_UNKNOWN;

    send(&f, "$iothub/methods/POST/m/?$rid=5", "{}", 2, 0);

    assert_non_null(fake_hub_last(&f.hub, "$iothub/methods/res/404/?$rid=5"));
    assert_int_equal(f.done_count, 0);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_goes_where_its_topic_says),
        cmocka_unit_test(only_messages_to_the_device_wait_for_an_acknowledgement),
        cmocka_unit_test(a_message_that_is_too_large_is_acknowledged_named_and_counted),
        cmocka_unit_test(a_request_ends_with_the_result_of_its_outcome),
        cmocka_unit_test(an_answer_of_the_clients_own_is_not_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
