#include "qos2.h"

/* Tests of QoS 2 messages that the client sends (MQTT 3.1.1, sections 4.3.3, 4.4 and 4.6). */

static void a_publish_ends_with_its_pubcomp(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);

    assert_int_equal(rig_publish(&r, 0, 2, 9, 3), 1);
    rig_send_all(&r);
    rig_expect_sent(&r, 0x34, 8, 0, 1, 't', 0, 1, 9, 10, 11);
    rig_forget(&r);
    pubrec(&r, 1);
    rig_send_all(&r);
    rig_expect_sent(&r, 0x62, 2, 0, 1);
    expect_log(&r, "");
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 1);
    pubcomp(&r, 1);

    expect_log(&r, "DONE acked lane0 id9\n");
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 0);
    rig_deinit(&r);
}

static void answers_that_do_not_belong_to_the_qos_end_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t bytes[8];
        size_t len;
    } cases[] = {
        { "PUBACK for QoS 2", { 0x40, 2, 0, 1 }, 4 },
        { "PUBACK after PUBREC", { 0x50, 2, 0, 1, 0x40, 2, 0, 1 }, 8 },
        { "PUBCOMP without PUBREC", { 0x70, 2, 0, 1 }, 4 },
        { "PUBREC for QoS 1", { 0x50, 2, 0, 2 }, 4 },
        { "PUBCOMP for QoS 1", { 0x70, 2, 0, 2 }, 4 },
        { "PUBREC for what was not sent", { 0x50, 2, 0, 3 }, 4 },
        { "PUBCOMP for what was not sent", { 0x70, 2, 0, 3 }, 4 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rig r;
        begin(&r, NULL);
        (void)rig_publish(&r, 0, 2, 1, 1);
        (void)rig_publish(&r, 0, 1, 2, 1);
        rig_send_all(&r);
        (void)rig_publish(&r, 0, 2, 3, 1);
        if (rig_feed(&r, cases[i].bytes, cases[i].len) != MQC_ERR_PROTOCOL) {
            fail_msg("%s", cases[i].why);
        }
        rig_expect_log(&r, "");
        rig_deinit(&r);
    }
}

static void every_pubrec_is_answered_also_repeated_and_unknown_ones(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);
    (void)rig_publish(&r, 0, 2, 1, 1);
    (void)rig_publish(&r, 0, 2, 2, 1);
    rig_send_all(&r);
    rig_forget(&r);

    pubrec(&r, 1);
    expect_sent(&r, "PUBREL 1\n");
    pubrec(&r, 2);
    pubrec(&r, 1);
    pubrec(&r, 1);
    expect_sent(&r, "PUBREL 2\nPUBREL 1\n");
    pubrec(&r, 2);
    pubcomp(&r, 2); /* this PUBCOMP answers the first PUBREL, while the second is still due */
    pubcomp(&r, 1);
    pubcomp(&r, 2);
    pubrec(&r, 77);
    expect_sent(&r, "PUBREL 77\n");
    pubcomp(&r, 77);

    expect_log(&r, "DONE acked lane0 id2\nDONE acked lane0 id1\n");
    rig_deinit(&r);
}

static void pubrels_are_sent_in_the_order_of_the_pubrecs(void **state)
{
    (void)state;
    static const unsigned order[] = { 3, 1, 6, 2, 5, 4 };
    const rig_sizes sizes = { .lanes = { { 0 }, { .ring_len = 99 }, { .ring_len = 99 } } };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, false, false);
    for (uint8_t i = 0; i < 6; i++) {
        (void)rig_publish(&r, i % 3, 2, i, 1);
    }
    rig_send_all(&r);
    rig_forget(&r);
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        pubrec(&r, order[i]);
    }

    expect_sent(&r, "PUBREL 3\nPUBREL 1\nPUBREL 6\nPUBREL 2\nPUBREL 5\nPUBREL 4\n");
    pubcomp(&r, 2);
    pubcomp(&r, 4);
    reconnect(&r, true);
    expect_sent(&r, "PUBREL 3\nPUBREL 1\nPUBREL 6\nPUBREL 5\n");
    rig_deinit(&r);
}

static void the_window_counts_until_pubcomp(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .window = 2 } } };
    rig r;
    begin(&r, &sizes);
    for (uint32_t i = 1; i <= 4; i++) {
        (void)rig_publish(&r, 0, 2, i, 1);
    }

    expect_sent(&r, "PUBLISH d0 q2 r0 id1 #1\nPUBLISH d0 q2 r0 id2 #2\n");
    pubrec(&r, 1);
    pubrec(&r, 2);
    expect_sent(&r, "PUBREL 1\nPUBREL 2\n");
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    reconnect(&r, true); /* both stay in flight after a reconnect */
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    expect_sent(&r, "PUBREL 1\nPUBREL 2\n");
    pubcomp(&r, 1);
    pubcomp(&r, 2);
    expect_sent(&r, "PUBLISH d0 q2 r0 id3 #3\nPUBLISH d0 q2 r0 id4 #4\n");
    rig_deinit(&r);
}

