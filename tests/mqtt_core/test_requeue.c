#include "rig.h"

/* Tests of mqc_requeue: the server asks the client to send a kept message again later. */

static const rig_sizes one_at_a_time = { .lanes = { { .window = 1 } } };

static void keep(rig *r, uint32_t id, size_t len, mqc_time expires)
{
    uint8_t payload[32] = { (uint8_t)id };
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { payload, len },
                             .keep = true,
                             .expires = expires,
                             .id = id };
    assert_int_equal(mqc_publish(&r->e, &m, NULL), MQC_OK);
}

static void release(rig *r, uint32_t id)
{
    mqc_done done;
    assert_int_equal(mqc_release(&r->e, 0, id, &done), MQC_OK);
    assert_int_equal(done.id, id);
}

/* Expects the packets that were sent since the last check. */
static void expect_sent(rig *r, const char *text)
{
    rig_send_all(r);
    assert_string_equal(rig_sent_text(r), text);
    r->sent_len = 0;
}

#define SENT(n) "PUBLISH d0 q0 r0 id0 #" #n "\n"

static void it_is_sent_again_in_its_position_once_the_hold_ends(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, &one_at_a_time);
    rig_connect(&r, true, false);
    keep(&r, 1, 1, 0);
    keep(&r, 2, 1, 0);
    expect_sent(&r, SENT(1));

    for (int again = 0; again < 3; again++) {
        mqc_hold(&r.e, 0, true);
        assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_OK);
        assert_int_equal(mqc_lane(&r.e, 0).in_flight, 0);
        assert_int_equal(mqc_lane(&r.e, 0).count, 2);
        expect_sent(&r, "");
        mqc_hold(&r.e, 0, false);
        expect_sent(&r, SENT(1));
        assert_int_equal(mqc_lane(&r.e, 0).in_flight, 1);
    }
    release(&r, 1);
    expect_sent(&r, SENT(2));
    release(&r, 2);
    rig_pull(&r);
    rig_expect_log(&r, "");
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    rig_deinit(&r);
}

static void only_the_last_one_that_was_sent_can_go_again(void **state)
{
    (void)state;
    const rig_sizes two_at_a_time = { .lanes = { { .window = 2 } } };
    rig r;
    rig_init(&r, &two_at_a_time);
    rig_connect(&r, true, false);
    keep(&r, 1, 1, 0);
    assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_ERR_STATE); /* the message was not sent yet */
    keep(&r, 2, 1, 0);
    keep(&r, 3, 1, 0);
    expect_sent(&r, SENT(1) SENT(2));

    assert_int_equal(mqc_requeue(&r.e, 1, 2), MQC_ERR_ARG); /* this lane does not exist */
    assert_int_equal(mqc_requeue(&r.e, 0, 7), MQC_ERR_STATE);
    assert_int_equal(mqc_requeue(&r.e, 0, 3), MQC_ERR_STATE);
    /* Message 2, which was sent later, must be requeued first. */
    assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_ERR_STATE);
    assert_int_equal(mqc_requeue(&r.e, 0, 2), MQC_OK);
    /* The server repeats its answer to the same message. */
    assert_int_equal(mqc_requeue(&r.e, 0, 2), MQC_ERR_STATE);
    expect_sent(&r, "");
    rig_gather(&r);
    expect_sent(&r, SENT(2));
    release(&r, 2);
    /* Message 2, which was sent later, has ended. */
    assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_OK);
    expect_sent(&r, SENT(1) SENT(3));
    mqc_reset(&r.e);
    /* Message 3 was not sent on this connection. */
    assert_int_equal(mqc_requeue(&r.e, 0, 3), MQC_ERR_STATE);
    rig_deinit(&r);
}

static void a_message_with_qos_does_not_go_again(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    (void)rig_publish(&r, 0, 1, 5, 1);
    rig_send_all(&r);
    assert_int_equal(mqc_requeue(&r.e, 0, 5), MQC_ERR_STATE);
    rig_deinit(&r);
}

static void half_a_packet_is_completed_first(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, &one_at_a_time);
    rig_connect(&r, true, false);
    keep(&r, 1, 3, 0);
    for (size_t n = 0; n < 8; n++) {
        assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_ERR_STATE);
        (void)rig_send(&r, 1);
    }
    assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_OK);
    expect_sent(&r, SENT(1) SENT(1));
    rig_deinit(&r);
}

