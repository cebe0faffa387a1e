#include "waits.h"

/* Reading is stalled while the application acknowledges nothing; the engine ends the connection
 * in time. */

static const uint8_t two_messages[] = { 0x32, 5, 0, 1, 't', 0, 1, 0x32, 5, 0, 1, 't', 0, 2 };

static void reading_that_stands_still_ends_the_connection(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &options);
    r.now += 5;
    assert_int_equal(rig_feed(&r, two_messages, sizeof two_messages), MQC_OK);
    assert_int_equal(r.events, 1);
    mqc_time start = r.now;

    /* A deadline of 0 asks for mqc_tick, which notes when the stall began. */
    assert_int_equal(rig_deadline(&r), 0);
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    /* PINGREQs are sent, but the server's answers cannot be read. */
    while (mqc_error(&r.e) == MQC_OK) {
        r.now = rig_deadline(&r);
        assert_true(r.now <= start + STALL);
        (void)mqc_tick(&r.e, r.now);
        rig_send_all(&r);
    }

    assert_int_equal(mqc_error(&r.e), MQC_ERR_STALLED);
    assert_int_equal(r.now, start + STALL);
    assert_int_equal(r.sent_len,
                     2 * (STALL / KEEP_ALIVE)); /* the server received signs of life all the time */
    rig_deinit(&r);
}

static void each_acknowledgement_of_the_application_gives_new_time(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &options);

    for (uint8_t id = 1; id <= 30; id++) {
        const uint8_t message[] = { 0x32, 5, 0, 1, 't', 0, id };
        uint8_t *at;
        size_t cap;
        if (id <= 2) {
            assert_int_equal(rig_feed(&r, message, sizeof message), MQC_OK);
            continue;
        }
        for (int i = 0; i < 2; i++) {
            assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
            r.now += STALL / 2;
        }
        assert_int_equal(mqc_ack(&r.e, (uint16_t)(id - 2)), MQC_OK);
        rig_send_all(&r);
        rig_pull(&r);
        assert_int_equal(r.events, (size_t)id - 1);
        at = mqc_rx_space(&r.e, &cap);
        assert_true(cap >= sizeof message);
        memcpy(at, message, sizeof message);
        assert_int_equal(mqc_rx_commit(&r.e, sizeof message, r.now), MQC_OK);
        rig_pull(&r); /* reading stalls again before mqc_tick is called */
        assert_int_equal(r.events, (size_t)id - 1);
    }
    rig_deinit(&r);
}

static void acknowledgements_that_cannot_be_sent_do_not_stop_reading_forever(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1, .control = 32 };
    rig r;
    connect_with(&r, &sizes, &options);
    r.ack_at_once = true;
    mqc_time start = r.now;
    mqc_result result = MQC_OK;

    for (uint8_t id = 1; result == MQC_OK && id < 100; id++) { /* the stream accepts no bytes */
        const uint8_t message[] = { 0x32, 5, 0, 1, 't', 0, id };
        result = rig_feed(&r, message, sizeof message);
    }
    assert_int_equal(result, MQC_ERR_NO_SPACE);
    while (mqc_error(&r.e) == MQC_OK) {
        mqc_time due = rig_deadline(&r);
        r.now = due > r.now ? due : r.now;
        (void)mqc_tick(&r.e, r.now);
    }

    assert_int_equal(mqc_error(&r.e), MQC_ERR_STALLED);
    assert_int_equal(r.now, start + STALL);
    rig_deinit(&r);
}

static void acknowledgements_behind_a_slow_packet_are_waited_for(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1, .control = 32 };
    mqc_connect_options quiet = options;
    quiet.ack_timeout_ms = 0;
    quiet.keep_alive_s = 0;
    rig r;
    connect_with(&r, &sizes, &quiet);
    r.ack_at_once = true;
    (void)rig_publish(&r, 0, 1, 1, 100);
    assert_int_equal(rig_send(&r, 1), 1);
    mqc_result result = MQC_OK;
    for (uint8_t id = 1; result == MQC_OK && id < 100; id++) {
        const uint8_t message[] = { 0x32, 5, 0, 1, 't', 0, id };
        result = rig_feed(&r, message, sizeof message);
    }
    assert_int_equal(result, MQC_ERR_NO_SPACE);

    for (int i = 0; i < 50; i++) {
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        r.now += STALL - 1;
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        assert_int_equal(rig_send(&r, 1), 1);
    }
    assert_int_equal(rig_deadline(&r), r.now + STALL);
    r.now += STALL;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_ERR_STALLED);
    rig_deinit(&r);
}