static void no_pubrel_is_lost_when_the_control_area_is_full(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    for (size_t control = 32; control < 48; control++) {
        const rig_sizes sizes = { .control = control };
        rig r;
        begin(&r, &sizes);
        for (uint32_t i = 1; i <= COUNT; i++) {
            (void)rig_publish(&r, 0, 2, i, 1);
        }
        rig_send_all(&r);
        rig_forget(&r);
        for (unsigned i = 1; i <= COUNT; i++) {
            pubrec(&r, i);
        }
        rig_send_all(&r);

        assert_int_equal(r.sent_len, 4 * COUNT);
        for (unsigned i = 1; i <= COUNT; i++) {
            assert_int_equal(r.sent[4 * i - 1], i);
        }
        rig_deinit(&r);
    }
}

static void a_pubrel_does_not_wait_for_publishes(void **state)
{
    (void)state;
    rig r;
    begin(&r, NULL);
    (void)rig_publish(&r, 0, 2, 1, 1);
    rig_send_all(&r);
    rig_forget(&r);
    for (uint32_t i = 2; i <= 9; i++) {
        (void)rig_publish(&r, 0, 2, i, 100);
    }
    (void)rig_send(&r, 5);

    pubrec(&r, 1);
    (void)rig_send(&r, 107 - 5 + 4);

    assert_string_equal(rig_sent_text(&r), "PUBLISH d0 q2 r0 id2 #2\nPUBREL 1\n");
    rig_deinit(&r);
}

/* Sends three QoS 2 publishes, breaks the connection after `sent` bytes, and checks what becomes
 * of each publish. */
static void cut_after(size_t sent, unsigned recs, unsigned comps, bool present)
{
    enum { EACH = 8, COUNT = 3 };
    char want_sent[300] = "";
    char want_log[300] = "";
    rig r;
    begin(&r, NULL);
    for (uint32_t i = 1; i <= COUNT; i++) {
        (void)rig_publish(&r, 0, 2, i, 1);
    }
    (void)rig_send(&r, sent);
    for (unsigned i = 1; i <= recs; i++) {
        pubrec(&r, i);
    }
    for (unsigned i = 1; i <= comps; i++) {
        pubcomp(&r, i);
    }
    rig_forget(&r);
    reconnect(&r, present);
    rig_pull(&r);
    rig_send_all(&r);

    for (unsigned i = comps + 1; present && i <= recs; i++) {
        (void)snprintf(want_sent + strlen(want_sent), 40, "PUBREL %u\n", i);
    }
    for (unsigned i = comps + 1; !present && i <= recs; i++) {
        (void)snprintf(want_log + strlen(want_log), 40, "DONE acked lane0 id%u\n", i);
    }
    for (unsigned i = recs + 1; i <= COUNT; i++) {
        (void)snprintf(want_sent + strlen(want_sent), 40, "PUBLISH d%d q2 r0 id%u #%u\n",
                       present && (size_t)EACH * i <= sent, i, i);
    }
    assert_string_equal(rig_sent_text(&r), want_sent);
    for (unsigned i = recs + 1; i <= COUNT; i++) {
        pubrec(&r, i);
    }
    for (unsigned i = present ? comps + 1 : recs + 1; i <= COUNT; i++) {
        pubcomp(&r, i);
        (void)snprintf(want_log + strlen(want_log), 40, "DONE acked lane0 id%u\n", i);
    }
    /* Taking the CONNACK event cleared the log, so the rest is checked here. */
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 0);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    size_t skipped = strlen(want_log) - strlen(r.log);
    assert_string_equal(r.log, want_log + skipped);
    rig_deinit(&r);
}

static void publishes_go_on_wherever_the_connection_breaks(void **state)
{
    (void)state;
    for (int present = 0; present < 2; present++) {
        for (size_t sent = 0; sent <= 24; sent++) {
            for (unsigned recs = 0; recs <= sent / 8; recs++) {
                for (unsigned comps = 0; comps <= recs; comps++) {
                    cut_after(sent, recs, comps, present);
                }
            }
        }
    }
}

static void without_the_session_what_had_its_pubrec_counts_as_delivered(void **state)
{
    (void)state;
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c") };
    rig r;
    begin(&r, NULL);
    (void)rig_publish(&r, 0, 2, 1, 1);
    (void)rig_publish(&r, 0, 2, 2, 1);
    rig_send_all(&r);
    pubrec(&r, 2);
    mqc_reset(&r.e);
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
    rig_send_all(&r);
    rig_forget(&r);

    assert_int_equal(RIG_FEED(&r, 0x20, 2, 0, 0), MQC_OK);

    rig_expect_log(&r, "CONNECTED 0 0\nDONE acked lane0 id2\n");
    expect_sent(&r, "PUBLISH d0 q2 r0 id1 #1\n");
    rig_deinit(&r);
}

