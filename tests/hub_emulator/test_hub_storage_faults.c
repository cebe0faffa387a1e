/* Tests which requests to the storage fail on request. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blobs/storage_faults.h"

static void only_requests_of_the_set_fail_and_are_counted(void **state)
{
    hub_storage_faults f = {
        .skip = 1,
        .count = 2,
        .on = HUB_STORAGE_PUT_BLOCK | HUB_STORAGE_PUT_LIST,
        .kind = HUB_STORAGE_FAULT_STATUS,
        .status = 503,
    };

    (void)state;
    assert_int_equal(hub_storage_faults_next(&f, HUB_STORAGE_READ), HUB_STORAGE_FAULT_NONE);
    assert_int_equal(hub_storage_faults_next(&f, HUB_STORAGE_PUT_BLOCK), HUB_STORAGE_FAULT_NONE);
    assert_int_equal(hub_storage_faults_next(&f, HUB_STORAGE_PUT_BLOB), HUB_STORAGE_FAULT_NONE);
    assert_int_equal(hub_storage_faults_next(&f, HUB_STORAGE_PUT_LIST), HUB_STORAGE_FAULT_STATUS);
    assert_int_equal(hub_storage_faults_next(&f, HUB_STORAGE_PUT_BLOCK), HUB_STORAGE_FAULT_STATUS);
    assert_int_equal(hub_storage_faults_next(&f, HUB_STORAGE_PUT_BLOCK), HUB_STORAGE_FAULT_NONE);
}

static void without_an_order_nothing_fails(void **state)
{
    hub_storage_faults f = { 0 };

    (void)state;
    assert_int_equal(hub_storage_faults_next(&f, HUB_STORAGE_PUT_BLOB), HUB_STORAGE_FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_requests_of_the_set_fail_and_are_counted),
        cmocka_unit_test(without_an_order_nothing_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
