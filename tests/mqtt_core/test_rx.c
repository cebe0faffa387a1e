#include "rig.h"

/* Sends three publishes and two requests, which the recorded sessions below answer. */
static void start(rig *r, const rig_sizes *sizes)
{
    const mqc_subscription s[] = { { MQC_SPAN_LIT("a/#"), 1 }, { MQC_SPAN_LIT("b"), 0 } };
    const mqc_span f[] = { MQC_SPAN_LIT("b") };
    uint16_t id;

    rig_init(r, sizes);
    r->ack_at_once = true;
    rig_connect(r, true, false);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(rig_publish(r, 0, 1, i, 4), i);
    }
    assert_int_equal(mqc_subscribe(&r->e, s, 2, &id), MQC_OK);
    assert_int_equal(id, 4);
    assert_int_equal(mqc_unsubscribe(&r->e, f, 1, &id), MQC_OK);
    assert_int_equal(id, 5);
    rig_send_all(r);
    rig_forget(r);
}

static const uint8_t session[] = {
    0x90, 4,  0, 4, 1,    0,                               /* SUBACK */
    0x30, 5,  0, 1, 'a',  'h',  'i',                       /* PUBLISH QoS 0 */
    0x40, 2,  0, 1,                                        /* PUBACK */
    0xD0, 0,                                               /* PINGRESP */
    0x33, 10, 0, 3, 'a',  '/',  'b', 0,  9, 'x', 'y', 'z', /* PUBLISH QoS 1, retained */
    0x40, 2,  0, 3,                                        /* PUBACK out of order */
    0xB0, 2,  0, 5,                                        /* UNSUBACK */
    0x3A, 6,  0, 2, 0xC3, 0xA4, 0,   10,                   /* PUBLISH QoS 1, DUP, no payload */
    0x40, 2,  0, 2,                                        /* PUBACK */
};

static const char session_log[] = "SUBSCRIBED 4 \\01\\00\n"
                                  "PUBLISH d0 q0 r0 id0 a 2 hi\n"
                                  "DONE acked lane0 id1\n"
                                  "PUBLISH d0 q1 r1 id9 a/b 3 xyz\n"
                                  "DONE acked lane0 id3\n"
                                  "UNSUBSCRIBED 5\n"
                                  "PUBLISH d1 q1 r0 id10 \\c3\\a4 0 \n"
                                  "DONE acked lane0 id2\n";

static void every_split_gives_the_same_events(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof session; cut++) {
        rig r;
        start(&r, NULL);

        assert_int_equal(rig_feed(&r, session, cut), MQC_OK);
        assert_int_equal(rig_feed(&r, session + cut, sizeof session - cut), MQC_OK);
        rig_send_all(&r);

        rig_expect_log(&r, session_log);
        rig_expect_sent(&r, 0x40, 2, 0, 9, 0x40, 2, 0, 10);
        rig_deinit(&r);
    }
}

static void one_byte_at_a_time_gives_the_same_events(void **state)
{
    (void)state;
    for (size_t rx = 16; rx < 40; rx++) {
        const rig_sizes sizes = { .rx = rx };
        rig r;
        start(&r, &sizes);

        for (size_t i = 0; i < sizeof session; i++) {
            assert_int_equal(rig_feed(&r, session + i, 1), MQC_OK);
        }

        rig_expect_log(&r, session_log);
        rig_deinit(&r);
    }
}

static void every_truncation_waits_for_more(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof session; len++) {
        rig r;
        start(&r, NULL);

        assert_int_equal(rig_feed(&r, session, len), MQC_OK);

        assert_memory_equal(r.log, session_log, r.log_len);
        assert_true(r.log_len < sizeof session_log - 1);
        rig_deinit(&r);
    }
}

