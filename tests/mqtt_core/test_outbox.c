#include "outbox.h"
#include "rig.h"

/* --- hold and lanes ---------------------------------------------------------------- */

static void a_held_lane_completes_its_packet_and_stops(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 8; cut++) {
        rig r;
        rig_init(&r, NULL);
        rig_connect(&r, true, false);
        (void)rig_queue(&r, 1, 1, false, 0); /* each packet has 8 bytes */
        (void)rig_queue(&r, 2, 1, false, 0);
        (void)rig_send(&r, cut);

        mqc_hold(&r.e, 0, true);
        rig_send_all(&r);
        assert_int_equal(r.sent_len, cut == 0 ? 0 : 8);
        mqc_hold(&r.e, 0, false);
        rig_send_all(&r);

        assert_string_equal(rig_sent_text(&r),
                            "PUBLISH d0 q1 r0 id1 #1\nPUBLISH d0 q1 r0 id2 #2\n");
        rig_deinit(&r);
    }
}

/* A stream may have sent the start of the offered bytes before it reports them as sent. */
static void an_answer_may_come_before_the_stream_reports(void **state)
{
    (void)state;
    size_t len;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    (void)rig_queue(&r, 1, 1, false, 0);
    (void)rig_queue(&r, 2, 0, true, 0);
    (void)rig_queue(&r, 3, 1, false, 0);
    (void)mqc_tx_data(&r.e, &len);

    rig_puback(&r, 1);
    rig_release(&r, 2, MQC_OK);
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id1 #1\nPUBLISH d0 q0 r0 id0 #2\n"
                                           "PUBLISH d0 q1 r0 id2 #3\n");
    rig_expect_log(&r, "DONE acked lane0 id1\n");
    assert_int_equal(mqc_lane(&r.e, 0).count, 1);
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 1);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 8); /* the space of the messages that ended is free */
    rig_deinit(&r);
}

/* --- kept messages ------------------------------------------------------------------ */

static void kept_messages_wait_for_their_release(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .window = 2 } } };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(rig_queue(&r, i, 0, true, 0), MQC_OK);
    }
    rig_release(&r, 1, MQC_ERR_STATE); /* the message was not sent */

    rig_send_all(&r);
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    rig_release(&r, 3, MQC_ERR_STATE); /* 3 is not in flight, since the window is full */
    rig_release(&r, 2, MQC_OK);
    rig_release(&r, 2, MQC_ERR_STATE);
    rig_send_all(&r);
    rig_gather(&r);
    rig_send_all(&r);
    rig_release(&r, 3, MQC_OK);
    mqc_reset(&r.e);
    rig_release(&r, 1, MQC_ERR_STATE); /* 1 has not been sent on this connection */
    rig_connect(&r, true, false);
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q0 r0 id0 #1\n");
    rig_release(&r, 1, MQC_OK);
    rig_pull(&r);
    rig_expect_log(&r, "");
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    rig_deinit(&r);
}

static void kept_messages_expire_also_after_being_sent(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    assert_int_equal(rig_queue(&r, 1, 0, true, r.now + 10), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(rig_deadline(&r), r.now + 10);
    assert_int_equal(mqc_tick(&r.e, r.now + 9), MQC_OK);
    rig_pull(&r);
    rig_expect_log(&r, "");
    assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
    rig_pull(&r);

    rig_expect_log(&r, "DONE expired lane0 id1\n");
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    rig_deinit(&r);
}

/* --- expiry and discard --------------------------------------------------------------- */

static void queued_messages_expire_to_the_millisecond(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    assert_int_equal(rig_queue(&r, 1, 1, false, r.now + 20), MQC_OK);
    assert_int_equal(rig_queue(&r, 2, 0, false, r.now + 10), MQC_OK);
    assert_int_equal(rig_queue(&r, 3, 1, false, 0), MQC_OK);

    assert_int_equal(rig_deadline(&r), r.now + 10);
    assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
    assert_int_equal(rig_deadline(&r), r.now + 20);
    assert_int_equal(mqc_tick(&r.e, r.now + 20), MQC_OK);
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    rig_pull(&r);

    rig_expect_log(&r, "DONE expired lane0 id1\nDONE expired lane0 id2\n");
    rig_connect(&r, true, false);
    rig_send_all(&r);
    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id2 #3\n");
    rig_deinit(&r);
}

static void a_packet_that_was_partly_sent_does_not_expire(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 8; cut++) {
        rig r;
        rig_init(&r, NULL);
        rig_connect(&r, true, false);
        assert_int_equal(rig_queue(&r, 1, 1, false, r.now + 10), MQC_OK); /* 8 bytes */
        assert_int_equal(rig_queue(&r, 2, 1, false, r.now + 10), MQC_OK);
        (void)rig_send(&r, cut);

        assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
        rig_pull(&r);
        assert_int_equal(rig_deadline(&r), UINT64_MAX);
        rig_send_all(&r);

        assert_string_equal(rig_sent_text(&r), cut == 0 ? "" : "PUBLISH d0 q1 r0 id1 #1\n");
        rig_expect_log(&r, cut == 0 ? "DONE expired lane0 id1\nDONE expired lane0 id2\n"
                                    : "DONE expired lane0 id2\n");
        rig_deinit(&r);
    }
}

