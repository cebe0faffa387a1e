#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "text/date.h"

static void a_date_is_counted_in_seconds_since_1970(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t s;
    } dates[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-03-01T00:00:00Z", 59 * 86400 },
        { "2000-02-29T12:00:00Z", 951825600 },
        { "2023-11-14T22:13:20Z", 1700000000 },
        { "2023-11-14T22:13:20.999", 1700000000 },
        { "2023-11-14T23:13:20+01:00", 1700000000 },
        { "2023-11-14T16:43:20.5-05:30", 1700000000 },
        { "2100-03-01T00:00:00Z", 4107542400 },
        { "9999-12-31T23:59:59Z", 253402300799 },
    };

    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        int64_t s;
        assert_true(iothub_date_seconds(dates[i].text, &s));
        assert_int_equal(s, dates[i].s);
    }
}

static void each_day_of_the_calendar_follows_the_one_before(void **state)
{
    (void)state;
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t expected = 0;

    for (int y = 1970; y < 2410; y++) {
        const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        for (int m = 1; m <= 12; m++) {
            for (int d = 1; d <= days[m - 1] + (leap && m == 2 ? 1 : 0); d++) {
                char text[40];
                int64_t s;
                snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", y, m, d);
                assert_true(iothub_date_seconds(text, &s));
                assert_int_equal(s, expected);
                expected += 86400;
            }
        }
    }
}

static void a_date_before_1970_or_no_date_has_no_seconds(void **state)
{
    (void)state;
    static const char *const texts[] = { "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01",
                                         "0000-01-01T00:00:00Z", "", "2026-01-31" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t s = 7;
        assert_false(iothub_date_seconds(texts[i], &s));
        assert_int_equal(s, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_counted_in_seconds_since_1970),
        cmocka_unit_test(each_day_of_the_calendar_follows_the_one_before),
        cmocka_unit_test(a_date_before_1970_or_no_date_has_no_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
