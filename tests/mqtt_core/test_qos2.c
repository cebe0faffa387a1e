#include "rig.h"

/* QoS 2 in both directions, MQTT 3.1.1 sections 4.3.3, 4.4 and 4.6. */

static void feed_id(rig *r, unsigned first, unsigned id, mqc_result want)
{
    assert_int_equal(RIG_FEED(r, (uint8_t)first, 2, (uint8_t)(id >> 8), (uint8_t)id), want);
}

static void pubrec(rig *r, unsigned id)
{
    feed_id(r, 0x50, id, MQC_OK);
}

static void pubrel(rig *r, unsigned id)
{
    feed_id(r, 0x62, id, MQC_OK);
}

static void pubcomp(rig *r, unsigned id)
{
    feed_id(r, 0x70, id, MQC_OK);
}

/* A QoS 2 message "t" with payload "x". */
static mqc_result message(rig *r, unsigned id, bool dup)
{
    return RIG_FEED(r, dup ? 0x3C : 0x34, 6, 0, 1, 't', 0, (uint8_t)id, 'x');
}

static void expect_sent(rig *r, const char *text)
{
    rig_send_all(r);
    assert_string_equal(rig_sent_text(r), text);
    r->sent_len = 0;
}

static void expect_log(rig *r, const char *text)
{
    rig_expect_log(r, text);
    rig_forget(r);
}

static void reconnect(rig *r, bool session_present)
{
    mqc_reset(&r->e);
    rig_pull(r);
    rig_connect(r, false, session_present);
}

static void begin(rig *r, const rig_sizes *sizes)
{
    rig_init(r, sizes);
    rig_connect(r, false, false);
}

/* --- out ---------------------------------------------------------------------- */

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
    pubcomp(&r, 2); /* of the first PUBREL, when the second is still due */
    pubcomp(&r, 1);
    pubcomp(&r, 2);
    pubrec(&r, 77);
    expect_sent(&r, "PUBREL 77\n");
    pubcomp(&r, 77);

    expect_log(&r, "DONE acked lane0 id2\nDONE acked lane0 id1\n");
    rig_deinit(&r);
}

static void pubrels_leave_in_the_order_of_the_pubrecs(void **state)
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
    reconnect(&r, true); /* also there */
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

/* What three QoS 2 publishes become when the connection breaks after `sent` bytes of them. */
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
    /* Taking CONNACK's event forgot what was logged with it; the rest is here. */
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

