#include <stdio.h>

#include "client_fixture.h"
#include "twin_fixture.h"

/* Tests what the statistics count. */

static iothub_stats stats_of(const client_fixture *f)
{
    iothub_stats stats;
    iothub_get_stats(f->client, &stats);
    return stats;
}

static unsigned calls(const client_fixture *f, scripted_call call)
{
    unsigned sum = 0;

    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        sum += f->platform.streams[i].calls[call];
    }
    return sum;
}

static void bytes_and_calls_are_those_of_the_streams(void **state)
{
    (void)state;
    client_fixture f;
    uint64_t sent = 0;
    uint64_t received = 0;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (int n = 0; n < 4; n++) {
        scripted_stream *s = fixture_stream(&f);
        s->send_max = n == 1 ? 7 : 0;
        s->recv_max = n == 2 ? 3 : 0;
        (void)fixture_send(&f, "some telemetry");
        (void)twin_get(&f);
        fake_hub_send(s, "devices/device1/messages/devicebound/a=b", "x", 1, 7);
        fixture_run(&f);
        s->send_room = 10;
        (void)fixture_send(&f, "of which ten bytes leave");
        fixture_run(&f);

        iothub_stats stats = stats_of(&f);
        assert_int_equal(stats.bytes_sent, sent + s->tx_total);
        assert_int_equal(stats.bytes_received, received + s->rx_total);
        assert_int_equal(stats.send_calls, calls(&f, SCRIPTED_SEND));
        assert_int_equal(stats.recv_calls, calls(&f, SCRIPTED_RECV));
        sent += s->tx_total;
        received += s->rx_total;
        fixture_cut(&f);
        s->send_room = SIZE_MAX;
        fixture_sleep(&f, 60000);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    }
    fixture_free(&f);
}

static void telemetry_is_counted_as_accepted_sent_and_acknowledged(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    for (unsigned n = 1; n <= 3; n++) {
        (void)fixture_send(&f, "0123456789");
        assert_int_equal(stats_of(&f).telemetry_accepted, n);
        assert_int_equal(stats_of(&f).queued, n);
        assert_int_equal(stats_of(&f).telemetry_sent, 0);
    }
    assert_in_range(stats_of(&f).queued_bytes, 3 * 45, 3 * 60);
    f.hub.mute_publish = true;
    fixture_connect(&f);
    assert_int_equal(stats_of(&f).telemetry_sent, 3);
    assert_int_equal(stats_of(&f).telemetry_acknowledged, 0);

    for (unsigned n = 1; n <= 3; n++) {
        fake_hub_ack(&f.hub, fixture_stream(&f), n - 1);
        fixture_run(&f);
        assert_int_equal(stats_of(&f).telemetry_sent, 3);
        assert_int_equal(stats_of(&f).telemetry_acknowledged, n);
        assert_int_equal(stats_of(&f).queued, 3 - n);
    }
    assert_int_equal(stats_of(&f).queued_bytes, 0);
    assert_int_equal(stats_of(&f).telemetry_cancelled, 0);
    fixture_free(&f);
}

static void attempts_losses_and_connects_are_counted_apart(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.return_code = 3;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).failed_attempts, 1);
    assert_int_equal(stats_of(&f).connects, 0);

    f.hub.return_code = 0;
    fixture_sleep(&f, 60000);
    assert_int_equal(stats_of(&f).connects, 1);
    assert_int_equal(stats_of(&f).losses, 0);
    fixture_cut(&f);
    assert_int_equal(stats_of(&f).losses, 1);
    assert_int_equal(stats_of(&f).failed_attempts, 1);
    fixture_sleep(&f, 60000);
    assert_int_equal(stats_of(&f).connects, 2);

    /* A planned change, followed by a stop. */
    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).connects, 3);
    assert_int_equal(stats_of(&f).token_renewals, 1);
    assert_int_equal(iothub_stop(f.client, 1000), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
    assert_int_equal(stats_of(&f).losses, 1);
    assert_int_equal(stats_of(&f).failed_attempts, 1);
    fixture_free(&f);
}

