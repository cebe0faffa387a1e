#include "rig.h"

/* Tests which publishes mqc_publish refuses, and how it encodes the others into the ring. */

static void packets_wrap_around_the_ring_at_every_offset(void **state)
{
    (void)state;
    for (size_t ring = 40; ring < 72; ring++) {
        const rig_sizes sizes = { .lanes = { { .ring_len = ring } } };
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        /* One message always waits, so that the ring is never empty. */
        uint16_t waiting = rig_publish(&r, 0, 1, 0, 5);

        for (uint32_t i = 1; i < 100; i++) {
            uint16_t id = rig_publish(&r, 0, 1, i, 5);
            rig_send_all(&r);
            rig_puback(&r, waiting);
            waiting = id;
            size_t last = r.sent_len - 12;
            const uint8_t want[] = { 0x32,
                                     10,
                                     0,
                                     1,
                                     't',
                                     (uint8_t)(id >> 8),
                                     (uint8_t)id,
                                     (uint8_t)i,
                                     (uint8_t)(i + 1),
                                     (uint8_t)(i + 2),
                                     (uint8_t)(i + 3),
                                     (uint8_t)(i + 4) };
            assert_memory_equal(r.sent + last, want, sizeof want);
        }
        rig_deinit(&r);
    }
}

static void a_full_lane_refuses_and_is_unchanged(void **state)
{
    (void)state;
    const rig_sizes sizes = { .lanes = { { .ring_len = 24, .entries_len = 3 } } };
    const mqc_outgoing big = { .topic = MQC_SPAN_LIT("t"), .payload = { (const uint8_t *)"", 20 } };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);

    assert_int_equal(mqc_publish(&r.e, &big, NULL), MQC_ERR_TOO_BIG);
    (void)rig_publish(&r, 0, 1, 1, 5); /* each packet has 12 bytes */
    (void)rig_publish(&r, 0, 1, 2, 5);
    assert_int_equal(rig_queue(&r, 3, 0, false, 0), MQC_ERR_NO_SPACE);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 24);
    rig_send_all(&r);
    rig_puback(&r, 1);
    assert_int_equal(rig_queue(&r, 3, 1, false, 0), MQC_OK);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 20);
    rig_send_all(&r);
    rig_puback(&r, 2);
    rig_puback(&r, 3);

    rig_expect_log(&r, "DONE acked lane0 id1\nDONE acked lane0 id2\nDONE acked lane0 id3\n");
    rig_deinit(&r);
}

static void bad_publishes_are_refused(void **state)
{
    (void)state;
    const mqc_span t = MQC_SPAN_LIT("t");
    const mqc_span wild = MQC_SPAN_LIT("t/#");
    const mqc_span huge = { (const uint8_t *)"", 268435455u };
    const struct {
        const char *why;
        mqc_outgoing m;
        mqc_result want;
    } cases[] = {
        { "no topic", { .qos = 1 }, MQC_ERR_ARG },
        { "wildcard", { .topic = wild }, MQC_ERR_ARG },
        { "no topic, checked", { .topic_checked = true }, MQC_ERR_ARG },
        { "too long, checked", { .topic = { t.ptr, 65536 }, .topic_checked = true }, MQC_ERR_ARG },
        { "QoS 3", { .topic = t, .qos = 3 }, MQC_ERR_ARG },
        { "kept with QoS 1", { .topic = t, .qos = 1, .keep = true }, MQC_ERR_ARG },
        { "no such lane", { .topic = t, .lane = 1 }, MQC_ERR_ARG },
        { "payload without bytes", { .topic = t, .payload = { NULL, 1 } }, MQC_ERR_ARG },
        { "more than MQTT can carry", { .topic = t, .payload = huge }, MQC_ERR_TOO_BIG },
    };
    rig r;
    rig_init(&r, NULL);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mqc_result got = mqc_publish(&r.e, &cases[i].m, NULL);
        if (got != cases[i].want) {
            fail_msg("%s: %s", cases[i].why, mqc_result_str(got));
        }
    }
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_wrap_around_the_ring_at_every_offset),
        cmocka_unit_test(a_full_lane_refuses_and_is_unchanged),
        cmocka_unit_test(bad_publishes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
