#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iothub/json.h"

static const struct {
    const char *text;
    iothub_result result;
    int64_t value;
} whole_numbers[] = {
    { "0", IOTHUB_OK, 0 },
    { "-0", IOTHUB_OK, 0 },
    { "0e5", IOTHUB_OK, 0 },
    { "0.000e-999999999999999999999", IOTHUB_OK, 0 },
    { "0e999999999999999999999", IOTHUB_OK, 0 },
    { "7", IOTHUB_OK, 7 },
    { "-42", IOTHUB_OK, -42 },
    { "20.0", IOTHUB_OK, 20 },
    { "2e1", IOTHUB_OK, 20 },
    { "2.5E+1", IOTHUB_OK, 25 },
    { "2500e-2", IOTHUB_OK, 25 },
    { "-1.5e3", IOTHUB_OK, -1500 },
    { "1000000000000000000000e-18", IOTHUB_OK, 1000 },
    { "0.000000000000000000001e21", IOTHUB_OK, 1 },
    { "9223372036854775807", IOTHUB_OK, INT64_MAX },
    { "-9223372036854775808", IOTHUB_OK, INT64_MIN },
    { "9223372036854775808", IOTHUB_ERR_TOO_BIG, 0 },
    { "-9223372036854775809", IOTHUB_ERR_TOO_BIG, 0 },
    { "18446744073709551616", IOTHUB_ERR_TOO_BIG, 0 },
    { "10000000000000000000", IOTHUB_ERR_TOO_BIG, 0 },
    { "12345678901234567890123", IOTHUB_ERR_TOO_BIG, 0 },
    { "1e19", IOTHUB_ERR_TOO_BIG, 0 },
    { "1e999999999999999999999", IOTHUB_ERR_TOO_BIG, 0 },
    { "0.5", IOTHUB_ERR_JSON, 0 },
    { "1e-1", IOTHUB_ERR_JSON, 0 },
    { "1e-999999999999999999999", IOTHUB_ERR_JSON, 0 },
    { "12345678901234567890.5", IOTHUB_ERR_TOO_BIG, 0 },
    { "1234567890123456789.5", IOTHUB_ERR_JSON, 0 },
    { "1000000000000000000.5", IOTHUB_ERR_JSON, 0 },
    { "0.12345678901234567890123", IOTHUB_ERR_JSON, 0 },
    { "\"7\"", IOTHUB_ERR_JSON, 0 },
    { "true", IOTHUB_ERR_JSON, 0 },
    { "null", IOTHUB_ERR_JSON, 0 },
    { "[7]", IOTHUB_ERR_JSON, 0 },
    { "01", IOTHUB_ERR_JSON, 0 },
    { "7 ", IOTHUB_ERR_JSON, 0 },
    { " 7", IOTHUB_ERR_JSON, 0 },
    { "7x", IOTHUB_ERR_JSON, 0 },
    { "7 7", IOTHUB_ERR_JSON, 0 },
    { "-", IOTHUB_ERR_JSON, 0 },
    { "", IOTHUB_ERR_JSON, 0 },
};

static void whole_numbers_are_read_however_they_are_written(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof whole_numbers / sizeof whole_numbers[0]; i++) {
        int64_t out = 4711;
        iothub_result r = iothub_json_get_int(mqc_span_str(whole_numbers[i].text), &out);
        if (r != whole_numbers[i].result ||
            out != (r == IOTHUB_OK ? whole_numbers[i].value : 4711)) {
            fail_msg("%s: %d, %lld", whole_numbers[i].text, (int)r, (long long)out);
        }
    }
}

/* Compares with strtod of the C library, which rounds correctly. */
static void assert_double(const char *text)
{
    double expected = strtod(text, NULL);
    double out = 4711;
    iothub_result r = iothub_json_get_double(mqc_span_str(text), &out);
    const bool infinite = !isfinite(expected);

    if (infinite) {
        assert_int_equal(r, IOTHUB_ERR_TOO_BIG);
        expected = 4711;
    } else {
        assert_int_equal(r, IOTHUB_OK);
    }
    if (memcmp(&out, &expected, sizeof out) != 0) {
        fail_msg("%s: %a instead of %a", text, out, expected);
    }
}

