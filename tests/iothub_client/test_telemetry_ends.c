#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/telemetry_ends.h"

static void each_end_counts_once_under_its_name(void **state)
{
    (void)state;
    static const struct {
        iothub_result result;
        telemetry_ends ends;
    } cases[] = {
        { IOTHUB_OK, { .acknowledged = 1 } },
        { IOTHUB_ERR_EXPIRED, { .expired = 1 } },
        { IOTHUB_ERR_DROPPED, { .dropped = 1 } },
        { IOTHUB_KEPT, { .kept = 1 } },
        { IOTHUB_ERR_CANCELLED, { .cancelled = 1 } },
        { IOTHUB_ERR_TOO_BIG, { .cancelled = 1 } }, /* any other end counts as cancelled */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        telemetry_ends ends = { 0 };
        telemetry_ends_count(&ends, cases[i].result);
        assert_memory_equal(&ends, &cases[i].ends, sizeof ends);
        telemetry_ends_count(&ends, cases[i].result);
        assert_int_equal(
            ends.acknowledged + ends.expired + ends.dropped + ends.cancelled + ends.kept, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_counts_once_under_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
