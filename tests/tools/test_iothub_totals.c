#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/totals.h"

static void a_device_that_connects_again_is_one_device(void **state)
{
    fleet_totals t = { .sent = 0 };

    (void)state;
    fleet_totals_connected(&t, true);
    fleet_totals_connected(&t, true);
    fleet_totals_disconnected(&t, true);
    fleet_totals_connected(&t, false);
    fleet_totals_disconnected(&t, false);
    assert_int_equal(t.connected, 1);
    assert_int_equal(t.ever_connected, 2);
    assert_int_equal(t.connects, 3);
    assert_int_equal(t.losses, 1);
}

static void a_message_is_sent_or_skipped_and_arrives_or_fails(void **state)
{
    fleet_totals t = { .sent = 0 };

    (void)state;
    fleet_totals_message_due(&t, true);
    fleet_totals_message_due(&t, true);
    fleet_totals_message_due(&t, false);
    fleet_totals_message_arrived(&t, 2000);
    fleet_totals_message_failed(&t, IOTHUB_ERR_TIMEOUT);
    assert_int_equal(t.sent, 2);
    assert_int_equal(t.skipped, 1);
    assert_int_equal(t.arrived, 1);
    assert_int_equal(t.latency.count, 1);
    assert_int_equal(t.latency.longest_us, 2000);
    assert_int_equal(fleet_totals_failed_messages(&t), 1);
    assert_int_equal(fleet_totals_errors(&t), 1);
}

/* Includes results of a newer SDK, and results that are not errors. */
static void every_result_has_a_place_among_the_errors(void **state)
{
    fleet_totals t = { .sent = 0 };

    (void)state;
    for (int r = -200; r <= 5; r++) {
        fleet_totals_link_failed(&t, (iothub_result)r);
        fleet_totals_message_failed(&t, (iothub_result)r);
    }
    assert_int_equal(fleet_totals_failed_messages(&t), 206);
    assert_int_equal(fleet_totals_errors(&t), 412);
    assert_int_equal(t.link_errors[-IOTHUB_ERR_TIMEOUT], 1);
    assert_int_equal(t.link_errors[0], 6);
}

static void answers_and_resumptions_are_counted(void **state)
{
    fleet_totals t = { .sent = 0 };

    (void)state;
    fleet_totals_method_answered(&t);
    fleet_totals_desired_reported(&t);
    fleet_totals_desired_reported(&t);
    fleet_totals_add_resumed(&t, 3);
    fleet_totals_add_resumed(&t, 4);
    assert_int_equal(t.methods, 1);
    assert_int_equal(t.desired, 2);
    assert_int_equal(t.resumed, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_connects_again_is_one_device),
        cmocka_unit_test(a_message_is_sent_or_skipped_and_arrives_or_fails),
        cmocka_unit_test(every_result_has_a_place_among_the_errors),
        cmocka_unit_test(answers_and_resumptions_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
