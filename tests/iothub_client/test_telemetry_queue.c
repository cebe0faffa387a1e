#include <stdio.h>

#include "client_fixture.h"

static void wide(iothub_options *o)
{
    fixture_quiet(o);
    o->window = 100;
}

/* --- time, quality, disconnection ------------------------------------------------------------- */

static void what_waits_too_long_expires_before_it_is_sent(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    iothub_op expired, kept;
    iothub_telemetry t = { .body = "short", .body_len = 5, .ttl_ms = 1000, .tag = &f };
    fixture_init(&f, fixture_quiet);
    assert_int_equal(iothub_send_telemetry(f.client, &t, &expired), IOTHUB_OK);
    t.ttl_ms = 5000;
    assert_int_equal(iothub_send_telemetry(f.client, &t, &kept), IOTHUB_OK);

    fixture_sleep(&f, 999);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(fixture_ended(&f, expired, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_EXPIRED);
    assert_ptr_equal(f.dones[0].tag, &f);

    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, 1);
    assert_int_equal(fixture_ended(&f, kept, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    fixture_sleep(&f, 10000);
    assert_int_equal(f.done_count, 2);
    fixture_free(&f);
}

static void at_most_once_is_done_when_it_has_left(void **state)
{
    (void)state;
    client_fixture f;
    iothub_op op;
    iothub_result how;
    const iothub_telemetry t = { .body = "x", .body_len = 1, .at_most_once = true };
    fixture_init(&f, fixture_quiet);
    assert_int_equal(iothub_send_telemetry(f.client, &t, &op), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(f.done_count, 0);

    fixture_connect(&f);

    assert_int_equal(fake_hub_at(&f.hub, 0)->qos, 0);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    fixture_free(&f);
}

static void messages_are_taken_while_disconnected_and_leave_in_order(void **state)
{
    (void)state;
    client_fixture f;
    static const char *const bodies[] = { "1", "2", "3", "4" };
    fixture_init(&f, fixture_quiet);
    fixture_send(&f, bodies[0]);
    fixture_connect(&f);
    fixture_cut(&f);
    fixture_send(&f, bodies[1]);
    fixture_send(&f, bodies[2]);
    fixture_sleep(&f, 1000);
    fixture_send(&f, bodies[3]);
    fixture_run(&f);

    assert_int_equal(f.hub.publishes, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(fake_hub_at(&f.hub, i)->payload, bodies[i]);
    }
    assert_int_equal(f.done_count, 4);
    fixture_free(&f);
}

static void telemetry_flows_before_the_suback(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    f.hub.mute_subscribe = true;
    iothub_op op = fixture_send(&f, "x");
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_SUBSCRIBING);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    fixture_free(&f);
}

/* --- batches and windows ---------------------------------------------------------------------- */

static void sixteen_queued_messages_leave_in_one_send(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    unsigned before = fixture_stream(&f)->calls[SCRIPTED_SEND];
    for (int i = 0; i < 16; i++) {
        fixture_send(&f, "0123456789");
    }

    fixture_run(&f);

    assert_int_equal(f.hub.publishes, 16);
    assert_int_equal(fixture_stream(&f)->calls[SCRIPTED_SEND], before + 1);
    assert_int_equal(f.done_count, 16);
    fixture_free(&f);
}

static void a_hundred_acknowledgements_are_taken_in_one_pass(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, wide);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    for (int i = 0; i < 100; i++) {
        fixture_send(&f, "x");
    }
    fixture_run(&f);
    assert_int_equal(f.hub.publishes, 100);
    for (unsigned i = 0; i < 100; i++) {
        fake_hub_ack(&f.hub, fixture_stream(&f), i);
    }
    unsigned before = fixture_stream(&f)->calls[SCRIPTED_RECV];

    assert_int_equal(iothub_process(f.client), IOTHUB_OK);

    assert_int_equal(f.done_count, 100);
    assert_int_equal(fixture_stream(&f)->calls[SCRIPTED_RECV], before + 1);
    fixture_free(&f);
}

static void a_loop_waits_two_milliseconds_for_many_acknowledgements_together(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    fixture_init(&f, wide);
    fixture_connect(&f);
    iothub_poll_info(f.client, &p);
    assert_int_equal(fixture_stream(&f)->last_least, 1);
    f.hub.mute_publish = true;
    for (int i = 0; i < 100; i++) {
        fixture_send(&f, "x");
    }
    fixture_run(&f);
    iothub_poll_info(f.client, &p);
    assert_int_equal(fixture_stream(&f)->last_least, 10 * 4);
    assert_int_equal(p.timeout_ms, 2);

    fixture_sleep(&f, 2);
    iothub_poll_info(f.client, &p);
    assert_int_equal(fixture_stream(&f)->last_least, 1);
    assert_true(p.timeout_ms > 2);
    fixture_free(&f);
}

static void a_lone_message_costs_one_send_and_one_read(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    assert_int_equal(iothub_process(f.client), IOTHUB_OK); /* reads until nothing is left */
    const unsigned *calls = fixture_stream(&f)->calls;
    unsigned sends = calls[SCRIPTED_SEND];
    unsigned reads = calls[SCRIPTED_RECV];

    fixture_send(&f, "x");
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    assert_int_equal(calls[SCRIPTED_SEND], sends + 1);
    assert_int_equal(calls[SCRIPTED_RECV], reads);
    (void)fake_hub_serve(&f.hub, fixture_stream(&f));
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);

    assert_int_equal(f.done_count, 1);
    assert_int_equal(calls[SCRIPTED_SEND], sends + 1);
    assert_int_equal(calls[SCRIPTED_RECV], reads + 1);
    fixture_free(&f);
}

