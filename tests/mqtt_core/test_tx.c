#include "rig.h"

/* Tests which bytes are sent next. */

static void lanes_switch_at_packet_boundaries_only(void **state)
{
    (void)state;
    const mqc_span f[] = { MQC_SPAN_LIT("f") };
    const rig_sizes sizes = { .lanes = { { .ring_len = 100 }, { .ring_len = 100 } } };

    for (size_t cut = 0; cut <= 9; cut++) {
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        (void)rig_publish(&r, 1, 1, 11, 2); /* each packet has 9 bytes */
        (void)rig_publish(&r, 1, 1, 12, 2);
        (void)rig_send(&r, cut);
        (void)rig_publish(&r, 0, 0, 1, 2);
        assert_int_equal(mqc_unsubscribe(&r.e, f, 1, NULL), MQC_OK);

        rig_send_all(&r);

        assert_string_equal(rig_sent_text(&r), cut == 0 ? "UNSUBSCRIBE\nPUBLISH d0 q0 r0 id0 #1\n"
                                                          "PUBLISH d0 q1 r0 id1 #11\n"
                                                          "PUBLISH d0 q1 r0 id2 #12\n"
                                                        : "PUBLISH d0 q1 r0 id1 #11\n"
                                                          "UNSUBSCRIBE\nPUBLISH d0 q0 r0 id0 #1\n"
                                                          "PUBLISH d0 q1 r0 id2 #12\n");
        rig_deinit(&r);
    }
}

static void what_was_offered_is_offered_again(void **state)
{
    (void)state;
    const mqc_span f[] = { MQC_SPAN_LIT("f") };
    const rig_sizes sizes = { .lanes = { { .ring_len = 100 }, { .ring_len = 100 } } };
    uint8_t first[100];
    size_t first_len;
    size_t len;
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    (void)rig_queue(&r, 1, 1, false, r.now + 1);
    const uint8_t *run = mqc_tx_data(&r.e, &first_len);
    memcpy(first, run, first_len);

    (void)rig_publish(&r, 1, 1, 3, 1);
    (void)rig_queue(&r, 2, 1, false, 0);
    assert_int_equal(mqc_unsubscribe(&r.e, f, 1, NULL), MQC_OK);
    mqc_hold(&r.e, 0, true);
    /* A message that was offered does not even expire. */
    assert_int_equal(mqc_tick(&r.e, r.now + 5), MQC_OK);
    run = mqc_tx_data(&r.e, &len);

    assert_true(len >= first_len);
    assert_memory_equal(run, first, first_len);
    rig_send_all(&r);
    rig_pull(&r);
    rig_expect_log(&r, "");
    rig_deinit(&r);
}

static void sixteen_queued_publishes_are_sent_in_one_run(void **state)
{
    (void)state;
    for (uint8_t qos = 0; qos < 2; qos++) {
        rig r;
        const rig_sizes sizes = { .lanes = { { .window = 16 } } };
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        for (uint32_t i = 0; i < 16; i++) {
            (void)rig_publish(&r, 0, qos, i, 256);
        }

        rig_send_all(&r);

        assert_int_equal(r.runs, 1);
        rig_deinit(&r);
    }
}

static void messages_are_acknowledged_in_the_order_of_their_arrival(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);

    assert_int_equal(RIG_FEED(&r, 0x32, 6, 0, 1, 't', 0, 9, 'x', 0x3B, 5, 0, 1, 't', 0, 5), MQC_OK);
    rig_expect_log(&r, "PUBLISH d0 q1 r0 id9 t 1 x\nPUBLISH d1 q1 r1 id5 t 0 \n");
    assert_int_equal(mqc_ack(&r.e, 5), MQC_OK);
    rig_send_all(&r);
    assert_int_equal(r.sent_len, 0);
    assert_int_equal(mqc_ack(&r.e, 9), MQC_OK);
    rig_send_all(&r);

    rig_expect_sent(&r, 0x40, 2, 0, 9, 0x40, 2, 0, 5);
    assert_int_equal(mqc_ack(&r.e, 9), MQC_ERR_STATE);
    rig_deinit(&r);
}

/* mqc_tx_consume ignores bytes that were never offered to the stream. */
static void more_than_was_offered_is_never_taken(void **state)
{
    (void)state;
    rig r;
    size_t len;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    mqc_tx_consume(&r.e, 7, r.now);
    (void)rig_publish(&r, 0, 1, 1, 5);
    rig_send_all(&r);
    mqc_tx_consume(&r.e, 7, r.now); /* ignored: everything was already sent */
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 1);
    (void)rig_publish(&r, 0, 1, 2, 5);
    (void)rig_publish(&r, 0, 1, 3, 5);
    mqc_tx_consume(&r.e, 7, r.now); /* ignored: these messages were not offered yet */
    (void)mqc_tx_data(&r.e, &len);
    assert_int_equal(len, 24);
    mqc_tx_consume(&r.e, 1000, r.now);

    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 3);
    rig_puback(&r, 1);
    rig_puback(&r, 2);
    rig_puback(&r, 3);
    rig_expect_log(&r, "DONE acked lane0 id1\nDONE acked lane0 id2\nDONE acked lane0 id3\n");
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_switch_at_packet_boundaries_only),
        cmocka_unit_test(what_was_offered_is_offered_again),
        cmocka_unit_test(sixteen_queued_publishes_are_sent_in_one_run),
        cmocka_unit_test(messages_are_acknowledged_in_the_order_of_their_arrival),
        cmocka_unit_test(more_than_was_offered_is_never_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