static void a_failed_second_connection_is_a_failed_attempt(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    scripted_fail(&f.platform.streams[1], SCRIPTED_PROGRESS, 1, PLAT_ERR_CONNECT);

    assert_int_equal(iothub_reconnect_now(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(stats_of(&f).failed_attempts, 1);
    assert_int_equal(stats_of(&f).losses, 0);
    fixture_free(&f);
}

static void desired_properties_are_counted_as_they_are_delivered(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.twin = "{\"desired\":{\"$version\":4},\"reported\":{}}";
    fixture_connect(&f);
    assert_int_equal(stats_of(&f).desired_delivered, 1);

    twin_patch(&f, 5);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).desired_delivered, 2);
    twin_patch(&f, 5);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).desired_delivered, 2);
    assert_int_equal(stats_of(&f).desired_duplicates, 1);
    assert_int_equal(stats_of(&f).desired_gaps, 0);
    f.hub.twin = "{\"desired\":{\"$version\":7},\"reported\":{}}";
    twin_patch(&f, 7);
    fixture_run(&f);

    assert_int_equal(stats_of(&f).desired_delivered, 3);
    assert_int_equal(stats_of(&f).desired_gaps, 1);
    fixture_free(&f);
}

static void messages_are_counted_as_received_and_accepted(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (int defer = 0; defer < 2; defer++) {
        f.disposition = defer ? IOTHUB_DEFER : IOTHUB_ACCEPT;
        fake_hub_send(fixture_stream(&f), "devices/device1/messages/devicebound/", "x", 1, 7);
        fixture_run(&f);
        assert_int_equal(stats_of(&f).c2d_received, 1 + defer);
        assert_int_equal(stats_of(&f).c2d_accepted, 1);
    }
    assert_int_equal(iothub_message_accept(f.client, f.deliveries[1]), IOTHUB_OK);
    assert_int_equal(stats_of(&f).c2d_accepted, 2);
    assert_int_equal(stats_of(&f).ignored, 0);
    fixture_free(&f);
}

/* Messages larger than rx_size, on each kind of topic, and one whose topic does not fit either. */
static void what_is_too_large_is_counted_by_its_topic(void **state)
{
    (void)state;
    static char topic[9000];
    static char body[9000];
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    scripted_stream *s = fixture_stream(&f);
    memset(body, 'x', sizeof body);

    fake_hub_send(s, "devices/device1/messages/devicebound/a=b", body, sizeof body, 0);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).c2d_oversize, 1);
    fake_hub_send(s, "$iothub/methods/POST/m/?$rid=1", body, sizeof body, 0);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).c2d_oversize, 1);
    assert_int_equal(stats_of(&f).ignored, 1);
    memset(topic, 't', sizeof topic - 1);
    fake_hub_send(s, topic, "", 0, 5);
    fixture_run(&f);

    assert_int_equal(stats_of(&f).c2d_oversize, 2);
    assert_int_equal(stats_of(&f).ignored, 1);
    assert_int_equal(stats_of(&f).c2d_received, 0);
    /* Acknowledged, since the hub would otherwise send it again forever. */
    assert_int_equal(f.hub.acks, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void methods_are_counted_as_received_and_as_answered_once_that_has_left(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    fake_hub_send(fixture_stream(&f), "$iothub/methods/POST/m/?$rid=1", "", 0, 0);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).methods_received, 1);
    fixture_stream(&f)->send_room = 0;

    assert_int_equal(iothub_method_respond(f.client, &f.tokens[0], 200, "", 0, NULL, NULL),
                     IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(stats_of(&f).methods_answered, 0);
    fixture_stream(&f)->send_room = SIZE_MAX;
    fixture_run(&f);
    assert_int_equal(stats_of(&f).methods_answered, 1);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_calls_are_those_of_the_streams),
        cmocka_unit_test(telemetry_is_counted_as_accepted_sent_and_acknowledged),
        cmocka_unit_test(attempts_losses_and_connects_are_counted_apart),
        cmocka_unit_test(a_failed_second_connection_is_a_failed_attempt),
        cmocka_unit_test(desired_properties_are_counted_as_they_are_delivered),
        cmocka_unit_test(messages_are_counted_as_received_and_accepted),
        cmocka_unit_test(what_is_too_large_is_counted_by_its_topic),
        cmocka_unit_test(methods_are_counted_as_received_and_as_answered_once_that_has_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