static void messages_that_were_skipped_are_not_waited_for_forever(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &options);
    r.ack_at_once = true;
    mqc_time start = r.now;

    assert_int_equal(RIG_FEED(&r, 0x34, 5, 0, 1, 't', 0, 1), MQC_OK);
    rig_send_all(&r); /* sends PUBREC; the server never sends PUBREL */
    assert_int_equal(RIG_FEED(&r, 0x34, 5, 0, 1, 't', 0, 2), MQC_OK);
    assert_int_equal(r.events, 1);
    assert_int_equal(live(&r, r.now + 10 * STALL), MQC_ERR_STALLED);

    assert_int_equal(r.now, start + STALL);
    rig_deinit(&r);
}

/* The time-out of each request begins when it becomes the oldest one, whatever is answered
 * first. */
static void of_several_requests_the_oldest_is_waited_for(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 4 * 3 * 2; order++) {
        const mqc_subscription s = { MQC_SPAN_LIT("a"), 1 };
        unsigned turns[] = { order % 4, order / 4 % 3, order / 12 };
        uint16_t open[4];
        size_t left = 4;
        rig r;
        connect_with(&r, NULL, &options);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(mqc_subscribe(&r.e, &s, 1, &open[i]), MQC_OK);
        }
        rig_send_all(&r);
        mqc_time since = r.now;

        for (size_t i = 0; i < 3; i++) { /* one stays */
            uint16_t id = open[turns[i]];
            assert_int_equal(live(&r, since + ACK - 1), MQC_OK);
            assert_int_equal(RIG_FEED(&r, 0x90, 3, (uint8_t)(id >> 8), (uint8_t)id, 1), MQC_OK);
            memmove(open + turns[i], open + turns[i] + 1, (--left - turns[i]) * sizeof open[0]);
            if (turns[i] > 0) {
                break; /* the oldest request is unanswered and its time is nearly over */
            }
            since = r.now;
        }
        expect_timeout(&r, since + ACK, "SUBACK");
        rig_deinit(&r);
    }
}

static void an_answer_is_missed_also_while_reading_stands_still(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1 };
    for (int earlier = 0; earlier < 2; earlier++) {
        rig r;
        connect_with(&r, &sizes, &options);
        (void)rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        mqc_time start = r.now;
        for (uint8_t id = 1; id <= 2; id++) { /* only one of the two messages fits */
            r.now = earlier ? start + 1 : start + ACK;
            assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, id), MQC_OK);
        }
        assert_int_equal(r.events, 1);
        if (earlier) {
            assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
            assert_int_equal(mqc_tick(&r.e, start + ACK - 1), MQC_OK);
            rig_send_all(&r); /* PINGREQ */
        }

        assert_int_equal(mqc_tick(&r.e, start + ACK), MQC_ERR_TIMEOUT);
        assert_string_equal(mqc_error_packet(&r.e), "PUBACK");
        rig_deinit(&r);
    }
}

static void without_a_limit_reading_may_stand_still(void **state)
{
    (void)state;
    mqc_connect_options none = options;
    none.stall_timeout_ms = 0;
    const rig_sizes sizes = { .inbound = 1 };
    rig r;
    connect_with(&r, &sizes, &none);
    assert_int_equal(rig_feed(&r, two_messages, sizeof two_messages), MQC_OK);

    for (int i = 0; i < 1000; i++) {
        r.now = rig_deadline(&r);
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        rig_send_all(&r);
    }
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_that_stands_still_ends_the_connection),
        cmocka_unit_test(each_acknowledgement_of_the_application_gives_new_time),
        cmocka_unit_test(acknowledgements_that_cannot_be_sent_do_not_stop_reading_forever),
        cmocka_unit_test(acknowledgements_behind_a_slow_packet_are_waited_for),
        cmocka_unit_test(messages_that_were_skipped_are_not_waited_for_forever),
        cmocka_unit_test(of_several_requests_the_oldest_is_waited_for),
        cmocka_unit_test(an_answer_is_missed_also_while_reading_stands_still),
        cmocka_unit_test(without_a_limit_reading_may_stand_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