static void every_changed_byte_is_an_event_or_a_latched_error(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof session; at++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t bytes[sizeof session];
            rig r;
            memcpy(bytes, session, sizeof bytes);
            bytes[at] = (uint8_t)b;
            start(&r, NULL);

            mqc_result result = rig_feed(&r, bytes, sizeof bytes);

            assert_true(result == MQC_OK || result == MQC_ERR_MALFORMED ||
                        result == MQC_ERR_PROTOCOL);
            assert_int_equal(mqc_get_state(&r.e) == MQC_FAILED, result != MQC_OK);
            rig_deinit(&r);
        }
    }
}

static void only_connack_may_come_first(void **state)
{
    (void)state;
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"), .clean_session = true };

    for (unsigned first = 0; first < 256; first++) {
        rig r;
        rig_init(&r, NULL);
        assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
        rig_send_all(&r);

        mqc_result got = RIG_FEED(&r, (uint8_t)first);

        assert_int_equal(got == MQC_OK, first == 0x20);
        rig_deinit(&r);
    }
}

static void session_present_needs_a_session(void **state)
{
    (void)state;
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"), .clean_session = true };
    rig r;
    rig_init(&r, NULL);
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
    rig_send_all(&r);

    assert_int_equal(RIG_FEED(&r, 0x20, 2, 1, 0), MQC_ERR_MALFORMED);

    rig_expect_log(&r, "");
    rig_deinit(&r);
}

static void a_hundred_pubacks_complete_in_one_pass(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .entries_len = 100 } } };
    uint8_t acks[400];
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    for (uint32_t i = 0; i < 100; i++) {
        uint16_t id = rig_publish(&r, 0, 1, i, 8);
        const uint8_t ack[] = { 0x40, 2, (uint8_t)(id >> 8), (uint8_t)id };
        memcpy(acks + 4 * i, ack, 4);
    }
    rig_send_all(&r);

    assert_int_equal(rig_feed(&r, acks, sizeof acks), MQC_OK); /* one commit */

    assert_int_equal(r.events, 100);
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    rig_deinit(&r);
}

/* --- larger than the buffer ------------------------------------------------- */

/* Writes a publish with a topic of topic_len bytes, then one that fits into every buffer. */
static size_t oversize_stream(uint8_t *out, uint8_t qos, size_t topic_len, size_t payload_len)
{
    size_t remaining = 2 + topic_len + (qos > 0 ? 2u : 0) + payload_len;
    size_t n = 0;

    out[n++] = (uint8_t)(0x30 | qos << 1);
    out[n++] = (uint8_t)(remaining | 0x80);
    out[n++] = (uint8_t)(remaining >> 7);
    out[n++] = 0;
    out[n++] = (uint8_t)topic_len;
    memset(out + n, 'a', topic_len);
    n += topic_len;
    if (qos > 0) {
        out[n++] = 0;
        out[n++] = 7;
    }
    memset(out + n, 'P', payload_len);
    n += payload_len;
    memcpy(out + n, ((const uint8_t[]){ 0x30, 4, 0, 1, 'z', '!' }), 6);
    return n + 6;
}

static void oversize_is_reported_at_every_buffer_size(void **state)
{
    (void)state;
    uint8_t stream[400];
    enum { TOPIC = 60, PAYLOAD = 90 };

    for (uint8_t qos = 0; qos < 3; qos++) {
        size_t len = oversize_stream(stream, qos, TOPIC, PAYLOAD);
        size_t whole = len - 6;
        for (size_t rx = 16; rx <= whole + 1; rx++) {
            for (size_t chunk = 1; chunk <= len; chunk += chunk < 4 ? 1 : 13) {
                const rig_sizes sizes = { .rx = rx };
                rig r;
                rig_init(&r, &sizes);
                r.ack_at_once = true;
                rig_connect(&r, true, false);

                for (size_t at = 0; at < len; at += chunk) {
                    size_t n = chunk < len - at ? chunk : len - at;
                    assert_int_equal(rig_feed(&r, stream + at, n), MQC_OK);
                }

                size_t head = whole - PAYLOAD;
                const char *name = rx >= whole ? "PUBLISH" : "OVERSIZE";
                char *topic = strchr(r.log, 'a');
                assert_int_equal(strncmp(r.log, name, strlen(name)), 0);
                assert_non_null(strstr(r.log, qos > 0 ? "id7 " : "id0 "));
                assert_non_null(strstr(r.log, " 90 "));
                assert_int_equal(topic != NULL, rx >= head);
                assert_non_null(strstr(r.log, "\nPUBLISH d0 q0 r0 id0 z 1 !\n"));
                assert_int_equal(r.events, 2);
                rig_send_all(&r);
                assert_int_equal(r.sent_len, qos > 0 ? 4 : 0);
                rig_deinit(&r);
            }
        }
    }
}

