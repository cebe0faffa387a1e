#include "rig.h"

/* Tests mqc_next_deadline and mqc_tick: the deadline is the earliest of all parts, and mqc_tick
 * does what is due. */

static const mqc_connect_options options = { .client_id = MQC_SPAN_LIT("c"),
                                             .clean_session = true,
                                             .keep_alive_s = 60,
                                             .timeout_ms = 500,
                                             .ack_timeout_ms = 20000,
                                             .stall_timeout_ms = 8000 };

static void an_idle_engine_has_no_deadline(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);

    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    assert_int_equal(mqc_tick(&r.e, UINT64_MAX - 1), MQC_OK);
    rig_deinit(&r);
}

/* Each part in turn adds a deadline that is earlier than all the others. */
static void the_earliest_of_all_parts_counts(void **state)
{
    (void)state;
    const rig_sizes sizes = { .inbound = 1, .lanes = { { .window = 2 } } };
    rig r;
    rig_init(&r, &sizes);
    assert_int_equal(mqc_connect(&r.e, &options, r.now), MQC_OK);
    assert_int_equal(rig_deadline(&r), r.now + 500);
    mqc_reset(&r.e);
    rig_connect_with(&r, &options, false);
    const mqc_time start = r.now;
    mqc_time deadline = rig_deadline(&r);
    assert_in_range(deadline, start + 30000, start + 60000); /* PINGREQ */

    (void)rig_publish(&r, 0, 1, 1, 5);
    rig_send_all(&r);
    /* Half of the time that its PUBACK may take. */
    assert_int_equal(rig_deadline(&r), start + 10000);
    assert_int_equal(rig_queue(&r, 2, 1, false, start + 9000), MQC_OK);
    assert_int_equal(rig_deadline(&r), start + 9000); /* the expiry of the message */
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 1), MQC_OK);
    /* The inbox is full, so this message has to wait. */
    assert_int_equal(RIG_FEED(&r, 0x32, 5, 0, 1, 't', 0, 2), MQC_OK);
    assert_int_equal(rig_deadline(&r), 0); /* mqc_tick must note when the stall began */
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_OK);
    assert_int_equal(rig_deadline(&r), start + 8000);
    rig_deinit(&r);
}

static void a_deadline_that_was_kept_is_gone(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    mqc_hold(&r.e, 0, true);
    assert_int_equal(rig_queue(&r, 1, 0, false, r.now + 10), MQC_OK);

    assert_int_equal(mqc_tick(&r.e, r.now + 9), MQC_OK);
    assert_int_equal(rig_deadline(&r), r.now + 10);
    assert_int_equal(mqc_tick(&r.e, r.now + 10), MQC_OK);
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    rig_pull(&r);
    rig_expect_log(&r, "DONE expired lane0 id1\n");
    rig_deinit(&r);
}

static void a_failed_engine_has_no_deadline_and_repeats_its_error(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    assert_int_equal(mqc_connect(&r.e, &options, r.now), MQC_OK);

    assert_int_equal(mqc_tick(&r.e, r.now + 499), MQC_OK);
    assert_int_equal(mqc_tick(&r.e, r.now + 500), MQC_ERR_TIMEOUT);
    assert_string_equal(mqc_error_packet(&r.e), "CONNACK");
    assert_int_equal(rig_deadline(&r), UINT64_MAX);
    assert_int_equal(mqc_tick(&r.e, r.now), MQC_ERR_TIMEOUT);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_engine_has_no_deadline),
        cmocka_unit_test(the_earliest_of_all_parts_counts),
        cmocka_unit_test(a_deadline_that_was_kept_is_gone),
        cmocka_unit_test(a_failed_engine_has_no_deadline_and_repeats_its_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