static void it_is_found_again_at_every_offset_of_the_ring(void **state)
{
    (void)state;
    for (size_t ring = 24; ring < 48; ring++) {
        const rig_sizes sizes = { .lanes = { { .ring_len = ring, .window = 1 } } };
        rig r;
        rig_init(&r, &sizes);
        rig_connect(&r, true, false);
        keep(&r, 0, 2, 0);
        /* One message always waits, so that the ring is never empty. */
        for (uint32_t id = 1; id < 100; id++) {
            rig_send_all(&r);
            keep(&r, id, 1 + id % 3, 0);
            assert_int_equal(mqc_requeue(&r.e, 0, id - 1), MQC_OK);
            r.sent_len = 0;
            rig_send_all(&r);
            const size_t len = id == 1 ? 2 : 1 + (id - 1) % 3;
            const uint8_t want[] = { 0x30, (uint8_t)(3 + len), 0, 1, 't', (uint8_t)(id - 1), 0, 0 };
            assert_int_equal(r.sent_len, 5 + len);
            assert_memory_equal(r.sent, want, r.sent_len);
            release(&r, id - 1);
        }
        rig_deinit(&r);
    }
}

static void the_dead_behind_it_do_not_go_again(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, &one_at_a_time);
    rig_connect(&r, true, false);
    keep(&r, 1, 1, 0);
    keep(&r, 2, 1, r.now + 5);
    keep(&r, 3, 1, 0);
    expect_sent(&r, SENT(1));
    r.now += 5;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    rig_pull(&r);
    rig_expect_log(&r, "DONE expired lane0 id2\n");

    assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_OK);
    expect_sent(&r, SENT(1));
    release(&r, 1);
    expect_sent(&r, SENT(3));
    assert_int_equal(mqc_requeue(&r.e, 0, 3), MQC_OK);
    expect_sent(&r, SENT(3));
    release(&r, 3);
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    rig_deinit(&r);
}

static void while_it_waits_it_expires_as_before(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, &one_at_a_time);
    rig_connect(&r, true, false);
    keep(&r, 1, 1, r.now + 10);
    keep(&r, 2, 1, 0);
    expect_sent(&r, SENT(1));
    mqc_hold(&r.e, 0, true);
    assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_OK);

    assert_int_equal(rig_deadline(&r), r.now + 10);
    r.now += 10;
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    rig_pull(&r);
    rig_expect_log(&r, "DONE expired lane0 id1\n");
    mqc_hold(&r.e, 0, false);
    expect_sent(&r, SENT(2));
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 1);
    rig_deinit(&r);
}

static void a_new_connection_sends_it_once(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, &one_at_a_time);
    rig_connect(&r, true, false);
    keep(&r, 1, 1, 0);
    keep(&r, 2, 1, 0);
    expect_sent(&r, SENT(1));
    assert_int_equal(mqc_requeue(&r.e, 0, 1), MQC_OK);

    mqc_reset(&r.e);
    rig_connect(&r, true, false);
    expect_sent(&r, SENT(1));
    release(&r, 1);
    expect_sent(&r, SENT(2));

    assert_int_equal(mqc_requeue(&r.e, 0, 2), MQC_OK);
    mqc_reset(&r.e);
    assert_int_equal(mqc_discard(&r.e, 0), MQC_OK);
    rig_pull(&r);
    rig_expect_log(&r, "DONE discarded lane0 id2\n");
    assert_int_equal(mqc_lane(&r.e, 0).bytes, 0);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_sent_again_in_its_position_once_the_hold_ends),
        cmocka_unit_test(only_the_last_one_that_was_sent_can_go_again),
        cmocka_unit_test(a_message_with_qos_does_not_go_again),
        cmocka_unit_test(half_a_packet_is_completed_first),
        cmocka_unit_test(it_is_found_again_at_every_offset_of_the_ring),
        cmocka_unit_test(the_dead_behind_it_do_not_go_again),
        cmocka_unit_test(while_it_waits_it_expires_as_before),
        cmocka_unit_test(a_new_connection_sends_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
