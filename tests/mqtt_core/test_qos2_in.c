#include "qos2.h"

/* Tests of QoS 2 messages that the server sends (MQTT 3.1.1, sections 4.3.3, 4.4 and 4.6). */

static void a_message_is_received_released_and_completed(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);

    assert_int_equal(message(&r, 7, false), MQC_OK);
    expect_sent(&r, "");
    expect_log(&r, "PUBLISH d0 q2 r0 id7 t 1 x\n");
    assert_int_equal(mqc_ack(&r.e, 7), MQC_OK);
    rig_send_all(&r);
    rig_expect_sent(&r, 0x50, 2, 0, 7);
    rig_forget(&r);
    assert_int_equal(mqc_ack(&r.e, 7), MQC_ERR_STATE);
    pubrel(&r, 7);
    rig_send_all(&r);
    rig_expect_sent(&r, 0x70, 2, 0, 7);
    rig_forget(&r);

    assert_int_equal(message(&r, 7, false), MQC_OK); /* a new message with the same packet id */
    expect_log(&r, "PUBLISH d0 q2 r0 id7 t 1 x\n");
    rig_deinit(&r);
}

static void a_repeated_message_is_answered_but_not_handed_out(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);
    assert_int_equal(message(&r, 7, false), MQC_OK);
    rig_forget(&r);

    /* A repetition before the application has acknowledged the message. */
    assert_int_equal(message(&r, 7, true), MQC_OK);
    expect_sent(&r, "");
    assert_int_equal(mqc_ack(&r.e, 7), MQC_OK);
    assert_int_equal(message(&r, 7, true), MQC_OK); /* a repetition before PUBREC was sent */
    expect_sent(&r, "PUBREC 7\n");
    assert_int_equal(message(&r, 7, true), MQC_OK);
    expect_sent(&r, "PUBREC 7\n");
    pubrel(&r, 7);
    pubrel(&r, 7);
    expect_sent(&r, "PUBCOMP 7\nPUBCOMP 7\n");

    expect_log(&r, "");
    rig_deinit(&r);
}

static void pubacks_and_pubrecs_leave_in_the_order_of_their_messages(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);
    assert_int_equal(message(&r, 1, false), MQC_OK);
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 2), MQC_OK);
    assert_int_equal(message(&r, 3, false), MQC_OK);
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 4), MQC_OK);

    assert_int_equal(mqc_ack(&r.e, 4), MQC_OK);
    assert_int_equal(mqc_ack(&r.e, 2), MQC_OK);
    expect_sent(&r, "");
    assert_int_equal(mqc_ack(&r.e, 1), MQC_OK);
    expect_sent(&r, "PUBREC 1\nPUBACK 2\n");
    pubrel(&r, 1);
    expect_sent(&r, "PUBCOMP 1\n");
    assert_int_equal(message(&r, 1, false), MQC_OK);
    assert_int_equal(mqc_ack(&r.e, 1), MQC_OK);
    expect_sent(&r, "");
    assert_int_equal(mqc_ack(&r.e, 3), MQC_OK);
    expect_sent(&r, "PUBREC 3\nPUBACK 4\nPUBREC 1\n");
    rig_deinit(&r);
}

static void pubrel_for_a_message_that_the_application_still_has_is_a_violation(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);
    assert_int_equal(message(&r, 7, false), MQC_OK);

    feed_id(&r, 0x62, 7, MQC_ERR_PROTOCOL);

    assert_string_equal(mqc_error_packet(&r.e), "PUBREL");
    rig_deinit(&r);
}

/* The connection is lost after a step: 0 delivered, 1 acknowledged, 2 PUBREC sent, 3 PUBREL
 * received, 4 PUBCOMP sent. */
static void lose_connection_at(int step, bool present)
{
    rig r;
    begin(&r, NULL);
    assert_int_equal(message(&r, 7, false), MQC_OK);
    if (step >= 1) {
        assert_int_equal(mqc_ack(&r.e, 7), MQC_OK);
    }
    if (step >= 2) {
        rig_send_all(&r);
    }
    if (step >= 3) {
        pubrel(&r, 7);
    }
    if (step >= 4) {
        rig_send_all(&r);
    }
    reconnect(&r, present);
    expect_sent(&r, ""); /* nothing is sent until the server repeats its packet */
    if (step == 0) {
        assert_int_equal(mqc_ack(&r.e, 7), present ? MQC_OK : MQC_ERR_STATE);
    }
    if (!present) {
        assert_int_equal(message(&r, 7, false), MQC_OK);
        expect_log(&r, "PUBLISH d0 q2 r0 id7 t 1 x\n");
        rig_deinit(&r);
        return;
    }
    if (step <= 2) { /* the server has not received PUBREC, so it repeats PUBLISH */
        assert_int_equal(message(&r, 7, true), MQC_OK);
        expect_sent(&r, "PUBREC 7\n");
    }
    pubrel(&r, 7);
    expect_sent(&r, "PUBCOMP 7\n");
    expect_log(&r, "");
    assert_int_equal(message(&r, 7, false), MQC_OK);
    expect_log(&r, "PUBLISH d0 q2 r0 id7 t 1 x\n");
    rig_deinit(&r);
}

