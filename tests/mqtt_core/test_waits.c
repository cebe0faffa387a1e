#include "waits.h"

/* Tests that a missing answer of the server ends the connection in time. */

static void an_answer_that_never_comes_ends_the_connection(void **state)
{
    (void)state;
    static const char *const answers[] = { "", "PUBACK", "PUBREC" };

    for (uint8_t qos = 1; qos <= 2; qos++) {
        rig r;
        connect_with(&r, NULL, &options);
        r.now += 1234;
        (void)rig_publish(&r, 0, qos, 1, 5);
        rig_send_all(&r);
        expect_timeout(&r, r.now + ACK, answers[qos]);
        rig_deinit(&r);
    }
}

/* The server does not even answer PINGREQ. */
static void a_server_that_answers_nothing_at_all_gets_no_more_time(void **state)
{
    (void)state;
    mqc_connect_options patient = options;
    patient.keep_alive_s = 240;
    rig r;
    connect_with(&r, NULL, &patient);
    (void)rig_publish(&r, 0, 1, 1, 1000);
    rig_send_all(&r);
    mqc_time start = r.now;

    while (mqc_error(&r.e) == MQC_OK) {
        r.now = rig_deadline(&r);
        (void)mqc_tick(&r.e, r.now);
        rig_send_all(&r);
    }
    assert_int_equal(r.now, start + ACK);
    assert_string_equal(mqc_error_packet(&r.e), "PUBACK");
    rig_deinit(&r);
}

/* The stream was full and now accepts the rest of a message together with the PINGREQ. The bytes
 * before the PINGREQ must not extend the time for its answer. */
static void bytes_taken_together_with_the_ping_give_no_more_time(void **state)
{
    (void)state;
    mqc_connect_options patient = options;
    patient.keep_alive_s = 240;
    rig r;
    connect_with(&r, NULL, &patient);
    (void)rig_publish(&r, 0, 1, 1, 100);
    rig_send_all(&r);
    mqc_time start = r.now;
    (void)rig_publish(&r, 0, 1, 2, 100);
    assert_int_equal(rig_send(&r, 10), 10);
    r.now = start + ACK / 2;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    r.now += 5;
    rig_send_all(&r);
    assert_memory_equal(r.sent + r.sent_len - 2, ((const uint8_t[]){ 0xC0, 0 }), 2);

    while (mqc_tick(&r.e, r.now) == MQC_OK) {
        r.now = rig_deadline(&r);
        assert_in_range(r.now, start, start + ACK);
    }
    assert_int_equal(r.now, start + ACK);
    assert_string_equal(mqc_error_packet(&r.e), "PUBACK");
    rig_deinit(&r);
}

/* A TLS record arrives at 100 bytes a second; the engine receives nothing of it until it is
 * complete. */
static void an_answer_may_stand_behind_what_arrives_below_the_engine(void **state)
{
    (void)state;
    mqc_connect_options patient = options;
    patient.keep_alive_s = 240;
    patient.reports_flow = true;
    rig r;
    mqc_flow flow = { .received = 4, .delivered = 100 };
    connect_with(&r, NULL, &patient);
    uint16_t id = rig_publish(&r, 0, 1, 1, 100);
    rig_send_all(&r);
    mqc_time start = r.now;

    for (int wakes = 0; r.now < start + 8 * ACK; wakes++) {
        assert_true(wakes < 200);
        mqc_time due = rig_deadline(&r) > r.now ? rig_deadline(&r) : r.now;
        flow.received += (due - r.now) / 10;
        r.now = due;
        if (mqc_wants_flow(&r.e, r.now)) {
            mqc_report_flow(&r.e, &flow, r.now);
        }
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        rig_send_all(&r);
    }
    assert_int_equal(RIG_FEED(&r, 0xD0, 0), MQC_OK);
    rig_puback(&r, id);
    rig_deinit(&r);
}

static void qos_0_and_kept_messages_are_owed_no_answer(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);

    assert_int_equal(rig_queue(&r, 1, 0, false, 0), MQC_OK);
    assert_int_equal(rig_queue(&r, 2, 0, true, 0), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(live(&r, r.now + 100 * ACK), MQC_OK);
    rig_deinit(&r);
}