static void an_application_that_sends_in_every_turn_still_hears(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);

    for (unsigned turn = 1; turn <= 100; turn++) {
        fixture_send(&f, "x");
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        (void)fake_hub_serve(&f.hub, fixture_stream(&f));
        assert_true(f.done_count + 2 >= turn);
    }
    fixture_free(&f);
}

/* With QoS 0 no answer is expected, so the client reads only occasionally. */
static void messages_without_an_answer_cost_one_send_each(void **state)
{
    (void)state;
    enum { TURNS = 160 };
    client_fixture f;
    const iothub_telemetry t = { .body = "x", .body_len = 1, .at_most_once = true };
    fixture_init(&f, fixture_quiet);
    f.disposition = IOTHUB_ACCEPT;
    fixture_connect(&f);
    const unsigned *calls = fixture_stream(&f)->calls;
    unsigned sends = calls[SCRIPTED_SEND];
    unsigned reads = calls[SCRIPTED_RECV];

    for (unsigned turn = 1; turn <= TURNS; turn++) {
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
        assert_int_equal(iothub_wait(f.client, 1000), IOTHUB_OK);
        assert_int_equal(f.done_count, turn);
    }
    assert_int_equal(calls[SCRIPTED_SEND], sends + TURNS);
    assert_in_range(calls[SCRIPTED_RECV], reads + TURNS / 20, reads + TURNS / 10);

    fake_hub_send(fixture_stream(&f), "devices/device1/messages/devicebound/", "x", 1, 0);
    for (unsigned turn = 1; f.c2d_count == 0; turn++) {
        assert_in_range(turn, 1, 20);
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
        assert_int_equal(iothub_wait(f.client, 1000), IOTHUB_OK);
    }
    fixture_free(&f);
}

static void under_load_a_batch_costs_one_send_and_one_read(void **state)
{
    (void)state;
    enum { BATCHES = 4 };
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    const unsigned *calls = fixture_stream(&f)->calls;
    unsigned sends = calls[SCRIPTED_SEND];
    unsigned reads = calls[SCRIPTED_RECV];
    for (unsigned i = 0; i < 16 * BATCHES; i++) {
        fixture_send(&f, "x");
    }

    while (f.done_count < 16 * BATCHES) {
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    }

    assert_int_equal(calls[SCRIPTED_SEND], sends + BATCHES);
    assert_int_equal(calls[SCRIPTED_RECV], reads + BATCHES);
    fixture_free(&f);
}

