#include "rig.h"

enum { KEEP_ALIVE = 60000 };

static const mqc_connect_options options = { .client_id = MQC_SPAN_LIT("c"),
                                             .keep_alive_s = KEEP_ALIVE / 1000,
                                             .clean_session = true,
                                             .timeout_ms = 700 };

static void connect(rig *r, const rig_sizes *sizes)
{
    rig_init(r, sizes);
    rig_connect_with(r, &options, false);
}

static void tick(rig *r, mqc_time at, mqc_result want)
{
    r->now = at;
    assert_int_equal(mqc_tick(&r->e, at), want);
}

static void connack_has_a_deadline(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    assert_int_equal(mqc_connect(&r.e, &options, r.now), MQC_OK);

    assert_int_equal(rig_deadline(&r), r.now + 700);
    tick(&r, r.now + 699, MQC_OK);
    tick(&r, r.now + 1, MQC_ERR_TIMEOUT);

    assert_string_equal(mqc_error_packet(&r.e), "CONNACK");
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    rig_deinit(&r);
}

static void silence_is_answered_by_a_ping_and_then_loss(void **state)
{
    (void)state;
    rig r;
    connect(&r, NULL);
    mqc_time start = r.now;

    assert_int_equal(rig_deadline(&r), start + KEEP_ALIVE);
    tick(&r, start + KEEP_ALIVE - 1, MQC_OK);
    rig_send_all(&r);
    assert_int_equal(r.sent_len, 0);
    tick(&r, start + KEEP_ALIVE, MQC_OK);
    tick(&r, start + KEEP_ALIVE, MQC_OK); /* the second call must not send a second PINGREQ */
    rig_send_all(&r);
    rig_expect_sent(&r, 0xC0, 0);
    assert_int_equal(rig_deadline(&r), start + KEEP_ALIVE * 3 / 2);
    tick(&r, start + KEEP_ALIVE * 3 / 2 - 1, MQC_OK);
    tick(&r, start + KEEP_ALIVE * 3 / 2, MQC_ERR_TIMEOUT);

    assert_string_equal(mqc_error_packet(&r.e), "PINGRESP");
    rig_deinit(&r);
}

static void an_answered_ping_starts_over(void **state)
{
    (void)state;
    rig r;
    connect(&r, NULL);
    for (int i = 0; i < 5; i++) {
        tick(&r, rig_deadline(&r), MQC_OK);
        rig_send_all(&r);
        r.now += 50;

        assert_int_equal(RIG_FEED(&r, 0xD0, 0), MQC_OK);

        assert_int_equal(rig_deadline(&r), r.now - 50 + KEEP_ALIVE);
    }
    assert_int_equal(r.sent_len, 10);
    assert_int_equal(r.events, 0);
    rig_deinit(&r);
}

static void receiving_does_not_replace_sending(void **state)
{
    (void)state;
    rig r;
    connect(&r, NULL);
    mqc_time start = r.now;

    for (int i = 1; i <= 59; i++) {
        r.now = start + 1000u * (unsigned)i;
        assert_int_equal(RIG_FEED(&r, 0x30, 3, 0, 1, 'a'), MQC_OK);
    }

    assert_int_equal(rig_deadline(&r), start + KEEP_ALIVE);
    rig_deinit(&r);
}

static void sending_does_not_hide_a_silent_peer(void **state)
{
    (void)state;
    rig r;
    connect(&r, NULL);
    mqc_time start = r.now;
    mqc_result result = MQC_OK;

    while (result == MQC_OK) {
        r.now += 500;
        result = mqc_tick(&r.e, r.now);
        if (result == MQC_OK) {
            (void)rig_publish(&r, 0, 0, 1, 1);
        }
        rig_send_all(&r);
        rig_pull(&r);
    }

    assert_int_equal(result, MQC_ERR_TIMEOUT);
    assert_int_equal(r.now, start + KEEP_ALIVE * 3 / 2);
    rig_deinit(&r);
}

static void received_bytes_are_a_sign_of_life_while_a_ping_has_no_answer(void **state)
{
    (void)state;
    rig r;
    connect(&r, NULL);
    tick(&r, r.now + KEEP_ALIVE, MQC_OK);
    rig_send_all(&r);

    for (int i = 0; i < 10; i++) {
        r.now += KEEP_ALIVE / 2;
        assert_int_equal(RIG_FEED(&r, 0x30, 3, 0, 1, 'a'), MQC_OK);
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        rig_send_all(&r);
    }
    /* Five PINGREQs, so the server knows that we are alive. */
    assert_int_equal(r.sent_len, 2 + 2 * 5);
    mqc_time last = r.now;
    tick(&r, last + KEEP_ALIVE * 3 / 2 - 1, MQC_OK);
    tick(&r, last + KEEP_ALIVE * 3 / 2, MQC_ERR_TIMEOUT);

    rig_deinit(&r);
}