static void behind_a_kept_message_the_time_runs_once_that_has_ended(void **state)
{
    (void)state;
    for (int expires = 0; expires < 2; expires++) {
        rig r;
        connect_with(&r, NULL, &options);
        mqc_time end = r.now + 2 * ACK + 777;
        assert_int_equal(rig_queue(&r, 2, 0, true, expires != 0 ? end : 0), MQC_OK);
        (void)rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        assert_int_equal(live(&r, end), MQC_OK);
        if (expires == 0) {
            rig_release(&r, 2, MQC_OK);
        }

        assert_int_equal(live(&r, end + 10 * ACK), MQC_ERR_TIMEOUT);
        assert_in_range(r.now, end + ACK / 2, end + ACK);
        rig_deinit(&r);
    }
}

static void without_a_limit_an_answer_may_take_forever(void **state)
{
    (void)state;
    mqc_connect_options none = options;
    none.ack_timeout_ms = 0;
    rig r;
    connect_with(&r, NULL, &none);
    const mqc_subscription s = { MQC_SPAN_LIT("a"), 1 };

    (void)rig_publish(&r, 0, 1, 1, 5);
    assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(live(&r, r.now + 100 * ACK), MQC_OK);
    rig_deinit(&r);
}

static void an_answered_publish_is_not_waited_for(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);

    for (int i = 0; i < 50; i++) {
        uint16_t id = rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);
        rig_puback(&r, id);
    }
    assert_int_equal(live(&r, r.now + 10 * ACK), MQC_OK);
    rig_deinit(&r);
}

static void a_server_that_answers_slowly_but_in_order_is_waited_for(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    uint16_t ids[20];
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = rig_publish(&r, 0, 1, 1, 5);
    }
    rig_send_all(&r);

    for (size_t i = 0; i + 1 < COUNT_OF(ids); i++) { /* together 19 times the limit */
        assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);
        rig_puback(&r, ids[i]);
    }
    expect_timeout(&r, r.now + ACK, "PUBACK");
    rig_deinit(&r);
}

static void a_publish_that_was_passed_by_is_noticed_however_many_others_are_answered(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    mqc_time start = r.now;
    (void)rig_publish(&r, 0, 1, 1, 5);
    rig_send_all(&r);

    while (mqc_error(&r.e) == MQC_OK && r.now < start + 10 * ACK) {
        r.sent_len = 0;
        uint16_t id = rig_publish(&r, 0, 1, 2, 5);
        rig_send_all(&r);
        rig_puback(&r, id);
        (void)live(&r, r.now + 1000);
    }

    assert_int_equal(mqc_error(&r.e), MQC_ERR_TIMEOUT);
    assert_int_equal(r.now, start + ACK);
    rig_deinit(&r);
}

static void each_lane_is_watched(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { 512, 8, 0 }, { 512, 8, 0 }, { 512, 8, 0 } } };

    for (uint8_t mute = 0; mute < 3; mute++) {
        rig r;
        connect_with(&r, &sizes, &options);
        mqc_time start = r.now;
        (void)rig_publish(&r, mute, 1, 1, 5);
        rig_send_all(&r);
        while (mqc_error(&r.e) == MQC_OK) {
            r.sent_len = 0;
            uint16_t id = rig_publish(&r, (uint8_t)((mute + 1) % 3), 1, 1, 5);
            rig_send_all(&r);
            rig_puback(&r, id);
            (void)live(&r, r.now + 900);
        }
        assert_int_equal(r.now, start + ACK);
        rig_deinit(&r);
    }
}

static void pubrec_gives_new_time_to_pubcomp(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    uint16_t id = rig_publish(&r, 0, 2, 1, 5);
    rig_send_all(&r);
    assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);

    assert_int_equal(RIG_FEED(&r, 0x50, 2, (uint8_t)(id >> 8), (uint8_t)id), MQC_OK);
    rig_send_all(&r);

    expect_timeout(&r, r.now + ACK, "PUBCOMP");
    rig_deinit(&r);
}

/* The PUBLISH had arrived on the old connection. On the new one, the lane has sent only a kept
 * message, for which no answer is expected. */
