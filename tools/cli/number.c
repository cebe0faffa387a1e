#include "cli/number.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

enum { RATE_DIGITS = 9 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (!is_digit(*text)) {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *out = n;
    return n >= min && n <= max;
}

/* Returns the value of up to nine digits; *text points after them then. */
static double digits(const char **text, size_t *count, double *scale)
{
    double n = 0;

    *scale = 1;
    for (*count = 0; is_digit(**text) && *count <= RATE_DIGITS; (*count)++, (*text)++) {
        n = n * 10 + (**text - '0');
        *scale *= 10;
    }
    return n;
}

bool cli_rate(const char *text, double min, double max, double *out)
{
    size_t before;
    size_t behind = 0;
    double scale;
    double n = digits(&text, &before, &scale);

    if (*text == '.') {
        text++;
        double fraction = digits(&text, &behind, &scale);
        n += fraction / scale;
    }
    if (*text != '\0' || before + behind == 0 || before > RATE_DIGITS || behind > RATE_DIGITS) {
        return false;
    }
    *out = n;
    /* 0 is allowed, too; the smallest other number is 1e-9. */
    return !(n > 0) || (n >= min && n <= max);
}

bool cli_port_of(const char *name, uint16_t fallback, uint16_t *out)
{
    const char *text = getenv(name);
    uint64_t port = fallback;

    if (text != NULL && *text != '\0' && !cli_number(text, 1, 65535, &port)) {
        (void)cli_error("%s is not a port: a number from 1 to 65535", name);
        return false;
    }
    *out = (uint16_t)port;
    return true;
}
