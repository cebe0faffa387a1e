#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"

#define DAY_S 86400

static void a_date_is_what_the_c_library_makes_of_it(void **state)
{
    (void)state;
    /* From 1970 to 2106, in steps that reach every month, day, hour, minute, second and
     * millisecond. */
    for (int64_t ms = 0; ms < INT64_C(4294967296) * 1000; ms += INT64_C(52345) * 1000 * 60 + 997) {
        const time_t seconds = (time_t)(ms / 1000);
        struct tm utc;
        char expected[HUB_TIME_SIZE];
        char text[HUB_TIME_SIZE];

        assert_non_null(gmtime_r(&seconds, &utc));
        size_t n = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &utc);
        (void)snprintf(expected + n, sizeof expected - n, ".%03dZ", (int)(ms % 1000));
        hub_time_text(ms, text);
        assert_string_equal(text, expected);
        (void)strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        hub_time_http(ms, text);
        assert_string_equal(text, expected);
        (void)strftime(expected, sizeof expected, "%I:%M:%S %p", &utc);
        char *without_zero = expected[0] == '0' ? expected + 1 : expected;
        hub_time_header(ms, text);
        assert_string_equal(text + strlen(text) - strlen(without_zero), without_zero);
        (void)snprintf(expected, sizeof expected, "%d/%d/%d ", (utc.tm_mon + 1) % 100,
                       utc.tm_mday % 100, (utc.tm_year + 1900) % 10000);
        assert_memory_equal(text, expected, strlen(expected));
    }
}

static void a_year_may_have_more_than_four_digits(void **state)
{
    (void)state;
    char text[HUB_TIME_SIZE];

    hub_time_text(INT64_C(253402300799999), text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    hub_time_text(INT64_C(253402300800000), text);
    assert_string_equal(text, "10000-01-01T00:00:00.000Z");
    hub_time_text(INT64_C(1) << 52, text);
    assert_string_equal(text, "144683-05-23T16:29:30.496Z");
}

static void a_whole_number_is_written_with_all_its_digits(void **state)
{
    (void)state;
    static const uint64_t numbers[] = { 0, 1, 9, 10, 99, 100, 1234567890, UINT64_MAX };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char expected[24];
        hub_text t = { 0 };

        (void)snprintf(expected, sizeof expected, "%llu", (unsigned long long)numbers[i]);
        hub_text_whole(&t, numbers[i]);
        assert_string_equal(t.p, expected);
        hub_text_free(&t);
    }
}

/* The code checks eight bytes at a time, so the piece is tried at each position. */
static void expect_anywhere(const char *piece, size_t len, bool valid)
{
    char text[64];

    for (size_t before = 0; before < 24; before++) {
        for (size_t after = 0; after < 24; after++) {
            memset(text, 'a', sizeof text);
            memcpy(text + before, piece, len);
            if (hub_utf8_valid(text, before + len + after) != valid) {
                fail_msg("%s behind %zu and before %zu characters", piece, before, after);
            }
        }
    }
}

static void utf8_is_checked_wherever_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        size_t len;
        bool valid;
    } cases[] = {
        { "", 0, true },
        { "\x01\x7F", 2, true },
        { "\xC2\x80", 2, true },
        { "\xDF\xBF", 2, true },
        { "\xE0\xA0\x80", 3, true },
        { "\xED\x9F\xBF", 3, true },
        { "\xEF\xBF\xBF", 3, true },
        { "\xF0\x90\x80\x80", 4, true },
        { "\xF4\x8F\xBF\xBF", 4, true },
        { "\0", 1, false },
        { "\x80", 1, false },
        { "\xC1\xBF", 2, false },
        { "\xC2", 1, false },
        { "\xE0\x9F\xBF", 3, false },
        { "\xED\xA0\x80", 3, false },
        { "\xE2\x82", 2, false },
        { "\xF0\x8F\xBF\xBF", 4, false },
        { "\xF4\x90\x80\x80", 4, false },
        { "\xF5\x80\x80\x80", 4, false },
        { "\xFF", 1, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_anywhere(cases[i].piece, cases[i].len, cases[i].valid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_what_the_c_library_makes_of_it),
        cmocka_unit_test(a_year_may_have_more_than_four_digits),
        cmocka_unit_test(a_whole_number_is_written_with_all_its_digits),
        cmocka_unit_test(utf8_is_checked_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
