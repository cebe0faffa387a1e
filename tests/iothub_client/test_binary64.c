#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "text/binary64.h"

/* test_json_value compares the conversion of digits with strtod. */
static void ties_go_to_the_even_neighbour(void **state)
{
    (void)state;
    double out;

    assert_true(iothub_binary64_of(UINT64_C(9007199254740993), 0, &out));
    assert_true(out == 9007199254740992.0);
    assert_true(iothub_binary64_of(UINT64_C(9007199254740995), 0, &out));
    assert_true(out == 9007199254740996.0);
    assert_true(iothub_binary64_of(UINT64_C(90071992547409925), -1, &out));
    assert_true(out == 9007199254740992.0);
}

static void every_exponent_has_an_answer(void **state)
{
    (void)state;
    static const uint64_t digits[] = { 1, 5, UINT64_C(1) << 63, UINT64_MAX };

    for (size_t i = 0; i < 4; i++) {
        for (int32_t exponent = -400; exponent <= 400; exponent++) {
            char text[40];
            double expected;
            double out = 0;
            snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits[i], (int)exponent);
            assert_int_equal(sscanf(text, "%lf", &expected), 1);
            assert_int_equal(iothub_binary64_of(digits[i], exponent, &out), isfinite(expected));
            assert_true(!isfinite(expected) || out == expected);
        }
    }
    double zero = 1;
    assert_true(iothub_binary64_of(0, INT32_MAX, &zero) && zero == 0);
    assert_true(iothub_binary64_of(1, INT32_MIN, &zero) && zero == 0);
    assert_false(iothub_binary64_of(1, INT32_MAX, &zero));
}

static void assert_split(double value, unsigned decimals)
{
    char expected[400];
    char is[400];
    iothub_fixed f;

    assert_true(iothub_binary64_split(value, decimals, &f));
    snprintf(expected, sizeof expected, "%.*f", (int)decimals, value);
    if (decimals == 0) {
        snprintf(is, sizeof is, "%s%llu", f.negative ? "-" : "", (unsigned long long)f.whole);
    } else {
        snprintf(is, sizeof is, "%s%llu.%0*u", f.negative ? "-" : "", (unsigned long long)f.whole,
                 (int)decimals, (unsigned)f.fraction);
    }
    assert_string_equal(is, expected);
}

static void decimals_are_those_of_printf(void **state)
{
    (void)state;
    static const double values[] = { 0,
                                     -0.0,
                                     0.5,
                                     1.5,
                                     2.5,
                                     -2.5,
                                     0.125,
                                     0.375,
                                     0.285,
                                     21.5,
                                     22,
                                     -0.001,
                                     0.999999999999,
                                     9.9999999995,
                                     1e-9,
                                     5e-10,
                                     4.9e-10,
                                     1e-300,
                                     4.9406564584124654e-324,
                                     2.2250738585072014e-308,
                                     4503599627370495.5,
                                     4503599627370496.5,
                                     9007199254740994,
                                     1e15,
                                     9.2e18,
                                     18446744073709549568.0 };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (unsigned decimals = 0; decimals <= IOTHUB_BINARY64_DECIMALS; decimals++) {
            assert_split(values[i], decimals);
        }
    }
}

static void random_doubles_are_rounded_as_printf_does(void **state)
{
    (void)state;
    uint64_t seed = 1;

    for (int i = 0; i < 50000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const unsigned decimals = (unsigned)(seed >> 60) % 10;
        const int power = (int)(seed >> 50) % 64 - (i % 2 != 0 ? 0 : 60);
        assert_split(ldexp((double)(seed >> 11) / 9007199254740992.0, power % 64), decimals);
        assert_split(-(double)(seed % 100000) / 1000, decimals);
        assert_split((double)(seed % 4096) / 512, decimals); /* many ties */
    }
}

static void what_has_no_decimals_is_refused(void **state)
{
    (void)state;
    iothub_fixed f;

    assert_false(iothub_binary64_split(18446744073709551616.0, 2, &f));
    assert_false(iothub_binary64_split(-1e300, 0, &f));
    assert_false(iothub_binary64_split((double)INFINITY, 2, &f));
    assert_false(iothub_binary64_split(-(double)INFINITY, 2, &f));
    assert_false(iothub_binary64_split((double)NAN, 2, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_go_to_the_even_neighbour),
        cmocka_unit_test(every_exponent_has_an_answer),
        cmocka_unit_test(decimals_are_those_of_printf),
        cmocka_unit_test(random_doubles_are_rounded_as_printf_does),
        cmocka_unit_test(what_has_no_decimals_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
