#include "rig.h"

static void connect_is_encoded_as_the_specification_says(void **state)
{
    (void)state;
    rig r;
    const mqc_connect_options o = {
        .client_id = MQC_SPAN_LIT("id"),
        .username = MQC_SPAN_LIT("me"),
        .password = MQC_SPAN_LIT("pw"),
        .will = { .topic = MQC_SPAN_LIT("w"),
                  .payload = MQC_SPAN_LIT("x"),
                  .qos = 1,
                  .retain = true },
        .keep_alive_s = 240,
    };
    rig_init(&r, NULL);

    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(mqc_get_state(&r.e), MQC_CONNECTING);
    rig_expect_sent(&r, 0x10, 28, 0, 4, 'M', 'Q', 'T', 'T', 4, 0xEC, 0, 240, 0, 2, 'i', 'd', 0, 1,
                    'w', 0, 1, 'x', 0, 2, 'm', 'e', 0, 2, 'p', 'w');
    rig_deinit(&r);
}

static void each_part_of_the_memory_is_needed(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { 0 }, { .ring_len = 64 }, { .ring_len = 64 } } };
    mqc_engine e;
    rig r;
    rig_init(&r, &sizes);

    for (unsigned fault = 0; fault < 8 + 3 * 4; fault++) {
        mqc_memory m = r.memory;
        mqc_lane_memory *l = &m.lanes[fault < 8 ? 0 : (fault - 8) / 4];
        switch (fault) {
        case 0: m.rx = NULL; break;
        case 1: m.rx_len = 15; break;
        case 2: m.control = NULL; break;
        case 3: m.control_len = 31; break;
        case 4: m.inbound = NULL; break;
        case 5: m.inbound_len = 0; break;
        case 6: m.lane_count = 0; break;
        case 7: m.lane_count = 4; break;
        default:
            l->ring = fault % 4 == 0 ? NULL : l->ring;
            l->ring_len = fault % 4 == 1 ? 0 : l->ring_len;
            l->entries = fault % 4 == 2 ? NULL : l->entries;
            l->entries_len = fault % 4 == 3 ? 0 : l->entries_len;
        }
        if (mqc_init(&e, &m) != MQC_ERR_ARG) {
            fail_msg("fault %u", fault);
        }
    }
    mqc_memory large = r.memory;
    large.inbound_len = (size_t)UINT32_MAX / 2 + 1;
    assert_int_equal(mqc_init(&e, &large), MQC_ERR_ARG);
    r.memory.rx_len = 16;
    r.memory.control_len = 32;
    r.memory.inbound_len = 1;
    for (size_t i = 0; i < 3; i++) {
        r.memory.lanes[i].ring_len = 1;
        r.memory.lanes[i].entries_len = 1;
    }
    assert_int_equal(mqc_init(&e, &r.memory), MQC_OK);
    rig_deinit(&r);
}

static void qos1_publish_ends_with_its_puback(void **state)
{
    (void)state;
    rig r;
    uint16_t id;
    int tag;
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("ab"),
                             .payload = MQC_SPAN_LIT("hi"),
                             .qos = 1,
                             .retain = true,
                             .id = 7,
                             .kind = 3,
                             .tag = &tag };
    rig_init(&r, NULL);
    rig_connect(&r, true, false);

    assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_OK);
    rig_send_all(&r);
    rig_expect_sent(&r, 0x33, 8, 0, 2, 'a', 'b', 0, 1, 'h', 'i');
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 1);
    assert_int_equal(RIG_FEED(&r, 0x40, 2, 0, 1), MQC_OK);

    rig_expect_log(&r, "DONE acked lane0 id7\n");
    assert_int_equal(id, 1);
    assert_int_equal(r.last.u.done.packet_id, 1);
    assert_int_equal(r.last.u.done.kind, 3);
    assert_ptr_equal(r.last.u.done.tag, &tag);
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    rig_deinit(&r);
}

static void qos0_publish_ends_when_its_last_byte_was_sent(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    (void)rig_publish(&r, 0, 0, 1, 3);

    (void)rig_send(&r, 7);
    rig_pull(&r);
    rig_expect_log(&r, "");
    (void)rig_send(&r, 1);
    rig_pull(&r);

    rig_expect_log(&r, "DONE sent lane0 id1\n");
    rig_deinit(&r);
}

static void subscriptions_are_answered(void **state)
{
    (void)state;
    rig r;
    uint16_t a;
    uint16_t b;
    const mqc_subscription s[] = { { MQC_SPAN_LIT("a/#"), 1 }, { MQC_SPAN_LIT("+"), 0 } };
    const mqc_span f[] = { MQC_SPAN_LIT("+") };
    rig_init(&r, NULL);
    rig_connect(&r, true, false);

    assert_int_equal(mqc_subscribe(&r.e, s, 2, &a), MQC_OK);
    assert_int_equal(mqc_unsubscribe(&r.e, f, 1, &b), MQC_OK);
    rig_send_all(&r);
    assert_int_equal(RIG_FEED(&r, 0xB0, 2, 0, 2, 0x90, 4, 0, 1, 0x80, 0), MQC_OK);

    rig_expect_sent(&r, 0x82, 12, 0, 1, 0, 3, 'a', '/', '#', 1, 0, 1, '+', 0, 0xA2, 5, 0, 2, 0, 1,
                    '+');
    rig_expect_log(&r, "UNSUBSCRIBED 2\nSUBSCRIBED 1 \\80\\00\n");
    rig_deinit(&r);
}