static void a_message_is_handed_out_once_wherever_the_connection_breaks(void **state)
{
    (void)state;
    for (int step = 0; step <= 4; step++) {
        lose_connection_at(step, true);
        lose_connection_at(step, false);
    }
}

/* A server that always uses the lowest free ids: the ninth message has the same id and text as
 * the first, and only its repetition arrives. */
static void a_new_message_that_looks_like_a_finished_one_is_handed_out(void **state)
{
    (void)state;
    for (int finished = 1; finished <= 70; finished++) {
        rig r;
        begin(&r, NULL);
        r.ack_at_once = true;
        for (int i = 1; i <= finished; i++) {
            const uint8_t id = (uint8_t)i;
            assert_int_equal(RIG_FEED(&r, 0x34, 6, 0, 1, 't', 0, id, id), MQC_OK);
            rig_send_all(&r);
            pubrel(&r, id);
            rig_send_all(&r);
        }
        rig_forget(&r);
        reconnect(&r, true);

        assert_int_equal(RIG_FEED(&r, 0x3C, 6, 0, 1, 't', 0, 1, 1), MQC_OK);

        expect_sent(&r, "PUBREC 1\n");
        expect_log(&r, "PUBLISH d1 q2 r0 id1 t 1 \\01\n");
        rig_deinit(&r);
    }
}

static void an_acknowledgement_counts_between_connections_and_after_an_error(void **state)
{
    (void)state;
    for (int failed = 0; failed < 2; failed++) {
        rig r;
        begin(&r, NULL);
        assert_int_equal(message(&r, 7, false), MQC_OK);
        if (failed) {
            feed_id(&r, 0x40, 99, MQC_ERR_PROTOCOL);
            assert_int_equal(mqc_ack(&r.e, 7), MQC_ERR_PROTOCOL);
            mqc_reset(&r.e);
        } else {
            mqc_reset(&r.e);
            assert_int_equal(mqc_ack(&r.e, 7), MQC_OK);
        }
        assert_int_equal(mqc_ack(&r.e, 7), MQC_ERR_STATE);
        rig_connect(&r, false, true);
        assert_int_equal(message(&r, 7, true), MQC_OK);
        expect_sent(&r, "PUBREC 7\n");
        expect_log(&r, "");
        rig_deinit(&r);
    }
}

static void an_unacknowledged_repeat_keeps_waiting_for_the_application(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);
    assert_int_equal(message(&r, 7, false), MQC_OK);
    assert_int_equal(message(&r, 8, false), MQC_OK);
    assert_int_equal(mqc_ack(&r.e, 8), MQC_OK);
    reconnect(&r, true);

    assert_int_equal(message(&r, 7, true), MQC_OK);
    assert_int_equal(message(&r, 8, true), MQC_OK);
    expect_sent(&r, "");
    assert_int_equal(mqc_ack(&r.e, 7), MQC_OK);
    expect_sent(&r, "PUBREC 7\nPUBREC 8\n");
    expect_log(&r, "");
    rig_deinit(&r);
}

static void answers_survive_a_full_control_area(void **state)
{
    (void)state;
    const rig_sizes sizes = { .control = 32, .inbound = 64 };
    rig r;
    begin(&r, &sizes);
    r.ack_at_once = true;
    for (unsigned i = 1; i <= 64; i++) {
        assert_int_equal(message(&r, i, false), MQC_OK);
    }
    rig_send_all(&r);
    assert_int_equal(r.sent_len, 64 * 4);
    rig_forget(&r);
    for (unsigned i = 1; i <= 64; i++) {
        pubrel(&r, i);
    }

    rig_send_all(&r);

    assert_int_equal(r.sent_len, 64 * 4);
    for (unsigned i = 1; i <= 64; i++) {
        assert_int_equal(r.sent[4 * i - 4], 0x70);
        assert_int_equal(r.sent[4 * i - 1], i);
    }
    rig_deinit(&r);
}

