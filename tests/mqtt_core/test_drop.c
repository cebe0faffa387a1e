#include "rig.h"

/* Tests of mqc_drop, which ends messages that were not sent. */

static uint32_t drop(rig *r)
{
    void *tag = NULL;
    return mqc_drop(&r->e, 0, &tag) == MQC_OK ? (uint32_t)(uintptr_t)tag : 0;
}

static mqc_result publish(rig *r, uint8_t qos, uint32_t id, size_t len)
{
    uint8_t payload[200] = { (uint8_t)id };
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { payload, len },
                             .qos = qos,
                             .id = id,
                             .tag = (void *)(uintptr_t)id };
    return mqc_publish(&r->e, &m, NULL);
}

static void puback(rig *r, uint8_t id)
{
    assert_int_equal(RIG_FEED(r, 0x40, 2, 0, id), MQC_OK);
}

static void the_oldest_goes_first_and_is_not_sent(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    for (uint32_t id = 1; id <= 4; id++) {
        assert_int_equal(publish(&r, 1, id, 5), MQC_OK);
    }
    size_t before = mqc_lane(&r.e, 0).bytes;

    assert_int_equal(drop(&r), 1);
    assert_int_equal(drop(&r), 2);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, before / 2);
    assert_int_equal(mqc_drop(&r.e, 1, NULL), MQC_ERR_ARG);
    rig_connect(&r, true, false); /* clears the log */
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id3 #3\nPUBLISH d0 q1 r0 id4 #4\n");
    assert_int_equal(drop(&r), 0);
    puback(&r, 3);
    puback(&r, 4);
    rig_expect_log(&r, "DONE acked lane0 id3\nDONE acked lane0 id4\n");
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    rig_deinit(&r);
}

static void each_dropped_one_ends_once(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    for (uint32_t id = 1; id <= 3; id++) {
        assert_int_equal(publish(&r, (uint8_t)(id - 1), id, 5), MQC_OK);
        assert_int_equal(drop(&r), id);
    }
    assert_int_equal(drop(&r), 0);
    rig_pull(&r);
    rig_expect_log(&r, "DONE dropped lane0 id1\nDONE dropped lane0 id2\nDONE dropped lane0 id3\n");
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    rig_deinit(&r);
}

/* Three messages of 8 bytes each are queued, and the first n of these 24 bytes were sent. */
static void what_has_begun_to_leave_stays(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 24; n++) {
        rig r;
        rig_init(&r, NULL);
        rig_connect(&r, true, false);
        for (uint32_t id = 1; id <= 3; id++) {
            assert_int_equal(publish(&r, 1, id, 1), MQC_OK);
        }
        assert_int_equal(rig_send(&r, n), n);
        uint32_t whole = (uint32_t)((n + 7) / 8);
        assert_int_equal(mqc_lane(&r.e, 0).begun, n > 0);

        for (uint32_t id = whole + 1; id <= 3; id++) {
            assert_int_equal(drop(&r), id);
        }
        assert_int_equal(drop(&r), 0);
        assert_int_equal(mqc_lane(&r.e, 0).bytes, n > 0 ? 24 : 0);
        rig_send_all(&r);
        assert_int_equal(r.sent_len, 8 * whole);
        rig_deinit(&r);
    }
}

static void what_the_stream_was_offered_stays(void **state)
{
    (void)state;
    rig r;
    size_t len;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    assert_int_equal(publish(&r, 0, 1, 1), MQC_OK);
    (void)mqc_tx_data(&r.e, &len);
    assert_int_equal(publish(&r, 0, 2, 1), MQC_OK);

    assert_int_equal(drop(&r), 2);
    assert_int_equal(drop(&r), 0);
    rig_send_all(&r);
    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q0 r0 id0 #1\n");
    rig_deinit(&r);
}

/* Three messages are offered to the stream and therefore cannot be dropped; the stream accepts n
 * bytes and returns the others. */
static void what_was_lent_and_came_back_goes_before_what_is_younger(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 24; n++) {
        size_t len;
        rig r;
        rig_init(&r, NULL);
        rig_connect(&r, true, false);
        for (uint32_t id = 1; id <= 3; id++) {
            assert_int_equal(publish(&r, 1, id, 1), MQC_OK);
        }
        (void)mqc_tx_data(&r.e, &len);
        assert_int_equal(len, 24);
        for (uint32_t id = 4; id <= 6; id++) {
            assert_int_equal(publish(&r, 1, id, 1), MQC_OK);
        }
        assert_int_equal(drop(&r), 4);
        mqc_tx_consume(&r.e, n, r.now);

        uint32_t whole = (uint32_t)((n + 7) / 8);
        for (uint32_t id = whole + 1; id <= 6; id++) {
            assert_int_equal(drop(&r), id != 4 ? id : 5);
            id += id == 4;
        }
        assert_int_equal(drop(&r), 0);
        rig_deinit(&r);
    }
}