/* Some servers repeat PUBREC after a reconnect, before they see our PUBLISH again. */
static void a_pubrec_before_the_repeated_publish_replaces_it(void **state)
{
    (void)state;
    size_t len;
    for (int asked = 0; asked < 2; asked++) {
        rig r;
        begin(&r, NULL);
        for (uint32_t i = 1; i <= 3; i++) {
            (void)rig_publish(&r, 0, 2, i, 1);
        }
        rig_send_all(&r);
        reconnect(&r, true);
        if (asked) {
            (void)mqc_tx_data(&r.e, &len); /* offered: the stream may have begun to send */
        }

        pubrec(&r, 2);

        expect_sent(&r, asked ? "PUBLISH d1 q2 r0 id1 #1\nPUBLISH d1 q2 r0 id2 #2\n"
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

        rig_send_all(&r); /* what remains of the packet that has begun, then PUBREL */

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

/* --- in -------------------------------------------------------------------------- */

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

    assert_int_equal(message(&r, 7, false), MQC_OK); /* a new one with the same id */
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

    assert_int_equal(message(&r, 7, true), MQC_OK); /* the application is not done */
    expect_sent(&r, "");
    assert_int_equal(mqc_ack(&r.e, 7), MQC_OK);
    assert_int_equal(message(&r, 7, true), MQC_OK); /* PUBREC is still to come */
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

/* Steps: 0 handed out, 1 acknowledged, 2 PUBREC sent, 3 PUBREL came, 4 PUBCOMP sent. */
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
    expect_sent(&r, ""); /* the server speaks first */
    if (step == 0) {
        assert_int_equal(mqc_ack(&r.e, 7), present ? MQC_OK : MQC_ERR_STATE);
    }
    if (!present) {
        assert_int_equal(message(&r, 7, false), MQC_OK);
        expect_log(&r, "PUBLISH d0 q2 r0 id7 t 1 x\n");
        rig_deinit(&r);
        return;
    }
    if (step <= 2) { /* as when PUBREC was lost */
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

static void messages_wait_for_a_place_until_one_is_released(void **state)
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
    assert_int_equal(len, 0); /* until the application is done with 2 */
    assert_int_equal(mqc_ack(&r.e, 2), MQC_OK);
    rig_pull(&r);
    assert_int_equal(mqc_error(&r.e), MQC_ERR_PROTOCOL); /* the server would not release it */
    mqc_reset(&r.e);
    rig_connect(&r, false, true);

    pubrel(&r, 1);
    assert_int_equal(message(&r, 2, true), MQC_OK);
    assert_int_equal(message(&r, 3, false), MQC_OK);

    assert_non_null(strstr(r.log, "id3"));
    rig_deinit(&r);
}

static void more_unreleased_messages_than_the_table_holds_end_the_connection_but_none_is_lost(
    void **state)
{
    (void)state;
    enum { COUNT = 9 };
    bool released[COUNT] = { false };
    bool started[COUNT] = { false };
    const rig_sizes sizes = { .inbound = 2 };
    rig r;
    begin(&r, &sizes);
    r.ack_at_once = true;
    rig_forget(&r);

    for (int round = 0; round < 20; round++) {
        bool open = true;
        for (unsigned i = 0; i < COUNT && open; i++) { /* in order, and all at once */
            if (started[i] && !released[i]) {
                pubrel(&r, i + 1);
                rig_send_all(&r);
                rig_pull(&r);
                released[i] = true;
            } else if (!started[i]) {
                open = message(&r, i + 1, round > 0) == MQC_OK;
                started[i] = open;
                rig_send_all(&r);
            }
        }
        if (!open) {
            assert_int_equal(mqc_error(&r.e), MQC_ERR_PROTOCOL);
            assert_string_equal(mqc_error_packet(&r.e), "PUBLISH");
            mqc_reset(&r.e);
            const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c") };
            assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
            rig_send_all(&r);
            assert_int_equal(RIG_FEED(&r, 0x20, 2, 1, 0), MQC_OK);
        }
    }

    for (unsigned i = 1; i <= COUNT; i++) {
        char line[40];
        (void)snprintf(line, sizeof line, "q2 r0 id%u ", i);
        char *first = strstr(r.log, line);
        assert_non_null(first);
        assert_null(strstr(first + 1, line));
        assert_true(released[i - 1]);
    }
    rig_deinit(&r);
}

/* Larger than the buffer: id 7, with a topic of any length, then a small message. */
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
        assert_int_equal(rig_feed(&r, bytes, 102), MQC_OK); /* before PUBREC */
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
        cmocka_unit_test(a_publish_ends_with_its_pubcomp),
        cmocka_unit_test(answers_that_do_not_belong_to_the_qos_end_the_connection),
        cmocka_unit_test(every_pubrec_is_answered_also_repeated_and_unknown_ones),
        cmocka_unit_test(pubrels_leave_in_the_order_of_the_pubrecs),
        cmocka_unit_test(the_window_counts_until_pubcomp),
        cmocka_unit_test(no_pubrel_is_lost_when_the_control_area_is_full),
        cmocka_unit_test(a_pubrel_does_not_wait_for_publishes),
        cmocka_unit_test(publishes_go_on_wherever_the_connection_breaks),
        cmocka_unit_test(without_the_session_what_had_its_pubrec_counts_as_delivered),
        cmocka_unit_test(a_pubrec_before_the_repeated_publish_replaces_it),
        cmocka_unit_test(nothing_of_a_publish_follows_its_pubrel),
        cmocka_unit_test(pubrec_and_pubcomp_may_come_before_the_stream_reports),
        cmocka_unit_test(what_the_server_has_received_neither_expires_nor_is_sent_after_discard),
        cmocka_unit_test(a_message_is_received_released_and_completed),
        cmocka_unit_test(a_repeated_message_is_answered_but_not_handed_out),
        cmocka_unit_test(pubacks_and_pubrecs_leave_in_the_order_of_their_messages),
        cmocka_unit_test(pubrel_for_a_message_that_the_application_still_has_is_a_violation),
        cmocka_unit_test(a_message_is_handed_out_once_wherever_the_connection_breaks),
        cmocka_unit_test(an_acknowledgement_counts_between_connections_and_after_an_error),
        cmocka_unit_test(an_unacknowledged_repeat_keeps_waiting_for_the_application),
        cmocka_unit_test(answers_survive_a_full_control_area),
        cmocka_unit_test(releases_of_unknown_ids_wait_for_room),
        cmocka_unit_test(messages_wait_for_a_place_until_one_is_released),
        cmocka_unit_test(
            more_unreleased_messages_than_the_table_holds_end_the_connection_but_none_is_lost),
        cmocka_unit_test(oversize_messages_are_reported_once),
        cmocka_unit_test(subscriptions_may_ask_for_qos_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