static void releases_of_unknown_ids_wait_for_room(void **state)
{
    (void)state;
    enum { COUNT = 30 };
    const rig_sizes sizes = { .control = 32 };
    uint8_t bytes[4 * COUNT];
    rig r;
    begin(&r, &sizes);
    for (unsigned i = 1; i <= COUNT; i++) {
        const uint8_t rel[] = { i % 2 != 0 ? 0x62 : 0x50, 2, 1, (uint8_t)i };
        memcpy(bytes + 4 * i - 4, rel, 4);
    }
    assert_int_equal(rig_feed(&r, bytes, sizeof bytes), MQC_OK);

    for (size_t last = SIZE_MAX; last != r.sent_len;) {
        last = r.sent_len;
        rig_send_all(&r);
        rig_pull(&r);
    }

    assert_int_equal(r.sent_len, 4 * COUNT);
    for (unsigned i = 1; i <= COUNT; i++) {
        assert_int_equal(r.sent[4 * i - 4], i % 2 != 0 ? 0x70 : 0x62);
        assert_int_equal(r.sent[4 * i - 1], i);
    }
    rig_deinit(&r);
}

static void messages_wait_for_a_slot_until_one_is_released(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 2 };
    size_t len;
    rig r;
    begin(&r, &sizes);
    assert_int_equal(message(&r, 1, false), MQC_OK);
    assert_int_equal(message(&r, 2, false), MQC_OK);
    assert_int_equal(mqc_ack(&r.e, 1), MQC_OK);
    expect_sent(&r, "PUBREC 1\n");
    assert_int_equal(message(&r, 3, false), MQC_OK);
    assert_null(strstr(r.log, "id3"));
    (void)mqc_rx_space(&r.e, &len);
    assert_int_equal(len, 0); /* reading pauses until the application acknowledges 2 */
    assert_int_equal(mqc_ack(&r.e, 2), MQC_OK);
    rig_pull(&r);
    (void)mqc_rx_space(&r.e, &len);
    /* 3 was skipped, since it gets a slot only after the server has released a message. */
    assert_int_equal(len, 4096);
    /* Now a small message follows. */
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 4), MQC_OK);
    expect_sent(&r, "PUBREC 2\n");
    assert_null(strstr(r.log, "id3"));
    assert_null(strstr(r.log, "id4"));
    pubrel(&r, 1);
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    expect_sent(&r, "PUBCOMP 1\n");
    assert_int_equal(rig_deadline(&r), 0);
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_ERR_PROTOCOL);
    assert_string_equal(mqc_error_packet(&r.e), "PUBLISH");
    mqc_reset(&r.e);
    rig_connect(&r, false, true);

    assert_int_equal(message(&r, 2, true), MQC_OK);
    assert_int_equal(message(&r, 3, true), MQC_OK);

    expect_log(&r, "PUBLISH d1 q2 r0 id3 t 1 x\n");
    rig_deinit(&r);
}

/* The state of each message at a server that does not limit the number of messages in flight. */
typedef enum far_state { FAR_PUBLISHED = 0, FAR_RELEASED, FAR_DONE } far_state;

enum { FAR_COUNT = 9 };

/* Serves one connection in order and without delay, until the client closes it or every message
 * has ended. */
static bool serve(rig *r, far_state *far, bool forgets)
{
    for (unsigned i = 1; i <= FAR_COUNT; i++) {
        if (far[i] == FAR_RELEASED && forgets) {
            far[i] = FAR_PUBLISHED;
        }
        if (far[i] == FAR_PUBLISHED) {
            assert_int_equal(message(r, i, true), MQC_OK);
        } else if (far[i] == FAR_RELEASED) {
            pubrel(r, i);
        }
    }
    for (;;) {
        rig_send_all(r);
        if (r->sent_len == 0) {
            return mqc_tick(&r->e, r->now) == MQC_OK;
        }
        uint8_t sent[sizeof r->sent];
        size_t len = r->sent_len;
        memcpy(sent, r->sent, len);
        r->sent_len = 0;
        for (size_t at = 0; at < len; at += 4) {
            bool rec = sent[at] == 0x50;
            far[sent[at + 3]] = rec ? FAR_RELEASED : FAR_DONE;
            if (rec) {
                pubrel(r, sent[at + 3]);
            }
        }
    }
}

