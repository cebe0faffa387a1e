#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/issuances.h"

#define DEVICES 9

/* Makes a request of one of the devices d0 to d8. */
static hub_issuance of_device(char *device, size_t n)
{
    static char rid[] = "rid";

    device[0] = 'd';
    device[1] = (char)('0' + n);
    device[2] = '\0';
    return (hub_issuance){ .device = device,
                           .generation = rid,
                           .rid = rid,
                           .request = rid,
                           .correlation_id = device,
                           .due_ms = (int64_t)n };
}

static void each_device_has_its_own_request(void **state)
{
    hub_issuances l = { 0 };
    char device[3];

    (void)state;
    assert_null(hub_issuances_find(&l, "d0"));
    for (size_t n = 0; n < DEVICES; n++) {
        const hub_issuance request = of_device(device, n);
        const hub_issuance *added = hub_issuances_add(&l, &request);
        assert_ptr_not_equal(added->device, device);
    }
    for (size_t n = 0; n < DEVICES; n++) {
        (void)of_device(device, n);
        const hub_issuance *found = hub_issuances_find(&l, device);
        assert_non_null(found);
        assert_int_equal(found->due_ms, n);
        assert_string_equal(found->correlation_id, device);
    }
    hub_issuances_free(&l);
    assert_int_equal(l.count, 0);
}

static void a_dropped_request_leaves_all_others(void **state)
{
    char device[3];

    (void)state;
    for (size_t gone = 0; gone < DEVICES; gone++) {
        hub_issuances l = { 0 };
        for (size_t n = 0; n < DEVICES; n++) {
            const hub_issuance request = of_device(device, n);
            (void)hub_issuances_add(&l, &request);
        }
        (void)of_device(device, gone);
        hub_issuances_drop(&l, device);
        hub_issuances_drop(&l, device);
        assert_int_equal(l.count, DEVICES - 1);
        for (size_t n = 0; n < DEVICES; n++) {
            (void)of_device(device, n);
            assert_int_equal(hub_issuances_find(&l, device) != NULL, n != gone);
        }
        hub_issuances_free(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_device_has_its_own_request),
        cmocka_unit_test(a_dropped_request_leaves_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