/* Some servers repeat PUBREC after a reconnect, before they receive the repeated PUBLISH. */
static void a_pubrec_before_the_repeated_publish_replaces_it(void **state)
{
    (void)state;
    size_t len;
    for (int asked = 0; asked < 3; asked++) {
        rig r;
        begin(&r, NULL);
        for (uint32_t i = 1; i <= 3; i++) {
            (void)rig_publish(&r, 0, 2, i, 1);
        }
        rig_send_all(&r);
        reconnect(&r, true);
        if (asked == 1) {
            /* The bytes are offered, so the stream may have begun to send them. */
            (void)mqc_tx_data(&r.e, &len);
        } else if (asked == 2) {
            /* The packet is chosen but not offered to the stream. */
            assert_true(mqc_tx_ready(&r.e));
        }

        pubrec(&r, 2);

        expect_sent(&r, asked == 1
                            ? "PUBLISH d1 q2 r0 id1 #1\nPUBLISH d1 q2 r0 id2 #2\n"
                              "PUBLISH d1 q2 r0 id3 #3\nPUBREL 2\n"
                            : "PUBREL 2\nPUBLISH d1 q2 r0 id1 #1\nPUBLISH d1 q2 r0 id3 #3\n");
        assert_int_equal(mqc_lane(&r.e, 0).in_flight, 3);
        pubcomp(&r, 2);
        pubrec(&r, 1);
        pubrec(&r, 3);
        pubcomp(&r, 1);
        pubcomp(&r, 3);
        expect_log(&r, "DONE acked lane0 id2\nDONE acked lane0 id1\nDONE acked lane0 id3\n");
        assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
        rig_deinit(&r);
    }
}

static void nothing_of_a_publish_follows_its_pubrel(void **state)
{
    (void)state;
    for (size_t taken = 1; taken < 16; taken++) {
        size_t len;
        rig r;
        begin(&r, NULL);
        (void)rig_publish(&r, 0, 2, 1, 1);
        (void)rig_publish(&r, 0, 2, 2, 1);
        rig_send_all(&r);
        reconnect(&r, true);
        (void)mqc_tx_data(&r.e, &len);
        pubrec(&r, 2);
        assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
        mqc_tx_consume(&r.e, taken, r.now);

        rig_send_all(&r); /* sends the rest of the packet that was begun, then PUBREL */

        assert_memory_equal(r.sent + r.sent_len - 4, ((const uint8_t[]){ 0x62, 2, 0, 2 }), 4);
        assert_int_equal(r.sent_len, (16 - taken) % 8 + 4);
        assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
        rig_deinit(&r);
    }
}

static void pubrec_and_pubcomp_may_come_before_the_stream_reports(void **state)
{
    (void)state;
    size_t len;
    rig r;
    begin(&r, NULL);
    for (uint32_t i = 1; i <= 3; i++) {
        (void)rig_publish(&r, 0, 2, i, 1);
    }
    (void)mqc_tx_data(&r.e, &len);

    pubrec(&r, 1);
    pubrec(&r, 2);
    pubcomp(&r, 2);
    expect_sent(&r, "PUBLISH d0 q2 r0 id1 #1\nPUBLISH d0 q2 r0 id2 #2\n"
                    "PUBLISH d0 q2 r0 id3 #3\nPUBREL 1\n");
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    pubrec(&r, 3);
    pubcomp(&r, 1);
    pubcomp(&r, 3);

    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 0);
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    rig_deinit(&r);
}

static void what_the_server_has_received_neither_expires_nor_is_sent_after_discard(void **state)
{
    (void)state;
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"), .qos = 2, .id = 1, .expires = 1010 };
    rig r;
    begin(&r, NULL);
    assert_int_equal(mqc_publish(&r.e, &m, NULL), MQC_OK);
    rig_send_all(&r);
    pubrec(&r, 1);

    assert_int_equal(mqc_tick(&r.e, 5000), MQC_OK);
    reconnect(&r, true);
    assert_int_equal(mqc_tick(&r.e, 6000), MQC_OK);
    expect_sent(&r, "PUBREL 1\n");
    mqc_reset(&r.e);
    assert_int_equal(mqc_discard(&r.e, 0), MQC_OK);
    rig_pull(&r);
    expect_log(&r, "DONE discarded lane0 id1\n");
    rig_connect(&r, false, true);
    expect_sent(&r, "");
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publish_ends_with_its_pubcomp),
        cmocka_unit_test(answers_that_do_not_belong_to_the_qos_end_the_connection),
        cmocka_unit_test(every_pubrec_is_answered_also_repeated_and_unknown_ones),
        cmocka_unit_test(pubrels_are_sent_in_the_order_of_the_pubrecs),
        cmocka_unit_test(the_window_counts_until_pubcomp),
        cmocka_unit_test(no_pubrel_is_lost_when_the_control_area_is_full),
        cmocka_unit_test(a_pubrel_does_not_wait_for_publishes),
        cmocka_unit_test(publishes_go_on_wherever_the_connection_breaks),
        cmocka_unit_test(without_the_session_what_had_its_pubrec_counts_as_delivered),
        cmocka_unit_test(a_pubrec_before_the_repeated_publish_replaces_it),
        cmocka_unit_test(nothing_of_a_publish_follows_its_pubrel),
        cmocka_unit_test(pubrec_and_pubcomp_may_come_before_the_stream_reports),
        cmocka_unit_test(what_the_server_has_received_neither_expires_nor_is_sent_after_discard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