static void more_unreleased_messages_than_the_table_holds_end_the_connection_but_none_is_lost(
    void **state)
{
    (void)state;
    for (size_t places = 1; places <= FAR_COUNT; places++) {
        for (int forgets = 0; forgets < 2; forgets++) {
            const rig_sizes sizes = { .inbound = places };
            far_state far[FAR_COUNT + 1] = { FAR_PUBLISHED };
            size_t messages = 0;
            rig r;
            begin(&r, &sizes);
            r.ack_at_once = true;

            for (int connections = 0; !serve(&r, far, forgets != 0); connections++) {
                assert_true(connections < FAR_COUNT);
                assert_int_equal(mqc_error(&r.e), MQC_ERR_PROTOCOL);
                assert_string_equal(mqc_error_packet(&r.e), "PUBLISH");
                messages += r.events;
                reconnect(&r, true);
            }

            assert_int_equal(messages + r.events, FAR_COUNT);
            for (unsigned i = 1; i <= FAR_COUNT; i++) {
                assert_int_equal(far[i], FAR_DONE);
            }
            rig_deinit(&r);
        }
    }
}

/* A message with id 7 and a topic of any length that is larger than the buffer, then a small
 * message. */
static void oversize_messages_are_reported_once(void **state)
{
    (void)state;
    for (uint8_t topic = 1; topic < 60; topic++) {
        uint8_t bytes[200] = { 0x34, 100, 0, topic };
        const rig_sizes sizes = { .rx = 32 };
        rig r;
        begin(&r, &sizes);
        r.ack_at_once = true;
        memset(bytes + 4, 'a', 98);
        bytes[4 + topic] = 0;
        bytes[5 + topic] = 7;

        assert_int_equal(rig_feed(&r, bytes, 102), MQC_OK);
        assert_int_equal(r.events, 1);
        assert_int_equal(r.last.type, MQC_EVENT_OVERSIZE);
        assert_int_equal(r.last.u.publish.payload_len, 96 - topic);
        bytes[0] = 0x3C;
        assert_int_equal(rig_feed(&r, bytes, 102), MQC_OK); /* PUBREC was not sent yet */
        expect_sent(&r, "PUBREC 7\n");
        reconnect(&r, true);
        for (size_t i = 0; i < 102; i++) {
            assert_int_equal(rig_feed(&r, bytes + i, 1), MQC_OK);
        }
        expect_sent(&r, "PUBREC 7\n");
        assert_int_equal(message(&r, 8, false), MQC_OK);
        expect_log(&r, "PUBLISH d0 q2 r0 id8 t 1 x\n");
        rig_deinit(&r);
    }
}

static void subscriptions_may_ask_for_qos_2(void **state)
{
    (void)state;
    const mqc_subscription s = { MQC_SPAN_LIT("t"), 2 };
    const mqc_subscription bad = { MQC_SPAN_LIT("t"), 3 };
    rig r;
    begin(&r, NULL);

    assert_int_equal(mqc_subscribe(&r.e, &bad, 1, NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL), MQC_OK);
    rig_send_all(&r);
    rig_expect_sent(&r, 0x82, 6, 0, 1, 0, 1, 't', 2);
    assert_int_equal(RIG_FEED(&r, 0x90, 3, 0, 1, 2), MQC_OK);
    rig_expect_log(&r, "SUBSCRIBED 1 \\02\n");
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_received_released_and_completed),
        cmocka_unit_test(a_repeated_message_is_answered_but_not_handed_out),
        cmocka_unit_test(pubacks_and_pubrecs_leave_in_the_order_of_their_messages),
        cmocka_unit_test(pubrel_for_a_message_that_the_application_still_has_is_a_violation),
        cmocka_unit_test(a_message_is_handed_out_once_wherever_the_connection_breaks),
        cmocka_unit_test(a_new_message_that_looks_like_a_finished_one_is_handed_out),
        cmocka_unit_test(an_acknowledgement_counts_between_connections_and_after_an_error),
        cmocka_unit_test(an_unacknowledged_repeat_keeps_waiting_for_the_application),
        cmocka_unit_test(answers_survive_a_full_control_area),
        cmocka_unit_test(releases_of_unknown_ids_wait_for_room),
        cmocka_unit_test(messages_wait_for_a_slot_until_one_is_released),
        cmocka_unit_test(
            more_unreleased_messages_than_the_table_holds_end_the_connection_but_none_is_lost),
        cmocka_unit_test(oversize_messages_are_reported_once),
        cmocka_unit_test(subscriptions_may_ask_for_qos_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