static void what_expired_does_not_wait_for_its_event(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    assert_int_equal(rig_queue(&r, 1, 1, false, r.now + 10), MQC_OK);
    assert_int_equal(rig_queue(&r, 2, 1, false, 0), MQC_OK);

    assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
    rig_send_all(&r); /* the events were not taken */

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id2 #2\n");
    rig_deinit(&r);
}

static void an_offer_delays_expiry_until_it_ends(void **state)
{
    (void)state;
    size_t len;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    assert_int_equal(rig_queue(&r, 1, 1, false, r.now + 10), MQC_OK);
    assert_int_equal(rig_queue(&r, 2, 1, false, r.now + 10), MQC_OK);
    (void)mqc_tx_data(&r.e, &len);
    assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
    assert_int_equal(rig_deadline(&r), UINT64_MAX);

    mqc_tx_consume(&r.e, 1, r.now);

    assert_true(rig_deadline(&r) <= r.now);
    assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
    rig_pull(&r);
    rig_expect_log(&r, "DONE expired lane0 id2\n");
    rig_deinit(&r);
}

static void the_window_survives_an_early_answer_and_an_expiry(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .window = 2 } } };
    size_t len;
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(rig_queue(&r, i, 1, false, i == 3 ? r.now + 10 : 0), MQC_OK);
    }
    (void)mqc_tx_data(&r.e, &len);
    rig_puback(&r, 2);
    mqc_tx_consume(&r.e, 1, r.now);
    assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
    rig_forget(&r);

    (void)rig_send(&r, SIZE_MAX); /* sends the rest of the first packet */
    rig_puback(&r, 1);
    rig_forget(&r);
    for (uint32_t i = 4; i <= 6; i++) {
        assert_int_equal(rig_queue(&r, i, 1, false, 0), MQC_OK);
    }
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id4 #4\nPUBLISH d0 q1 r0 id5 #5\n");
    rig_deinit(&r);
}

static void what_the_server_may_have_expires_only_without_the_session(void **state)
{
    (void)state;
    for (int present = 0; present < 2; present++) {
        rig r;
        rig_init(&r, NULL);
        rig_connect(&r, false, false);
        assert_int_equal(rig_queue(&r, 1, 1, false, r.now + 10), MQC_OK);
        rig_send_all(&r);
        mqc_reset(&r.e);

        assert_int_equal(mqc_tick(&r.e, r.now + 100), MQC_OK);
        rig_pull(&r);
        rig_expect_log(&r, "");
        assert_int_equal(rig_deadline(&r), UINT64_MAX);
        rig_connect(&r, false, present);
        assert_int_equal(mqc_tick(&r.e, r.now + 100), MQC_OK);
        rig_pull(&r);

        rig_expect_log(&r, present ? "" : "DONE expired lane0 id1\n");
        rig_deinit(&r);
    }
}

static void discard_ends_everything_once_the_connection_has_ended(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    for (uint32_t i = 1; i <= 3; i++) {
        (void)rig_queue(&r, i, i != 2, false, r.now + 50);
    }
    (void)rig_send(&r, 10);

    assert_int_equal(mqc_discard(&r.e, 0), MQC_ERR_STATE);
    mqc_reset(&r.e);
    assert_int_equal(mqc_discard(&r.e, 0), MQC_OK);
    assert_int_equal(mqc_discard(&r.e, 1), MQC_ERR_ARG);
    rig_pull(&r);

    rig_expect_log(&r, "DONE discarded lane0 id1\nDONE discarded lane0 id2\n"
                       "DONE discarded lane0 id3\n");
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    rig_deinit(&r);
}

/* --- a new connection -------------------------------------------------------------------- */

static void order_and_dup_hold_wherever_the_connection_breaks(void **state)
{
    (void)state;
    enum { EACH = 8, COUNT = 5 };

    for (size_t cut = 0; cut <= EACH * COUNT; cut++) {
        for (int present = 0; present < 2; present++) {
            rig r;
            char want[400] = "";
            rig_init(&r, NULL);
            rig_connect(&r, false, false);
            for (uint32_t i = 1; i <= COUNT; i++) {
                (void)rig_queue(&r, i, 1, false, 0);
            }
            (void)rig_send(&r, cut);
            mqc_reset(&r.e);

            rig_connect(&r, false, present);
            rig_send_all(&r);

            for (size_t i = 1; i <= COUNT; i++) {
                (void)snprintf(want + strlen(want), sizeof want - strlen(want),
                               "PUBLISH d%d q1 r0 id%zu #%zu\n", present && EACH * i <= cut, i, i);
            }
            assert_string_equal(rig_sent_text(&r), want);
            rig_deinit(&r);
        }
    }
}