static void no_more_than_the_window_is_in_flight(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    for (int i = 0; i < 40; i++) {
        fixture_send(&f, "x");
    }
    fixture_run(&f);
    assert_int_equal(f.hub.publishes, 16);

    unsigned sent = 16;
    for (unsigned acked = 1; acked <= 40; acked++) {
        fake_hub_ack(&f.hub, fixture_stream(&f), acked - 1);
        fixture_run(&f);
        if (acked == sent) { /* the whole window is free, so the next batch is sent */
            sent = acked + 16 < 40 ? acked + 16 : 40;
        }
        assert_int_equal(f.done_count, acked);
        assert_int_equal(f.hub.publishes, sent);
    }
    fixture_free(&f);
}

static void a_slow_hub_is_not_waited_for(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    for (int i = 0; i < 20; i++) {
        fixture_send(&f, "x");
    }
    fixture_run(&f);
    for (unsigned acked = 1; acked <= 4; acked++) {
        fake_hub_ack(&f.hub, fixture_stream(&f), acked - 1);
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, 16 + acked - 1);
        fixture_sleep(&f, 2);
        assert_int_equal(f.hub.publishes, 16 + acked);
    }
    fixture_free(&f);
}

static void unacknowledged_messages_are_sent_again_in_order(void **state)
{
    (void)state;
    for (int kept = 0; kept <= 1; kept++) {
        client_fixture f;
        char body[16];
        fixture_init(&f, fixture_quiet);
        fixture_connect(&f);
        f.hub.mute_publish = true;
        for (int i = 0; i < 20; i++) {
            snprintf(body, sizeof body, "%d", i);
            fixture_send(&f, body);
        }
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, 16);
        fake_hub_ack(&f.hub, fixture_stream(&f), 0);
        fake_hub_ack(&f.hub, fixture_stream(&f), 5); /* a hub may answer out of order */
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, 16);

        f.hub.session_present = kept == 1;
        f.hub.mute_publish = false;
        fixture_cut(&f);
        fixture_sleep(&f, 1000);

        assert_int_equal(f.hub.publishes, 16 + 18);
        unsigned n = 16;
        for (int i = 1; i < 20; i++) {
            if (i == 5) {
                continue;
            }
            const fake_hub_publish *p = fake_hub_at(&f.hub, n++);
            snprintf(body, sizeof body, "%d", i);
            assert_string_equal(p->payload, body);
            assert_int_equal(p->dup, kept == 1 && i < 16); /* only the first 16 were sent before */
            assert_true(p->packet_id != 0);
            if (kept == 1 && i < 16) {
                assert_int_equal(p->packet_id, fake_hub_at(&f.hub, (unsigned)i)->packet_id);
            }
        }
        assert_int_equal(f.done_count, 20);
        fixture_free(&f);
    }
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_too_long_expires_before_it_is_sent),
        cmocka_unit_test(at_most_once_is_done_when_it_has_left),
        cmocka_unit_test(messages_are_taken_while_disconnected_and_leave_in_order),
        cmocka_unit_test(telemetry_flows_before_the_suback),
        cmocka_unit_test(sixteen_queued_messages_leave_in_one_send),
        cmocka_unit_test(a_hundred_acknowledgements_are_taken_in_one_pass),
        cmocka_unit_test(a_loop_waits_two_milliseconds_for_many_acknowledgements_together),
        cmocka_unit_test(a_lone_message_costs_one_send_and_one_read),
        cmocka_unit_test(an_application_that_sends_in_every_turn_still_hears),
        cmocka_unit_test(messages_without_an_answer_cost_one_send_each),
        cmocka_unit_test(under_load_a_batch_costs_one_send_and_one_read),
        cmocka_unit_test(no_more_than_the_window_is_in_flight),
        cmocka_unit_test(a_slow_hub_is_not_waited_for),
        cmocka_unit_test(unacknowledged_messages_are_sent_again_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