static void oversize_faults_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t bytes[24];
    } cases[] = {
        { "SUBACK larger than the buffer", { 0x90, 0x7F } },
        { "topic longer than the packet", { 0x30, 0x7F, 0, 0x7E } },
        { "packet id outside the packet", { 0x32, 0x7F, 0, 0x7C } },
        { "packet id 0", { 0x32, 0x7F, 0, 1, 'a', 0, 0 } },
        { "bad topic", { 0x32, 0x7F, 0, 1, '#', 0, 1 } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const rig_sizes sizes = { .rx = 32 };
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        if (rig_feed(&r, cases[i].bytes, sizeof cases[i].bytes) != MQC_ERR_MALFORMED) {
            fail_msg("%s", cases[i].why);
        }
        rig_deinit(&r);
    }
}

/* Since the topic does not fit, the packet id is read by different code than in a packet that
 * fits. */
static void packet_id_0_behind_a_topic_that_did_not_fit_is_an_error(void **state)
{
    (void)state;
    uint8_t stream[400];

    for (uint8_t qos = 1; qos < 3; qos++) {
        for (uint16_t id = 0; id < 0x300; id = (uint16_t)(id + 0x80)) {
            size_t len = oversize_stream(stream, qos, 60, 90);
            for (size_t chunk = 1; chunk <= len; chunk += 7) {
                const rig_sizes sizes = { .rx = 16 };
                mqc_result got = MQC_OK;
                rig r;
                rig_init(&r, &sizes);
                rig_connect(&r, true, false);
                stream[5 + 60] = (uint8_t)(id >> 8);
                stream[5 + 61] = (uint8_t)id;

                for (size_t at = 0; at < len && got == MQC_OK; at += chunk) {
                    got = rig_feed(&r, stream + at, chunk < len - at ? chunk : len - at);
                }

                assert_int_equal(got, id == 0 ? MQC_ERR_MALFORMED : MQC_OK);
                assert_string_equal(mqc_error_packet(&r.e), id == 0 ? "PUBLISH" : "");
                assert_int_equal(r.events, id == 0 ? 0 : 2);
                rig_deinit(&r);
            }
        }
    }
}

static void no_more_bytes_are_taken_than_there_was_room_for(void **state)
{
    (void)state;
    const rig_sizes sizes = { .rx = 16 };
    size_t cap;
    rig r;
    rig_init(&r, &sizes);
    assert_null(mqc_rx_space(&r.e, &cap));
    assert_int_equal(cap, 0);
    /* The engine is not connected. */
    assert_int_equal(mqc_rx_commit(&r.e, 1, r.now), MQC_ERR_STATE);
    rig_connect(&r, true, false);

    memcpy(mqc_rx_space(&r.e, &cap), ((const uint8_t[]){ 0x30, 6, 0 }), 3);
    assert_int_equal(cap, 16);
    assert_int_equal(mqc_rx_commit(&r.e, 17, r.now), MQC_ERR_ARG);
    assert_int_equal(mqc_rx_commit(&r.e, SIZE_MAX, r.now), MQC_ERR_ARG);
    assert_int_equal(mqc_rx_commit(&r.e, 3, r.now), MQC_OK);
    rig_pull(&r);
    memcpy(mqc_rx_space(&r.e, &cap), ((const uint8_t[]){ 1, 't', 1, 2, 3 }), 5);
    assert_int_equal(cap, 13);
    assert_int_equal(mqc_rx_commit(&r.e, 14, r.now), MQC_ERR_ARG);
    /* The refused call has changed nothing. */
    assert_int_equal(mqc_rx_commit(&r.e, 5, r.now), MQC_OK);
    rig_pull(&r);

    rig_expect_log(&r, "PUBLISH d0 q0 r0 id0 t 3 \\01\\02\\03\n");
    rig_deinit(&r);
}