static void to_ask_whether_there_is_something_offers_nothing(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    assert_false(mqc_tx_ready(&r.e));
    assert_int_equal(publish(&r, 1, 1, 1), MQC_OK);
    assert_true(mqc_tx_ready(&r.e));

    assert_int_equal(drop(&r), 1);
    assert_false(mqc_tx_ready(&r.e));
    rig_deinit(&r);
}

static void what_was_sent_on_a_lost_connection_can_go_except_with_qos_2(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, false, false);
    assert_int_equal(publish(&r, 2, 1, 1), MQC_OK);
    assert_int_equal(publish(&r, 1, 2, 1), MQC_OK);
    assert_int_equal(publish(&r, 1, 3, 1), MQC_OK);
    rig_send_all(&r);
    assert_int_equal(drop(&r), 0);
    mqc_reset(&r.e);
    rig_forget(&r);

    assert_false(mqc_lane(&r.e, 0).begun);
    assert_int_equal(drop(&r), 2);
    rig_connect(&r, false, true);
    rig_send_all(&r);
    assert_string_equal(rig_sent_text(&r), "PUBLISH d1 q2 r0 id1 #1\nPUBLISH d1 q1 r0 id3 #3\n");
    rig_deinit(&r);
}

/* The search for the next message to drop begins again with the oldest one. */
static void a_reset_between_two_drops_makes_the_older_ones_droppable(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, false, false);
    for (uint32_t id = 1; id <= 4; id++) {
        assert_int_equal(publish(&r, 1, id, 1), MQC_OK);
    }
    assert_true(rig_send(&r, 17) == 17); /* sends two complete messages and a part of the third */
    assert_int_equal(drop(&r), 4);       /* the event of its end was not taken yet */
    assert_int_equal(drop(&r), 0);
    mqc_reset(&r.e);
    for (uint32_t id = 1; id <= 3; id++) {
        assert_int_equal(drop(&r), id);
    }
    assert_int_equal(drop(&r), 0);
    rig_deinit(&r);
}

/* The test takes no events, so the number of entries is the only limit. */
static void a_full_lane_always_has_the_newest(void **state)
{
    (void)state;
    for (size_t len = 1; len < 90; len++) {
        const rig_sizes sizes = { .lanes = { { .ring_len = 300, .entries_len = 64 } } };
        rig r;
        uint32_t id = 0;
        uint32_t oldest = 1;
        rig_init(&r, &sizes);

        for (;;) {
            mqc_result result = publish(&r, 1, id + 1, len);
            if (result == MQC_OK) {
                id++;
            } else if (mqc_lane(&r.e, 0).count == 64) {
                break;
            } else {
                assert_int_equal(drop(&r), oldest++);
            }
        }
        rig_pull(&r);
        assert_int_equal(r.events, oldest - 1);
        assert_int_equal(mqc_lane(&r.e, 0).bytes, (id - oldest + 1) * (len + 7));
        rig_connect(&r, true, false);
        rig_send_all(&r);
        assert_int_equal(r.sent_len, (id - oldest + 1) * (len + 7));
        for (size_t at = 0; at < r.sent_len; at += len + 7) {
            assert_int_equal(r.sent[at + 7], oldest++);
        }
        rig_deinit(&r);
    }
}

/* Of five messages of 8 bytes the first ones are offered to the stream. Some of them are
 * acknowledged before the stream reports their bytes as sent; until then the bytes must not be
 * overwritten. */