static void publishes_wait_for_connack(void **state)
{
    (void)state;
    rig r;
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c") };
    rig_init(&r, NULL);
    (void)rig_publish(&r, 0, 1, 1, 1);
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);

    rig_send_all(&r);
    assert_string_equal(rig_sent_text(&r), "CONNECT\n");
    assert_int_equal(RIG_FEED(&r, 0x20, 2, 0, 0), MQC_OK);
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "CONNECT\nPUBLISH d0 q1 r0 id1 #1\n");
    rig_deinit(&r);
}

static void nothing_follows_disconnect(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    (void)rig_publish(&r, 0, 1, 1, 4);
    (void)rig_publish(&r, 0, 1, 2, 4);
    (void)rig_send(&r, 5);

    assert_int_equal(mqc_disconnect(&r.e), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(mqc_get_state(&r.e), MQC_DISCONNECTING);
    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q1 r0 id1 #1\nDISCONNECT\n");
    rig_deinit(&r);
}

/* PUBACK needs four bytes of the control area and DISCONNECT two, so room for DISCONNECT is free
 * earlier. */
static void disconnect_does_not_overtake_acknowledgements(void **state)
{
    (void)state;
    for (size_t control = 32; control <= 40; control++) {
        for (uint8_t messages = 1; messages <= 20; messages++) {
            for (size_t portion = 1; portion <= 5; portion++) {
                const rig_sizes sizes = { .control = control, .inbound = 32 };
                rig r;
                rig_init(&r, &sizes);
                r.ack_at_once = true;
                rig_connect(&r, true, false);
                for (uint8_t id = 1; id <= messages; id++) {
                    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, id), MQC_OK);
                }

                assert_int_equal(mqc_disconnect(&r.e), MQC_OK);
                while (rig_send(&r, portion) > 0) {
                }

                assert_int_equal(r.sent_len, 4u * messages + 2);
                for (uint8_t id = 1; id <= messages; id++) {
                    const uint8_t puback[] = { 0x40, 2, 0, id };
                    assert_memory_equal(r.sent + 4 * (id - 1), puback, 4);
                }
                assert_memory_equal(r.sent + 4 * messages, ((const uint8_t[]){ 0xE0, 0 }), 2);
                rig_deinit(&r);
            }
        }
    }
}

static void refusal_is_an_event_and_latches(void **state)
{
    (void)state;
    rig r;
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"), .clean_session = true };
    rig_init(&r, NULL);
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(RIG_FEED(&r, 0x20, 2, 0, 5, 0x40, 2, 0, 9), MQC_ERR_REFUSED);

    rig_expect_log(&r, "REFUSED 5 0\n");
    assert_int_equal(mqc_get_state(&r.e), MQC_FAILED);
    assert_string_equal(mqc_error_packet(&r.e), "CONNACK");
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_ERR_REFUSED);
    mqc_reset(&r.e);
    assert_int_equal(mqc_get_state(&r.e), MQC_IDLE);
    assert_int_equal(mqc_error(&r.e), MQC_OK);
    rig_deinit(&r);
}

static void unacknowledged_publishes_are_sent_again(void **state)
{
    (void)state;
    for (int present = 0; present < 2; present++) {
        rig r;
        rig_init(&r, NULL);
        rig_connect(&r, false, false);
        (void)rig_publish(&r, 0, 1, 1, 1);
        (void)rig_publish(&r, 0, 1, 2, 1);
        (void)rig_publish(&r, 0, 1, 3, 1);
        (void)rig_send(&r, 10 * 2 - 3);
        mqc_reset(&r.e);

        rig_connect(&r, false, present);
        rig_send_all(&r);

        assert_string_equal(rig_sent_text(&r), present ? "PUBLISH d1 q1 r0 id1 #1\n"
                                                         "PUBLISH d1 q1 r0 id2 #2\n"
                                                         "PUBLISH d0 q1 r0 id3 #3\n"
                                                       : "PUBLISH d0 q1 r0 id1 #1\n"
                                                         "PUBLISH d0 q1 r0 id2 #2\n"
                                                         "PUBLISH d0 q1 r0 id3 #3\n");
        assert_int_equal(RIG_FEED(&r, 0x40, 2, 0, 1, 0x40, 2, 0, 2, 0x40, 2, 0, 3), MQC_OK);
        rig_expect_log(&r, "DONE acked lane0 id1\nDONE acked lane0 id2\nDONE acked lane0 id3\n");
        rig_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_is_encoded_as_the_specification_says),
        cmocka_unit_test(each_part_of_the_memory_is_needed),
        cmocka_unit_test(qos1_publish_ends_with_its_puback),
        cmocka_unit_test(qos0_publish_ends_when_its_last_byte_was_sent),
        cmocka_unit_test(subscriptions_are_answered),
        cmocka_unit_test(publishes_wait_for_connack),
        cmocka_unit_test(nothing_follows_disconnect),
        cmocka_unit_test(disconnect_does_not_overtake_acknowledgements),
        cmocka_unit_test(refusal_is_an_event_and_latches),
        cmocka_unit_test(unacknowledged_publishes_are_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
