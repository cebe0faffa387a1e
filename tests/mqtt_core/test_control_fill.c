#include "control_fill.h"
#include "rig.h"

/* Tests which packets are encoded once the control area has room, and in which order. */

static void nothing_is_wanted_of_an_idle_connection(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    assert_false(mqc_control_wanted(&r.e));
    rig_connect(&r, true, false);
    assert_false(mqc_control_wanted(&r.e));
    assert_false(mqc_answers_due(&r.e));

    mqc_control_fill(&r.e);

    rig_send_all(&r);
    assert_int_equal(r.sent_len, 0);
    rig_deinit(&r);
}

/* The order is PUBREL, acknowledgements in the order of the messages, PINGREQ, DISCONNECT. */
static void each_kind_has_its_turn(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    (void)rig_publish(&r, 0, 2, 1, 5);
    rig_send_all(&r);
    rig_forget(&r);
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 7), MQC_OK);
    assert_int_equal(RIG_FEED(&r, 0x34, 5, 0, 1, 't', 0, 8), MQC_OK);
    assert_int_equal(mqc_ack(&r.e, 8), MQC_OK);
    assert_int_equal(mqc_ack(&r.e, 7), MQC_OK);
    assert_int_equal(RIG_FEED(&r, 0x50, 2, 0, 1), MQC_OK);
    r.e.keep_alive.ping_wanted = true;
    assert_int_equal(mqc_disconnect(&r.e), MQC_OK);
    assert_true(mqc_control_wanted(&r.e));

    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "PUBREL 1\nPUBACK 7\nPUBREC 8\nPINGREQ\nDISCONNECT\n");
    rig_deinit(&r);
}

/* The control area has room for eight answers, and the stream accepts one byte at a time. */
static void a_full_area_loses_no_answer(void **state)
{
    (void)state;
    const rig_sizes sizes = { .control = 32, .inbound = 40 };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);
    for (uint8_t id = 1; id <= 40; id++) {
        assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, id), MQC_OK);
        assert_int_equal(mqc_ack(&r.e, id), MQC_OK);
    }
    while (mqc_control_wanted(&r.e) || r.sent_len < 160) {
        assert_int_equal(rig_send(&r, 1), 1);
    }
    for (uint8_t id = 1; id <= 40; id++) {
        const uint8_t want[] = { 0x40, 2, 0, id };
        assert_memory_equal(r.sent + 4 * (id - 1u), want, sizeof want);
    }
    assert_int_equal(r.sent_len, 160);
    rig_deinit(&r);
}

static void an_answer_without_room_is_refused(void **state)
{
    (void)state;
    const rig_sizes sizes = { .control = 32 };
    rig r;
    rig_init(&r, &sizes);
    rig_connect(&r, true, false);

    for (uint16_t id = 1; id <= 8; id++) {
        assert_true(mqc_control_queue_id(&r.e, MQC_PUBCOMP, id));
    }
    assert_false(mqc_control_queue_id(&r.e, MQC_PUBCOMP, 9));
    assert_int_equal(rig_send(&r, 4), 4);
    assert_true(mqc_control_queue_id(&r.e, MQC_PUBCOMP, 9));
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_wanted_of_an_idle_connection),
        cmocka_unit_test(each_kind_has_its_turn),
        cmocka_unit_test(a_full_area_loses_no_answer),
        cmocka_unit_test(an_answer_without_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