static void numbers_are_read_as_the_closest_double(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0.0",
        "21.5",
        "0.1",
        "-1e-7",
        "1e22",
        "1e23",
        "9007199254740993", /* half-way between two doubles */
        "9007199254740995",
        "9007199254740992.5",
        "4.9406564584124654e-324", /* the smallest double above 0 */
        "2.4703282292062327e-324", /* less than half of the smallest double */
        "2.4703282292062328e-324",
        "2.2250738585072011e-308", /* the largest double below the normal ones */
        "2.2250738585072014e-308",
        "1.7976931348623157e308", /* the largest */
        "1.7976931348623158e308",
        "1.7976931348623159e308", /* beyond */
        "1e309",
        "-1e309",
        "1e400",
        "-1e999999999999999999999",
        "1e-400",
        "-1e-999999999999999999999",
        "0e999999999999999999999",
        "123456789012345678901234567890",
        "0.000000000000000000000000000000000000000000123456789",
        "100000000000000000000000000000000000000000000000000000000000000e-62",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_double(texts[i]);
    }
}

static void random_numbers_are_read_as_the_closest_double(void **state)
{
    (void)state;
    uint64_t seed = 1;

    for (int i = 0; i < 20000; i++) {
        char text[60];
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const unsigned digits = 1 + (unsigned)(seed >> 33) % 18;
        const int exponent = (int)((seed >> 40) % 680) - 345;
        uint64_t mantissa = seed >> 1;
        for (unsigned d = 19; d > digits; d--) {
            mantissa /= 10;
        }
        snprintf(text, sizeof text, "%s%llue%d", i % 2 != 0 ? "-" : "",
                 (unsigned long long)mantissa, exponent);
        assert_double(text);
        snprintf(text, sizeof text, "%u.%llu", i % 1000, (unsigned long long)mantissa / 100);
        if (strlen(text) <= 20) {
            assert_double(text);
        }
    }
}

/* A double that printf writes with 17 digits is read as the same double. */
static void every_double_survives_its_text(void **state)
{
    (void)state;
    uint64_t bits = 1;

    for (int i = 0; i < 20000; i++) {
        double value;
        char text[40];
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) {
            continue;
        }
        snprintf(text, sizeof text, "%.16e", value);
        assert_double(text);
    }
}

static void other_values_are_no_numbers(void **state)
{
    (void)state;
    static const char *const texts[] = { "\"1\"", "true", "null",     "[1]", "{}", "",
                                         "1 ",    " 1",   "Infinity", "NaN", "1.", "0x10" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double out = 4711;
        assert_int_equal(iothub_json_get_double(mqc_span_str(texts[i]), &out), IOTHUB_ERR_JSON);
        assert_true(out == 4711);
    }
}

static void only_true_and_false_are_booleans(void **state)
{
    (void)state;
    static const char *const texts[] = { "\"true\"", "1", "null", "TRUE", "true ", "" };
    bool out = false;

    assert_int_equal(iothub_json_get_bool(mqc_span_str("true"), &out), IOTHUB_OK);
    assert_true(out);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(iothub_json_get_bool(mqc_span_str(texts[i]), &out), IOTHUB_ERR_JSON);
        assert_true(out);
    }
    assert_int_equal(iothub_json_get_bool(mqc_span_str("false"), &out), IOTHUB_OK);
    assert_false(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_read_however_they_are_written),
        cmocka_unit_test(numbers_are_read_as_the_closest_double),
        cmocka_unit_test(random_numbers_are_read_as_the_closest_double),
        cmocka_unit_test(every_double_survives_its_text),
        cmocka_unit_test(other_values_are_no_numbers),
        cmocka_unit_test(only_true_and_false_are_booleans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