static void dup_is_taken_back_when_the_session_is_lost_later(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, false, false);
    (void)rig_queue(&r, 1, 1, false, 0);
    rig_send_all(&r);
    mqc_reset(&r.e);
    rig_connect(&r, false, true);
    rig_send_all(&r);
    assert_string_equal(rig_sent_text(&r), "PUBLISH d1 q1 r0 id1 #1\n");
    mqc_reset(&r.e);

    rig_connect(&r, false, false);
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id1 #1\n");
    rig_deinit(&r);
}

/* --- packet ids ---------------------------------------------------------------------------- */

static void packet_ids_skip_those_in_use_after_the_wrap(void **state)
{
    (void)state;
    const mqc_span f[] = { MQC_SPAN_LIT("f") };
    const rig_sizes sizes = { .lanes = {
                                  { .ring_len = 99 }, { .ring_len = 99 }, { .ring_len = 99 } } };
    bool used[65536] = { false };
    uint16_t stuck[9];
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    for (size_t i = 0; i < 5; i++) { /* ids 1 to 5 alternate between two lanes */
        stuck[i] = rig_publish(&r, i % 2, 1, 1, 1);
    }
    for (size_t i = 5; i < 9; i++) { /* as many requests as the engine allows */
        assert_int_equal(mqc_unsubscribe(&r.e, f, 1, &stuck[i]), MQC_OK);
    }
    for (size_t i = 0; i < COUNT_OF(stuck); i++) {
        used[stuck[i]] = true;
    }
    rig_send_all(&r);

    for (uint32_t i = 0; i < 3 * 65536; i++) {
        uint16_t id = rig_publish(&r, 2, 1, 2, 1);
        assert_int_not_equal(id, 0);
        assert_false(used[id]);
        rig_forget(&r);
        rig_send_all(&r);
        rig_puback(&r, id);
    }

    assert_int_equal(mqc_error(&r.e), MQC_OK);
    rig_deinit(&r);
}

static void packet_ids_run_out_before_they_repeat(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .ring_len = 7 * 66000, .entries_len = 66000 } } };
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"), .qos = 1 };
    bool *used = calloc(65536, sizeof *used);
    uint16_t id;
    rig r;
    rig_init(&r, &sizes);

    for (size_t i = 0; i < 65535; i++) {
        assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_OK);
        assert_int_not_equal(id, 0);
        assert_false(used[id]);
        used[id] = true;
    }
    for (int n = 0; n < 4; n++) {
        assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_ERR_NO_SPACE);
    }

    assert_int_equal(mqc_lane(&r.e, 0).count, 65535);
    rig_connect(&r, true, false);
    while (mqc_lane(&r.e, 0).in_flight < 65535) { /* sends all messages */
        (void)rig_send(&r, 10000);
        rig_forget(&r);
    }
    /* The only free id is just before the one where the search begins. */
    for (uint16_t back = 0; back < 3; back++) {
        uint16_t last = (uint16_t)(r.e.ids.next - 1 - back);
        last = last == 0 ? UINT16_MAX : last;
        rig_puback(&r, last);
        assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_OK);
        assert_int_equal(id, last);
        rig_send_all(&r);
        rig_forget(&r);
    }
    assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_ERR_NO_SPACE);
    free(used);
    rig_deinit(&r);
}

static void the_size_of_a_large_packet_is_returned_once(void **state)
{
    (void)state;
    mqc_outbox o = { .large_kb = 5 };

    assert_int_equal(mqc_outbox_take_large_kb(&o), 5);
    assert_int_equal(mqc_outbox_take_large_kb(&o), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_lane_completes_its_packet_and_stops),
        cmocka_unit_test(an_answer_may_come_before_the_stream_reports),
        cmocka_unit_test(kept_messages_wait_for_their_release),
        cmocka_unit_test(kept_messages_expire_also_after_being_sent),
        cmocka_unit_test(queued_messages_expire_to_the_millisecond),
        cmocka_unit_test(a_packet_that_was_partly_sent_does_not_expire),
        cmocka_unit_test(what_expired_does_not_wait_for_its_event),
        cmocka_unit_test(an_offer_delays_expiry_until_it_ends),
        cmocka_unit_test(the_window_survives_an_early_answer_and_an_expiry),
        cmocka_unit_test(what_the_server_may_have_expires_only_without_the_session),
        cmocka_unit_test(discard_ends_everything_once_the_connection_has_ended),
        cmocka_unit_test(order_and_dup_hold_wherever_the_connection_breaks),
        cmocka_unit_test(dup_is_taken_back_when_the_session_is_lost_later),
        cmocka_unit_test(packet_ids_skip_those_in_use_after_the_wrap),
        cmocka_unit_test(packet_ids_run_out_before_they_repeat),
        cmocka_unit_test(the_size_of_a_large_packet_is_returned_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
