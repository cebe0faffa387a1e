#include "iothub/json.h"
#include "text/binary64.h"

/* A number as it is written: digits * 10^exponent. */
typedef struct decimal {
    bool negative;
    /* The first 19 significant digits; if there are no more, without zeros at the end. */
    uint64_t digits;
    int64_t exponent;
    bool cut; /* there are more than 19 digits, and the others are not all zero */
} decimal;

/* Larger exponents are outside the range of every type. This one can still be added to the
 * length of a text. */
#define EXPONENT_LIMIT INT64_C(1000000000000)

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits from `at` on. Digits after the decimal point lower the exponent. */
static size_t take_digits(mqc_span text, size_t at, bool behind_point, decimal *n)
{
    static const uint64_t full = UINT64_C(1000000000000000000); /* 19 digits */

    for (; at < text.len && is_digit(text.ptr[at]); at++) {
        const unsigned digit = (unsigned)(text.ptr[at] - '0');
        if (n->digits < full) {
            n->digits = n->digits * 10 + digit;
            n->exponent -= behind_point ? 1 : 0;
        } else {
            n->cut = n->cut || digit != 0;
            n->exponent += behind_point ? 0 : 1;
        }
    }
    return at;
}

static int64_t exponent_at(mqc_span text, size_t at)
{
    const bool negative = text.ptr[at] == '-';
    int64_t n = 0;

    if (!is_digit(text.ptr[at])) {
        at++;
    }
    for (; at < text.len && n < EXPONENT_LIMIT; at++) {
        n = n * 10 + (text.ptr[at] - '0');
    }
    return negative ? -n : n;
}

/* Parses a number. Returns false if the text is not exactly one number. */
static bool decimal_of(mqc_span text, decimal *n)
{
    iothub_json_reader r;
    const decimal zero = { .negative = false };
    size_t at;

    iothub_json_reader_init(&r, text);
    if (!iothub_json_next(&r) || r.kind != IOTHUB_JSON_NUMBER || r.value.len != text.len) {
        return false;
    }
    *n = zero;
    n->negative = text.ptr[0] == '-';
    at = take_digits(text, n->negative ? 1 : 0, false, n);
    if (at < text.len && text.ptr[at] == '.') {
        at = take_digits(text, at + 1, true, n);
    }
    if (at < text.len) { /* e */
        n->exponent += exponent_at(text, at + 1);
    }
    while (!n->cut && n->digits != 0 && n->digits % 10 == 0) {
        n->digits /= 10;
        n->exponent++;
    }
    return true;
}

/* Finds the absolute value of a whole number. */
static iothub_result whole(const decimal *n, uint64_t *out)
{
    uint64_t value = n->digits;

    if (value != 0 && (n->exponent < 0 || (n->cut && n->exponent == 0))) {
        return IOTHUB_ERR_JSON;
    }
    for (int64_t i = 0; value != 0 && i < n->exponent; i++) {
        if (value > UINT64_MAX / 10) {
            return IOTHUB_ERR_TOO_BIG;
        }
        value *= 10;
    }
    *out = value;
    return n->cut ? IOTHUB_ERR_TOO_BIG : IOTHUB_OK;
}

iothub_result iothub_json_get_int(mqc_span number, int64_t *out)
{
    uint64_t value;
    decimal n;

    if (!decimal_of(number, &n)) {
        return IOTHUB_ERR_JSON;
    }
    iothub_result r = whole(&n, &value);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (value > (uint64_t)INT64_MAX + (n.negative ? 1 : 0)) {
        return IOTHUB_ERR_TOO_BIG;
    }
    *out = n.negative && value != 0 ? -1 - (int64_t)(value - 1) : (int64_t)value;
    return IOTHUB_OK;
}

iothub_result iothub_json_get_double(mqc_span number, double *out)
{
    const int64_t beyond = 10000; /* any double */
    double value;
    decimal n;

    if (!decimal_of(number, &n)) {
        return IOTHUB_ERR_JSON;
    }
    const int64_t exponent = n.exponent > beyond    ? beyond
                             : n.exponent < -beyond ? -beyond
                                                    : n.exponent;
    if (!iothub_binary64_of(n.digits, (int32_t)exponent, &value)) {
        return IOTHUB_ERR_TOO_BIG;
    }
    *out = n.negative ? -value : value;
    return IOTHUB_OK;
}

iothub_result iothub_json_get_bool(mqc_span value, bool *out)
{
    const mqc_span yes = MQC_SPAN_LIT("true");
    const mqc_span no = MQC_SPAN_LIT("false");

    if (!mqc_span_eq(value, yes) && !mqc_span_eq(value, no)) {
        return IOTHUB_ERR_JSON;
    }
    *out = mqc_span_eq(value, yes);
    return IOTHUB_OK;
}