/* The first four bytes prove the error, whatever bytes follow. */
static void a_topic_longer_than_its_packet_is_found_after_four_bytes(void **state)
{
    (void)state;
    const rig_sizes sizes = { .rx = 32 };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);

    assert_int_equal(RIG_FEED(&r, 0x30, 0x7F, 0), MQC_OK);
    assert_int_equal(RIG_FEED(&r, 0x7E), MQC_ERR_MALFORMED);
    rig_deinit(&r);
}

/* --- back-pressure ----------------------------------------------------------- */

static void messages_wait_for_a_free_slot_in_the_table(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 2 };
    static const uint8_t three[] = { 0x32, 5, 0, 1,    't', 0, 1, 0x32, 5, 0, 1,
                                     't',  0, 2, 0x32, 5,   0, 1, 't',  0, 3 };
    rig r;
    size_t len;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);

    assert_int_equal(rig_feed(&r, three, sizeof three), MQC_OK);
    assert_int_equal(r.events, 2);
    (void)mqc_rx_space(&r.e, &len);
    assert_int_equal(len, 0);
    /* This is not the oldest message, so its slot is not free yet. */
    assert_int_equal(mqc_ack(&r.e, 2), MQC_OK);
    rig_send_all(&r);
    rig_pull(&r);
    assert_int_equal(r.events, 2);
    assert_int_equal(mqc_ack(&r.e, 1), MQC_OK);
    rig_send_all(&r);
    rig_pull(&r);

    assert_int_equal(r.events, 3);
    rig_expect_sent(&r, 0x40, 2, 0, 1, 0x40, 2, 0, 2);
    assert_non_null(mqc_rx_space(&r.e, &len));
    rig_deinit(&r);
}

static void acknowledgements_survive_a_full_control_area(void **state)
{
    (void)state;
    const rig_sizes sizes = { .control = 32, .inbound = 64 };
    rig r;
    rig_init(&r, &sizes);
    r.ack_at_once = true;
    rig_connect(&r, true, false);

    for (uint8_t i = 1; i <= 64; i++) {
        assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, i), MQC_OK);
    }
    rig_send_all(&r);

    assert_int_equal(r.sent_len, 64 * 4);
    for (uint8_t i = 1; i <= 64; i++) {
        assert_int_equal(r.sent[4 * i - 1], i);
    }
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_gives_the_same_events),
        cmocka_unit_test(one_byte_at_a_time_gives_the_same_events),
        cmocka_unit_test(every_truncation_waits_for_more),
        cmocka_unit_test(every_changed_byte_is_an_event_or_a_latched_error),
        cmocka_unit_test(only_connack_may_come_first),
        cmocka_unit_test(session_present_needs_a_session),
        cmocka_unit_test(a_hundred_pubacks_complete_in_one_pass),
        cmocka_unit_test(oversize_is_reported_at_every_buffer_size),
        cmocka_unit_test(oversize_faults_are_found),
        cmocka_unit_test(packet_id_0_behind_a_topic_that_did_not_fit_is_an_error),
        cmocka_unit_test(no_more_bytes_are_taken_than_there_was_room_for),
        cmocka_unit_test(a_topic_longer_than_its_packet_is_found_after_four_bytes),
        cmocka_unit_test(messages_wait_for_a_free_slot_in_the_table),
        cmocka_unit_test(acknowledgements_survive_a_full_control_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
