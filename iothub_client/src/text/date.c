#include "text/date.h"

#include <stddef.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares the text with a form in which '0' stands for any digit. Returns the rest of the text,
 * or NULL. */
static const char *after_form(const char *text, const char *form)
{
    for (; *form != '\0'; form++, text++) {
        if (*form == '0' ? !is_digit(*text) : *text != *form) {
            return NULL;
        }
    }
    return text;
}

static bool two_digits_within(const char *at, int min, int max)
{
    int n = (at[0] - '0') * 10 + (at[1] - '0');
    return n >= min && n <= max;
}

static const char *after_fraction(const char *text)
{
    if (text[0] != '.' || !is_digit(text[1])) {
        return text;
    }
    do {
        text++;
    } while (is_digit(*text));
    return text;
}

static const char *after_offset(const char *text)
{
    if (*text == 'Z') {
        return text + 1;
    }
    const char *rest = *text == '+' || *text == '-' ? after_form(text + 1, "00:00") : NULL;
    bool valid =
        rest != NULL && two_digits_within(text + 1, 0, 23) && two_digits_within(text + 4, 0, 59);
    return valid ? rest : text;
}

bool iothub_date_valid(const char *text)
{
    const char *rest = after_form(text, "0000-00-00T00:00:00");

    if (rest == NULL || !two_digits_within(text + 5, 1, 12) ||
        !two_digits_within(text + 8, 1, 31) || !two_digits_within(text + 11, 0, 23) ||
        !two_digits_within(text + 14, 0, 59) ||
        !two_digits_within(text + 17, 0, 60)) { /* 60 is allowed for a leap second */
        return false;
    }
    return *after_offset(after_fraction(rest)) == '\0';
}
