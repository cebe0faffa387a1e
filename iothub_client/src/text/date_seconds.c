#include "text/date.h"

/* Apart from date.c, so that a program which only checks dates does not link it. */

enum { WHOLE_SECONDS = sizeof "2026-01-31T12:00:00" - 1 };

static int64_t number(const char *at, int digits)
{
    int64_t n = 0;

    for (int i = 0; i < digits; i++) {
        n = n * 10 + (at[i] - '0');
    }
    return n;
}

/* Returns the days since 1970-01-01 in the Gregorian calendar. The year is counted from March, so
 * that the day of a leap year is its last one. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    enum { DAYS_BEFORE_1970 = 719468 }; /* from 0000-03-01 */

    const int64_t y = month > 2 ? year : year - 1;
    const int64_t months = month > 2 ? month - 3 : month + 9;

    return y * 365 + y / 4 - y / 100 + y / 400 + (months * 153 + 2) / 5 + day - 1 -
           DAYS_BEFORE_1970;
}

/* Returns the offset from UTC in seconds, which is written after a fraction of the second. */
static int64_t offset_s(const char *text)
{
    while (*text == '.' || (*text >= '0' && *text <= '9')) {
        text++;
    }
    if (*text != '+' && *text != '-') {
        return 0;
    }
    const int64_t s = number(text + 1, 2) * 3600 + number(text + 4, 2) * 60;
    return *text == '-' ? -s : s;
}

bool iothub_date_seconds(const char *text, int64_t *s)
{
    *s = 0;
    if (!iothub_date_valid(text)) {
        return false;
    }
    const int64_t days = days_since_1970(number(text, 4), number(text + 5, 2), number(text + 8, 2));
    const int64_t of_day =
        number(text + 11, 2) * 3600 + number(text + 14, 2) * 60 + number(text + 17, 2);
    const int64_t sum = days * 86400 + of_day - offset_s(text + WHOLE_SECONDS);
    if (sum < 0) {
        return false;
    }
    *s = sum;
    return true;
}
