/* Tests the faults that the front causes for the next connections. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/front_faults.h"

static void order(hub_front_faults *f, hub_note_kind kind, uint32_t value, uint64_t count)
{
    const hub_note note = { .kind = kind, .value = value, .count = count };

    hub_front_faults_take(f, &note);
}

static void each_kind_is_counted_for_itself(void **state)
{
    hub_front_faults f = { 0 };
    uint8_t alert;
    unsigned status;

    (void)state;
    assert_false(hub_front_faults_refuse_tls(&f, &alert));
    assert_false(hub_front_faults_refuse_upgrade(&f, &status));
    assert_int_equal(hub_front_faults_delay_upgrade(&f), 0);
    order(&f, HUB_NOTE_REFUSE_TLS, 40, 2);
    order(&f, HUB_NOTE_REFUSE_UPGRADES, 503, 1);
    order(&f, HUB_NOTE_DELAY_UPGRADES, 250, 1);
    for (int i = 0; i < 2; i++) {
        assert_true(hub_front_faults_refuse_tls(&f, &alert));
        assert_int_equal(alert, 40);
    }
    assert_false(hub_front_faults_refuse_tls(&f, &alert));
    assert_true(hub_front_faults_refuse_upgrade(&f, &status));
    assert_int_equal(status, 503);
    assert_false(hub_front_faults_refuse_upgrade(&f, &status));
    assert_int_equal(hub_front_faults_delay_upgrade(&f), 250);
    assert_int_equal(hub_front_faults_delay_upgrade(&f), 0);
}

static void a_count_of_zero_ends_a_fault(void **state)
{
    hub_front_faults f = { 0 };
    unsigned status;

    (void)state;
    order(&f, HUB_NOTE_REFUSE_UPGRADES, 429, 100);
    order(&f, HUB_NOTE_REFUSE_UPGRADES, 429, 0);
    assert_false(hub_front_faults_refuse_upgrade(&f, &status));
}

static void orders_that_make_no_sense_are_ignored(void **state)
{
    hub_front_faults f = { 0 };
    uint8_t alert;
    unsigned status;

    (void)state;
    order(&f, HUB_NOTE_REFUSE_TLS, 256, 1);
    order(&f, HUB_NOTE_REFUSE_UPGRADES, 399, 1);
    order(&f, HUB_NOTE_REFUSE_UPGRADES, 600, 1);
    order(&f, HUB_NOTE_DROP, 1, 1);
    assert_false(hub_front_faults_refuse_tls(&f, &alert));
    assert_false(hub_front_faults_refuse_upgrade(&f, &status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_counted_for_itself),
        cmocka_unit_test(a_count_of_zero_ends_a_fault),
        cmocka_unit_test(orders_that_make_no_sense_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
