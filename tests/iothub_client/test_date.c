#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/date.h"

static void a_date_and_time_is_accepted(void **state)
{
    (void)state;
    static const char *const dates[] = {
        "2026-01-31T12:00:00Z",          "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",          "2026-01-31T12:00:00.1234567Z",
        "2026-01-31T12:00:00",           "2026-01-31T12:00:00.5",
        "2026-01-31T12:00:00+01:00",     "2026-01-31T12:00:00-23:59",
        "2026-01-31T12:00:00.000+00:00",
    };

    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        if (!iothub_date_valid(dates[i])) {
            fail_msg("%s", dates[i]);
        }
    }
}

static void what_is_no_date_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "yesterday",
        "1767225600",
        "2026-01-31",
        "2026-01-31T12:00",
        "2026-01-31 12:00:00Z",
        "2026-1-31T12:00:00Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00Z ",
        "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00+1:00",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+01:00Z",
        " 2026-01-31T12:00:00Z",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (iothub_date_valid(texts[i])) {
            fail_msg("%s", texts[i]);
        }
    }
}

/* A cut date is refused unless it ends after whole seconds, and no byte after the text is read. */
static void no_beginning_of_a_date_is_one_but_whole_seconds(void **state)
{
    (void)state;
    static const char whole[] = "2026-01-31T12:00:00.25+01:00";

    for (size_t len = 0; len < sizeof whole; len++) {
        char *text = test_malloc(len + 1);
        memcpy(text, whole, len);
        text[len] = '\0';
        bool ends = len == 19 || len == 21 || len == 22 || len == sizeof whole - 1;
        assert_int_equal(iothub_date_valid(text), ends);
        test_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_and_time_is_accepted),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(no_beginning_of_a_date_is_one_but_whole_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
