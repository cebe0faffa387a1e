#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dps/dps_table.h"

static int values[40];

static void an_id_is_found_in_any_case(void **state)
{
    dps_table t = { 0 };

    (void)state;
    assert_null(dps_table_put(&t, "Device-A", &values[0]));
    assert_ptr_equal(dps_table_find(&t, "device-a"), &values[0]);
    assert_ptr_equal(dps_table_find(&t, "DEVICE-A"), &values[0]);
    assert_null(dps_table_find(&t, "device-b"));
    assert_null(dps_table_find(&t, ""));
    dps_table_free(&t);
}

static void a_value_takes_the_place_of_the_old_one(void **state)
{
    dps_table t = { 0 };

    (void)state;
    assert_null(dps_table_put(&t, "a", &values[0]));
    assert_ptr_equal(dps_table_put(&t, "A", &values[1]), &values[0]);
    assert_int_equal(t.count, 1);
    assert_ptr_equal(dps_table_find(&t, "a"), &values[1]);
    dps_table_free(&t);
}

static void ids_are_in_order_whatever_was_put_first_and_taken_out(void **state)
{
    dps_table t = { 0 };
    char id[] = "d00";

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        size_t n = i * 7 % 40;
        id[1] = (char)('0' + n / 10);
        id[2] = (char)('0' + n % 10);
        assert_null(dps_table_put(&t, id, &values[n]));
    }
    assert_int_equal(t.count, 40);
    for (size_t i = 0; i < 40; i++) {
        assert_ptr_equal(t.items[i].value, &values[i]);
        assert_int_equal(dps_table_after(&t, t.items[i].key), i + 1);
    }
    for (size_t i = 0; i < 40; i += 2) {
        assert_ptr_equal(dps_table_take(&t, t.items[i / 2].key), &values[i]);
    }
    for (size_t i = 0; i < 20; i++) {
        assert_ptr_equal(t.items[i].value, &values[2 * i + 1]);
    }
    assert_null(dps_table_take(&t, "d00"));
    assert_int_equal(dps_table_after(&t, "d00"), 0);
    assert_int_equal(dps_table_after(&t, "e"), 20);
    dps_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_found_in_any_case),
        cmocka_unit_test(a_value_takes_the_place_of_the_old_one),
        cmocka_unit_test(ids_are_in_order_whatever_was_put_first_and_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