static void a_pubrec_before_the_publish_is_repeated_begins_the_wait_for_pubcomp(void **state)
{
    (void)state;
    mqc_connect_options kept = options;
    kept.clean_session = false;
    rig r;
    rig_init(&r, NULL);
    rig_connect_with(&r, &kept, false);
    assert_int_equal(rig_queue(&r, 1, 0, true, 0), MQC_OK);
    const size_t first = rig_send(&r, SIZE_MAX);
    const uint16_t id = rig_publish(&r, 0, 2, 2, 5);
    rig_send_all(&r);
    mqc_reset(&r.e);
    rig_connect_with(&r, &kept, true);

    assert_int_equal(rig_send(&r, first), first);
    assert_int_equal(RIG_FEED(&r, 0x50, 2, 0, (uint8_t)id), MQC_OK);
    rig_send_all(&r);
    rig_release(&r, 1, MQC_OK);
    expect_timeout(&r, r.now + ACK, "PUBCOMP");
    rig_deinit(&r);
}

static void what_has_not_left_is_not_waited_for(void **state)
{
    (void)state;
    mqc_connect_options quiet = options;
    quiet.keep_alive_s = 0;
    rig r;
    connect_with(&r, NULL, &quiet);
    (void)rig_publish(&r, 0, 1, 1, 100);

    for (int i = 0; i < 50; i++) { /* one byte arrives each time, just before the time-out */
        r.now += ACK - 1;
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        assert_int_equal(rig_send(&r, 1), 1);
    }
    r.now += 10 * ACK;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    rig_send_all(&r);
    expect_timeout(&r, r.now + ACK, "PUBACK");
    rig_deinit(&r);
}

/* While the stream does not accept a PINGREQ, the time does not run. When the server has
 * answered it, half of the time is left. */
static void half_of_the_time_is_left_after_the_answer_to_a_held_up_ping(void **state)
{
    (void)state;
    mqc_connect_options patient = options;
    patient.keep_alive_s = 240;

    for (mqc_time held_up = ACK; held_up < 3 * ACK; held_up += ACK / 7) {
        rig r;
        connect_with(&r, NULL, &patient);
        (void)rig_publish(&r, 0, 1, 1, 100);
        rig_send_all(&r);
        const mqc_time until = r.now + held_up;

        while (r.now < until) { /* the stream accepts nothing during this time */
            r.now = rig_deadline(&r) < until ? rig_deadline(&r) : until;
            assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        }
        rig_send_all(&r);
        assert_memory_equal(r.sent + r.sent_len - 2, ((const uint8_t[]){ 0xC0, 0 }), 2);
        r.now += 500;
        assert_int_equal(RIG_FEED(&r, 0xD0, 0), MQC_OK);
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        expect_timeout(&r, r.now + ACK / 2, "PUBACK");
        rig_deinit(&r);
    }
}

static void an_answer_may_stand_behind_a_packet_that_is_arriving(void **state)
{
    (void)state;
    /* Once with room for the packet, once without. */
    const rig_sizes sizes[] = { { .rx = 4096 }, { .rx = 64 } };

    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        rig r;
        connect_with(&r, &sizes[s], &options);
        uint16_t id = rig_publish(&r, 0, 1, 1, 5);
        rig_send_all(&r);
        assert_int_equal(RIG_FEED(&r, 0x30, 0x80 | 100, 1, 0, 1, 'a'), MQC_OK); /* 228 bytes */

        for (int i = 0; i < 225; i++) {
            r.now += KEEP_ALIVE / 20;
            assert_int_equal(RIG_FEED(&r, 'x'), MQC_OK);
            (void)mqc_tick(&r.e, r.now);
            assert_int_equal(mqc_error(&r.e), MQC_OK);
            rig_send_all(&r);
            if (r.sent[r.sent_len - 2] == 0xC0) {
                /* Switches the PINGREQ off, since its answer is not part of this test. */
                r.e.keep_alive.ping = 0;
            }
        }
        assert_true(r.now > 3 * ACK);
        assert_int_equal(live(&r, r.now + ACK - KEEP_ALIVE), MQC_OK);
        rig_puback(&r, id);
        rig_deinit(&r);
    }
}

/* Tried for every number of bytes of the packet that had arrived before. */
static void each_byte_behind_the_first_of_a_packet_says_that_one_is_arriving(void **state)
{
    (void)state;
    static const uint8_t packet[] = { 0x30, 6, 0, 1, 't', 1, 2, 3 };
    for (size_t first = 1; first < sizeof packet; first++) {
        rig r;
        connect_with(&r, NULL, &options);
        r.now += 10;
        assert_int_equal(rig_feed(&r, packet, first), MQC_OK);
        assert_int_not_equal(r.e.waits.arriving_at, r.now);
        r.now += 10;
        assert_int_equal(rig_feed(&r, packet + first, sizeof packet - first), MQC_OK);
        assert_int_equal(r.e.waits.arriving_at, r.now);
        r.now += 10;
        assert_int_equal(rig_feed(&r, packet, sizeof packet), MQC_OK);
        assert_int_not_equal(r.e.waits.arriving_at, r.now);
        assert_int_equal(r.events, 2);
        rig_deinit(&r);
    }
}

