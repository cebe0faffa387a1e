#include <stdio.h>

#include "client_fixture.h"
#include "iothub/message.h"

/* Tests messages on topics that this run did not subscribe to: a kept session still has the
 * subscriptions of earlier runs. */

#define C2D     "devices/device1/messages/devicebound/"
#define DESIRED "$iothub/twin/PATCH/properties/desired/?$version=7"
#define METHOD  "$iothub/methods/POST/reboot/?$rid=1"

static void without_c2d(iothub_options *o)
{
    o->callbacks.c2d = NULL;
}

static void without_any(iothub_options *o)
{
    o->callbacks.c2d = NULL;
    o->callbacks.desired = NULL;
    o->callbacks.method = NULL;
}

static iothub_stats stats_of(const client_fixture *f)
{
    iothub_stats stats;
    iothub_get_stats(f->client, &stats);
    return stats;
}

static void send_messages(client_fixture *f, const char *topic, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        fake_hub_send(fixture_stream(f), topic, "{}", 2, (uint16_t)i);
    }
    fixture_run(f);
}

/* Only messages that must be accepted use QoS 1; for the others, a lost answer is requested
 * again. */
static void messages_alone_are_wanted_with_qos_1(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    assert_string_equal(f.hub.filters, "$iothub/twin/res/# " C2D "# "
                                       "$iothub/twin/PATCH/properties/desired/# "
                                       "$iothub/methods/POST/#");
    assert_string_equal(f.hub.wanted_qos, "0100");
    fixture_free(&f);
}

static void messages_without_a_callback_are_acknowledged_and_nothing_stops(void **state)
{
    (void)state;
    const unsigned count = 4 * IOTHUB_UNACCEPTED_MAX;
    client_fixture f;
    fixture_init(&f, without_c2d);
    f.hub.session_present = true;
    fixture_connect(&f);

    send_messages(&f, C2D, count);
    iothub_op op = fixture_send(&f, "still alive");
    iothub_op get = 0;
    assert_int_equal(iothub_twin_get(f.client, NULL, &get), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(f.hub.acks, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(f.hub.acked[i], i + 1);
    }
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    assert_int_equal(fixture_ended(&f, get, NULL), 1);
    assert_int_equal(stats_of(&f).c2d_received, count);
    assert_int_equal(stats_of(&f).c2d_accepted, 0);
    assert_int_equal(stats_of(&f).ignored, count);
    assert_non_null(strstr(f.log, "there is no c2d callback"));
    fixture_free(&f);
}

static void a_message_at_qos_0_without_a_callback_is_counted(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, without_c2d);
    fixture_connect(&f);

    fake_hub_send(fixture_stream(&f), C2D, "x", 1, 0);
    fixture_run(&f);

    assert_int_equal(f.hub.acks, 0);
    assert_int_equal(stats_of(&f).ignored, 1);
    fixture_free(&f);
}

static void an_unwanted_subscription_is_ended_once_a_connection(void **state)
{
    (void)state;
    static const struct {
        const char *topic, *filter;
    } features[] = {
        { C2D, "devices/device1/messages/devicebound/#" },
        { DESIRED, "$iothub/twin/PATCH/properties/desired/#" },
        { METHOD, "$iothub/methods/POST/#" },
    };
    client_fixture f;
    fixture_init(&f, without_any);
    fixture_connect(&f);

    for (unsigned i = 0; i < 3; i++) {
        send_messages(&f, features[i].topic, 10);
        assert_int_equal(f.hub.unsubscribes, i + 1);
        assert_string_equal(f.hub.unfiltered, features[i].filter);
        assert_int_equal(f.hub.acks, 10 * (i + 1));
        assert_int_equal(stats_of(&f).ignored, 10 * (i + 1));
    }
    fixture_cut(&f);
    fixture_sleep(&f, 5000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    send_messages(&f, C2D, 10);
    assert_int_equal(f.hub.unsubscribes, 4);
    assert_string_equal(f.hub.unfiltered, features[0].filter);
    fixture_free(&f);
}

static void a_module_ends_the_subscription_of_its_inputs(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f,
                    "HostName=h.net;DeviceId=d;ModuleId=m;"
                    "SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    without_c2d);
    fixture_connect(&f);

    send_messages(&f, "devices/d/modules/m/inputs/temp/a=1", 2 * IOTHUB_UNACCEPTED_MAX);

    assert_int_equal(f.hub.acks, 2 * IOTHUB_UNACCEPTED_MAX);
    assert_string_equal(f.hub.unfiltered, "devices/d/modules/m/inputs/#");
    fixture_free(&f);
}

static void what_is_subscribed_to_is_not_ended(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    send_messages(&f, C2D, 3);
    send_messages(&f, DESIRED, 3);
    send_messages(&f, METHOD, 3);
    send_messages(&f, "strange/topic", 3);

    assert_int_equal(f.hub.unsubscribes, 0);
    assert_int_equal(f.hub.acks, 12);
    fixture_free(&f);
}

/* Another library has subscribed with QoS 2 in this session. */
static void feed_qos_2(client_fixture *f, uint16_t id)
{
    static const char topic[] = C2D;
    uint8_t packet[64] = { 0x34, (uint8_t)(sizeof topic - 1 + 5), 0, (uint8_t)(sizeof topic - 1) };
    const uint8_t pubrel[] = { 0x62, 2, (uint8_t)(id >> 8), (uint8_t)id };
    size_t n = 4;

    memcpy(packet + n, topic, sizeof topic - 1);
    n += sizeof topic - 1;
    packet[n++] = (uint8_t)(id >> 8);
    packet[n++] = (uint8_t)id;
    packet[n++] = 'x';
    scripted_feed(fixture_stream(f), packet, n);
    scripted_feed(fixture_stream(f), pubrel, sizeof pubrel);
}

static void a_message_at_qos_2_cannot_be_deferred_and_takes_no_place(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.disposition = IOTHUB_DEFER;
    fixture_connect(&f);

    for (unsigned i = 1; i <= 3 * IOTHUB_UNACCEPTED_MAX; i++) {
        feed_qos_2(&f, (uint16_t)i);
        fixture_run(&f);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        assert_int_equal(f.c2d_count, i);
        assert_int_equal(f.deliveries[i - 1], 0);
    }
    assert_int_equal(iothub_message_accept(f.client, 0), IOTHUB_OK);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_alone_are_wanted_with_qos_1),
        cmocka_unit_test(messages_without_a_callback_are_acknowledged_and_nothing_stops),
        cmocka_unit_test(a_message_at_qos_0_without_a_callback_is_counted),
        cmocka_unit_test(an_unwanted_subscription_is_ended_once_a_connection),
        cmocka_unit_test(a_module_ends_the_subscription_of_its_inputs),
        cmocka_unit_test(what_is_subscribed_to_is_not_ended),
        cmocka_unit_test(a_message_at_qos_2_cannot_be_deferred_and_takes_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