static void no_loss_is_seen_while_we_do_not_read(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect(&r, &sizes);
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 1, 0x32, 5, 0, 1, 't', 0, 2), MQC_OK);
    assert_int_equal(r.events, 1);

    for (int i = 0; i < 5; i++) { /* PINGREQs are still sent */
        mqc_time due = rig_deadline(&r);
        assert_int_equal(due, r.now + KEEP_ALIVE);
        tick(&r, due, MQC_OK);
        rig_send_all(&r);
    }
    assert_int_equal(r.sent_len, 5 * 2);
    assert_int_equal(mqc_ack(&r.e, 1), MQC_OK);
    r.now += 100;
    rig_send_all(&r);
    rig_pull(&r);
    assert_int_equal(r.events, 2);
    tick(&r, r.now, MQC_OK);

    assert_int_equal(rig_deadline(&r), r.now + KEEP_ALIVE);
    assert_int_equal(RIG_FEED(&r, 0xD0, 0, 0xD0, 0, 0xD0, 0), MQC_OK);
    rig_deinit(&r);
}

static void without_keep_alive_nothing_is_due(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);

    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    tick(&r, r.now + 1000000000u, MQC_OK);

    rig_deinit(&r);
}

static void a_stream_that_takes_nothing_gets_one_ping(void **state)
{
    (void)state;
    rig r;
    connect(&r, NULL);
    mqc_time start = r.now;
    size_t ticks = 0;

    while (mqc_error(&r.e) == MQC_OK) {
        r.now = rig_deadline(&r);
        (void)mqc_tick(&r.e, r.now);
        ticks++;
    }

    assert_int_equal(ticks, 2); /* one for the PINGREQ, one for the lost connection */
    assert_int_equal(r.now, start + KEEP_ALIVE * 3 / 2);
    rig_deinit(&r);
}

/* The stream accepts a SUBSCRIBE and then a PINGREQ one byte at a time; each accepted byte is a
 * sign of life. */
static void a_peer_that_takes_a_little_of_a_request_is_alive(void **state)
{
    (void)state;
    uint8_t topic[200];
    const mqc_subscription s = { { topic, sizeof topic }, 1 };
    rig r;
    connect(&r, NULL);
    memset(topic, 't', sizeof topic);
    assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL), MQC_OK);

    for (int n = 0; n < 50; n++) {
        assert_int_equal(rig_send(&r, 1), 1);
        tick(&r, r.now + KEEP_ALIVE, MQC_OK);
        tick(&r, r.now + KEEP_ALIVE / 4, MQC_OK);
    }
    mqc_time taken = r.now - KEEP_ALIVE - KEEP_ALIVE / 4;
    tick(&r, taken + KEEP_ALIVE * 3 / 2 - 1, MQC_OK);
    tick(&r, taken + KEEP_ALIVE * 3 / 2, MQC_ERR_TIMEOUT);
    rig_deinit(&r);
}

/* A QoS 0 message has no answer. The engine allows 16 ms for each byte of it, counted in whole
 * kilobytes. */
static void a_large_message_without_answer_gives_the_ping_its_time(void **state)
{
    (void)state;
    static const size_t lens[] = { 1000, 1024, 1025, 2047, 2048, 30000, 65000 };
    static uint8_t payload[65000];

    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        const rig_sizes sizes = { .lanes = { { .ring_len = 70000 } } };
        /* Length of the fixed header and of the topic "t". */
        const size_t head = lens[i] > 130 ? 3 + 3 : 2 + 3;
        const size_t more = lens[i] > 16383 ? 1 : 0;
        const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                                 .payload = { payload, lens[i] - head - more } };
        size_t len;
        rig r;
        connect(&r, &sizes);
        mqc_time start = r.now;
        assert_int_equal(mqc_publish(&r.e, &m, NULL), MQC_OK);
        (void)mqc_tx_data(&r.e, &len);
        assert_int_equal(len, lens[i]);
        mqc_tx_consume(&r.e, len, r.now);
        rig_pull(&r);

        while (mqc_tick(&r.e, r.now) == MQC_OK) {
            rig_send_all(&r);
            r.now = rig_deadline(&r);
        }
        mqc_time transit = lens[i] > 1024 ? (lens[i] / 1024 + 1) * 1024 * 16 : 0;
        mqc_time silent = KEEP_ALIVE * 3 / 2;
        assert_int_equal(r.now - start, transit > silent ? transit : silent);
        rig_deinit(&r);
    }
}

/* The interval is a sixteenth of the keep-alive time, or of the time for acknowledgements if
 * that is shorter. */
