#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "posix/clock.h"
#include "wolfssl/x509/trust_time.h"

/* Replaces the clock functions of the system. On systems whose time_t could have 32 bits, this
 * file is compiled with 64 bits and therefore defines other symbols than those of the 32-bit
 * functions: code that was not compiled this way would read the real clock. */

static int64_t wall_s;

int clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){ .tv_sec = (time_t)wall_s };
    return 0;
}

time_t time(time_t *out)
{
    if (out != NULL) {
        *out = (time_t)wall_s;
    }
    return (time_t)wall_s;
}

static const int64_t moments[] = { 2147483647, 2147483648, 4102444800, 4294967296, 253402300799 };

static void the_wall_clock_goes_on_after_2038(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        wall_s = moments[i];
        assert_true(plat_posix_clock.wall_s(&plat_posix_clock) == moments[i]);
    }
}

static void certificates_are_judged_by_the_same_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        wall_s = moments[i];
        assert_true(plat_trust_now_s() == moments[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_goes_on_after_2038),
        cmocka_unit_test(certificates_are_judged_by_the_same_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