static void subscribe_and_unsubscribe_are_waited_for(void **state)
{
    (void)state;
    const mqc_subscription s = { MQC_SPAN_LIT("a"), 1 };

    for (int unsubscribe = 0; unsubscribe < 2; unsubscribe++) {
        rig r;
        uint16_t id;
        connect_with(&r, NULL, &options);
        /* Five pairs of answered requests, so that two slots of the table have been used. */
        for (int i = 0; i < 5; i++) {
            uint16_t other;
            assert_int_equal(mqc_unsubscribe(&r.e, &s.filter, 1, &id), MQC_OK);
            assert_int_equal(mqc_subscribe(&r.e, &s, 1, &other), MQC_OK);
            rig_send_all(&r);
            assert_int_equal(live(&r, r.now + ACK - 1), MQC_OK);
            assert_int_equal(RIG_FEED(&r, 0xB0, 2, (uint8_t)(id >> 8), (uint8_t)id), MQC_OK);
            assert_int_equal(RIG_FEED(&r, 0x90, 3, (uint8_t)(other >> 8), (uint8_t)other, 1),
                             MQC_OK);
        }
        assert_int_equal(live(&r, r.now + 3 * ACK), MQC_OK);
        assert_int_equal(unsubscribe != 0 ? mqc_unsubscribe(&r.e, &s.filter, 1, NULL)
                                          : mqc_subscribe(&r.e, &s, 1, NULL),
                         MQC_OK);
        rig_send_all(&r);
        expect_timeout(&r, r.now + ACK, unsubscribe != 0 ? "UNSUBACK" : "SUBACK");
        rig_deinit(&r);
    }
}

/* The time of an earlier connection does not count, even if the ids and states are the same. */
static void each_connection_restarts_the_count(void **state)
{
    (void)state;
    rig r;
    connect_with(&r, NULL, &options);
    (void)rig_publish(&r, 0, 1, 1, 5);
    (void)rig_publish(&r, 0, 2, 2, 5);
    rig_send_all(&r);

    for (int i = 0; i < 5; i++) {
        expect_timeout(&r, r.now + ACK, "PUBACK");
        r.now += 77777;
        mqc_reset(&r.e);
        rig_connect_with(&r, &options, true);
        rig_send_all(&r);
        assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    }
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_never_comes_ends_the_connection),
        cmocka_unit_test(a_server_that_answers_nothing_at_all_gets_no_more_time),
        cmocka_unit_test(bytes_taken_together_with_the_ping_give_no_more_time),
        cmocka_unit_test(an_answer_may_stand_behind_what_arrives_below_the_engine),
        cmocka_unit_test(qos_0_and_kept_messages_are_owed_no_answer),
        cmocka_unit_test(behind_a_kept_message_the_time_runs_once_that_has_ended),
        cmocka_unit_test(without_a_limit_an_answer_may_take_forever),
        cmocka_unit_test(an_answered_publish_is_not_waited_for),
        cmocka_unit_test(a_server_that_answers_slowly_but_in_order_is_waited_for),
        cmocka_unit_test(a_publish_that_was_passed_by_is_noticed_however_many_others_are_answered),
        cmocka_unit_test(each_lane_is_watched),
        cmocka_unit_test(pubrec_gives_new_time_to_pubcomp),
        cmocka_unit_test(a_pubrec_before_the_publish_is_repeated_begins_the_wait_for_pubcomp),
        cmocka_unit_test(what_has_not_left_is_not_waited_for),
        cmocka_unit_test(half_of_the_time_is_left_after_the_answer_to_a_held_up_ping),
        cmocka_unit_test(an_answer_may_stand_behind_a_packet_that_is_arriving),
        cmocka_unit_test(each_byte_behind_the_first_of_a_packet_says_that_one_is_arriving),
        cmocka_unit_test(subscribe_and_unsubscribe_are_waited_for),
        cmocka_unit_test(each_connection_restarts_the_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