static void while_a_ping_has_no_answer_the_flow_is_asked_for_sixteen_times(void **state)
{
    (void)state;
    static const uint32_t acks_ms[] = { 0, 16000, KEEP_ALIVE - 16, KEEP_ALIVE, KEEP_ALIVE + 16 };

    for (size_t i = 0; i < COUNT_OF(acks_ms); i++) {
        mqc_connect_options reporting = options;
        const mqc_flow flow = { .awaited = true };
        reporting.reports_flow = true;
        reporting.ack_timeout_ms = acks_ms[i];
        mqc_time every =
            (acks_ms[i] != 0 && acks_ms[i] < KEEP_ALIVE ? acks_ms[i] : KEEP_ALIVE) / 16;
        rig r;
        rig_init(&r, NULL);
        rig_connect_with(&r, &reporting, false);
        assert_false(mqc_wants_flow(&r.e, r.now + 100 * KEEP_ALIVE));
        tick(&r, r.now + KEEP_ALIVE, MQC_OK);
        rig_send_all(&r);
        /* Asked immediately, to learn how many bytes precede the PINGREQ. */
        assert_true(mqc_wants_flow(&r.e, r.now));

        for (int n = 0; n < 4; n++) {
            mqc_report_flow(&r.e, &flow, r.now);
            assert_int_equal(rig_deadline(&r), r.now + every);
            assert_false(mqc_wants_flow(&r.e, r.now + every - 1));
            assert_true(mqc_wants_flow(&r.e, r.now + every));
            r.now += every;
        }
        assert_int_equal(RIG_FEED(&r, 0xD0, 0), MQC_OK);
        assert_false(mqc_wants_flow(&r.e, r.now + 100 * KEEP_ALIVE));
        rig_deinit(&r);
    }
}

static void a_stalled_stream_does_not_make_the_timer_spin(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect(&r, &sizes);
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 1, 0x32, 5, 0, 1, 't', 0, 2), MQC_OK);

    assert_int_equal(rig_deadline(&r), r.now + KEEP_ALIVE);
    tick(&r, rig_deadline(&r), MQC_OK);
    /* No deadline, because neither direction can make progress. */
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    tick(&r, r.now + 10 * KEEP_ALIVE, MQC_OK);
    rig_send_all(&r);

    rig_expect_sent(&r, 0xC0, 0);
    rig_deinit(&r);
}

/* The flow is checked only every few seconds, so bytes sent after the PINGREQ may have been
 * delivered by then, too. From then on, only received bytes are signs of life. */
static void a_ping_counts_as_sent_however_much_was_delivered_behind_it(void **state)
{
    (void)state;
    static const uint64_t behind[] = { 0, 1, 101, 70000, INT32_MAX };
    static const uint64_t before[] = { 100, UINT32_MAX - 1, UINT32_MAX, UINT64_C(1) << 40 };
    mqc_connect_options reporting = options;
    reporting.reports_flow = true;

    for (size_t i = 0; i < COUNT_OF(behind) * COUNT_OF(before); i++) {
        mqc_flow flow = { .delivered = before[i / COUNT_OF(behind)], .awaited = true };
        rig r;
        rig_init(&r, NULL);
        rig_connect_with(&r, &reporting, false);
        mqc_time start = r.now;
        tick(&r, start + KEEP_ALIVE, MQC_OK);
        rig_send_all(&r);
        rig_expect_sent(&r, 0xC0, 0);
        flow.pending = 2;
        mqc_report_flow(&r.e, &flow, r.now);
        mqc_time half = rig_deadline(&r);
        flow.delivered += 1;
        flow.pending = 1;
        /* A sign of life, because the peer has acknowledged a byte. */
        mqc_report_flow(&r.e, &flow, half);
        flow.delivered += 1 + behind[i % COUNT_OF(behind)];
        mqc_time whole = rig_deadline(&r);
        mqc_report_flow(&r.e, &flow, whole);

        while (mqc_tick(&r.e, r.now) == MQC_OK) {
            assert_true(r.now < start + 4 * KEEP_ALIVE);
            r.now = rig_deadline(&r);
            flow.delivered += 10;
            if (mqc_wants_flow(&r.e, r.now)) {
                mqc_report_flow(&r.e, &flow, r.now);
            }
        }
        assert_string_equal(mqc_error_packet(&r.e), "PINGRESP");
        assert_int_equal(r.now, half + KEEP_ALIVE * 3 / 2);
        rig_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connack_has_a_deadline),
        cmocka_unit_test(silence_is_answered_by_a_ping_and_then_loss),
        cmocka_unit_test(an_answered_ping_starts_over),
        cmocka_unit_test(receiving_does_not_replace_sending),
        cmocka_unit_test(sending_does_not_hide_a_silent_peer),
        cmocka_unit_test(received_bytes_are_a_sign_of_life_while_a_ping_has_no_answer),
        cmocka_unit_test(a_ping_counts_as_sent_however_much_was_delivered_behind_it),
        cmocka_unit_test(no_loss_is_seen_while_we_do_not_read),
        cmocka_unit_test(without_keep_alive_nothing_is_due),
        cmocka_unit_test(a_stream_that_takes_nothing_gets_one_ping),
        cmocka_unit_test(a_peer_that_takes_a_little_of_a_request_is_alive),
        cmocka_unit_test(a_large_message_without_answer_gives_the_ping_its_time),
        cmocka_unit_test(while_a_ping_has_no_answer_the_flow_is_asked_for_sixteen_times),
        cmocka_unit_test(a_stalled_stream_does_not_make_the_timer_spin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