static void an_answer_before_the_stream_reports_frees_no_bytes_on_their_way(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .ring_len = 40 } } };

    for (uint8_t n = 0; n < 4 * 5 * 8; n++) {
        uint32_t offered = 1 + n % 4;
        uint32_t answered = n / 4 % 5;
        /* Bytes of the first message that are sent before the acknowledgements. */
        size_t taken = n / 20;
        uint8_t lent[40];
        size_t len;
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        for (uint32_t id = 1; id <= offered; id++) {
            assert_int_equal(publish(&r, 1, id, 1), MQC_OK);
        }
        if (answered > offered) {
            rig_deinit(&r);
            continue;
        }
        assert_int_equal(rig_send(&r, taken), taken);
        const uint8_t *run = mqc_tx_data(&r.e, &len);
        assert_int_equal(len, 8 * offered - taken);
        memcpy(lent, run, len);
        for (uint8_t id = 1; id <= answered; id++) {
            puback(&r, id);
        }
        for (uint32_t id = offered + 1; id <= 5; id++) {
            assert_int_equal(publish(&r, 1, id, 1), MQC_OK);
        }

        for (uint32_t id = offered + 1; id <= 5; id++) {
            assert_int_equal(drop(&r), id);
        }
        assert_int_equal(drop(&r), 0);
        while (publish(&r, 1, 0xEE, 1) == MQC_OK) { /* tries to overwrite the offered bytes */
        }
        assert_memory_equal(run, lent, len);
        rig_send_all(&r);
        assert_true(r.sent_len >= 8 * offered);
        assert_memory_equal(r.sent + taken, lent, len);
        rig_pull(&r);
        while (publish(&r, 1, 0xEE, 1) == MQC_OK) { /* all the space is free again */
        }
        rig_send_all(&r);
        /* Space is freed from the oldest message on, but never beyond one that is
         * unacknowledged. */
        uint32_t later = answered == offered ? 5 : answered;
        assert_int_equal(r.sent_len, 8 * (offered + later));
        for (size_t at = 8 * offered; at < r.sent_len; at += 8) {
            assert_memory_equal(r.sent + at, ((const uint8_t[]){ 0x32, 6, 0, 1, 't', 0 }), 6);
            assert_int_equal(r.sent[at + 7], 0xEE);
        }
        rig_deinit(&r);
    }
}

/* The positions of the entries have changed, because the first one was reported and its space
 * was freed. */
static void a_drop_after_a_reported_one_and_a_sent_one_finds_the_right_bytes(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    assert_int_equal(publish(&r, 0, 1, 5), MQC_OK);
    assert_int_equal(publish(&r, 0, 2, 5), MQC_OK);
    assert_int_equal(drop(&r), 1);
    rig_pull(&r);
    size_t len;
    (void)mqc_tx_data(&r.e, &len);
    mqc_tx_consume(&r.e, len, r.now); /* message 2 has ended; its event is not taken yet */
    assert_int_equal(publish(&r, 0, 3, 5), MQC_OK);
    assert_int_equal(publish(&r, 0, 4, 5), MQC_OK);

    assert_int_equal(drop(&r), 3);
    rig_send_all(&r);
    rig_pull(&r);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q0 r0 id0 #4\n");
    rig_expect_log(&r, "DONE dropped lane0 id1\nDONE sent lane0 id2\nDONE dropped lane0 id3\n"
                       "DONE sent lane0 id4\n");
    rig_deinit(&r);
}

/* Once the server has lost its session, a QoS 2 publish is a new message, which mqc_drop may
 * drop. */
static void what_the_server_forgot_can_be_dropped_although_others_wait_to_be_reported(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, false, false);
    assert_int_equal(publish(&r, 2, 1, 5), MQC_OK);
    rig_send_all(&r);
    assert_int_equal(publish(&r, 1, 2, 5), MQC_OK);
    assert_int_equal(publish(&r, 1, 3, 5), MQC_OK);
    mqc_reset(&r.e);
    assert_int_equal(drop(&r), 2); /* message 1 is not dropped, because the server may have it */
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c") };
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
    rig_send_all(&r);
    size_t cap;
    memcpy(mqc_rx_space(&r.e, &cap), "\x20\x02\x00\x00", 4);
    assert_int_equal(mqc_rx_commit(&r.e, 4, r.now), MQC_OK);
    mqc_event ev;
    assert_true(mqc_next_event(&r.e, &ev)); /* the event that 2 was dropped */
    assert_true(mqc_next_event(&r.e, &ev));
    assert_int_equal(ev.type, MQC_EVENT_CONNECTED);

    assert_int_equal(drop(&r), 1);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_goes_first_and_is_not_sent),
        cmocka_unit_test(each_dropped_one_ends_once),
        cmocka_unit_test(what_has_begun_to_leave_stays),
        cmocka_unit_test(what_the_stream_was_offered_stays),
        cmocka_unit_test(an_answer_before_the_stream_reports_frees_no_bytes_on_their_way),
        cmocka_unit_test(what_was_lent_and_came_back_goes_before_what_is_younger),
        cmocka_unit_test(to_ask_whether_there_is_something_offers_nothing),
        cmocka_unit_test(what_was_sent_on_a_lost_connection_can_go_except_with_qos_2),
        cmocka_unit_test(a_reset_between_two_drops_makes_the_older_ones_droppable),
        cmocka_unit_test(a_full_lane_always_has_the_newest),
        cmocka_unit_test(a_drop_after_a_reported_one_and_a_sent_one_finds_the_right_bytes),
        cmocka_unit_test(what_the_server_forgot_can_be_dropped_although_others_wait_to_be_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
