#include "wolfssl/x509/der.h"

#include <string.h>

#define LONG_LENGTH  0x80u
#define LONGEST_TAG  0x1fu
#define SMALLEST_TWO 256u

/* By RFC 5280 section 4.1.2.5.1, two digits below this number are years from 2000 on. */
#define UTC_TIME_PIVOT 50

/* Reads the length octets, which must have the shortest form. */
static bool take_length(plat_der *in, size_t *len)
{
    if (in->len == 0) {
        return false;
    }
    uint8_t first = in->at[0];
    size_t more = first < LONG_LENGTH ? 0 : first - LONG_LENGTH;
    if (more > 3 || (first >= LONG_LENGTH && more == 0) || in->len < 1 + more) {
        return false;
    }
    *len = first < LONG_LENGTH ? first : 0;
    for (size_t i = 1; i <= more; i++) {
        *len = *len << 8 | in->at[i];
    }
    size_t least = more == 0 ? 0 : more == 1 ? LONG_LENGTH : SMALLEST_TWO << 8 * (more - 2);
    in->at += 1 + more;
    in->len -= 1 + more;
    return *len >= least && *len <= in->len;
}

bool plat_der_next(plat_der *in, plat_der_item *out)
{
    const uint8_t *begin = in->at;
    size_t len;
    if (in->len == 0 || (in->at[0] & LONGEST_TAG) == LONGEST_TAG) {
        return false;
    }
    out->tag = in->at[0];
    in->at++;
    in->len--;
    if (!take_length(in, &len)) {
        return false;
    }
    out->content = (plat_der){ in->at, len };
    in->at += len;
    in->len -= len;
    out->whole = (plat_der){ begin, (size_t)(in->at - begin) };
    return true;
}

/* Returns whether this is an object identifier: a sequence of numbers. The last byte of each
 * number is below 0x80, and no number has leading zeros. */
static bool is_oid(plat_der content)
{
    bool begins = true;
    for (size_t i = 0; i < content.len; i++) {
        if (begins && content.at[i] == LONG_LENGTH) {
            return false;
        }
        begins = content.at[i] < LONG_LENGTH;
    }
    return content.len > 0 && begins;
}

bool plat_der_take(plat_der *in, uint8_t tag, plat_der *content)
{
    plat_der_item item;
    if (!plat_der_next(in, &item) || item.tag != tag ||
        (tag == PLAT_DER_OID && !is_oid(item.content))) {
        return false;
    }
    *content = item.content;
    return true;
}

bool plat_der_take_optional(plat_der *in, uint8_t tag, plat_der *content, bool *found)
{
    *found = in->len > 0 && in->at[0] == tag;
    *content = (plat_der){ in->at, 0 };
    return !*found || plat_der_take(in, tag, content);
}

bool plat_der_take_flag(plat_der *in, bool *value)
{
    plat_der content;
    bool found;
    *value = false;
    if (!plat_der_take_optional(in, PLAT_DER_BOOLEAN, &content, &found) || !found) {
        return !found;
    }
    *value = content.len == 1 && content.at[0] == 0xff;
    return *value || (content.len == 1 && content.at[0] == 0);
}

bool plat_der_is_integer(plat_der c)
{
    if (c.len < 2) {
        return c.len == 1;
    }
    bool negative = (c.at[1] & 0x80) != 0;
    return c.at[0] != (negative ? 0xff : 0x00);
}

bool plat_der_take_unsigned(plat_der *in, uint8_t tag, uint32_t *value)
{
    plat_der c;
    if (!plat_der_take(in, tag, &c) || !plat_der_is_integer(c) || (c.at[0] & 0x80) != 0) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < c.len; i++) {
        *value = *value > UINT32_MAX >> 8 ? UINT32_MAX : *value << 8 | c.at[i];
    }
    return true;
}

bool plat_der_take_bytes(plat_der *in, plat_der *bytes)
{
    if (!plat_der_take(in, PLAT_DER_BIT_STRING, bytes) || bytes->len == 0 || bytes->at[0] != 0) {
        return false;
    }
    bytes->at++;
    bytes->len--;
    return true;
}

static unsigned reversed(unsigned byte)
{
    unsigned out = 0;
    for (unsigned i = 0; i < 8; i++) {
        out = out << 1 | (byte >> i & 1u);
    }
    return out;
}

bool plat_der_take_bits(plat_der *in, uint16_t *bits)
{
    plat_der c;
    if (!plat_der_take(in, PLAT_DER_BIT_STRING, &c) || c.len == 0 || c.at[0] > 7) {
        return false;
    }
    uint8_t last = c.at[c.len - 1];
    if (c.len == 1 ? c.at[0] != 0 : (last & ((1u << c.at[0]) - 1)) != 0) {
        return false;
    }
    *bits = (uint16_t)((c.len > 1 ? reversed(c.at[1]) : 0u) |
                       (c.len > 2 ? reversed(c.at[2]) << 8 : 0u));
    return true;
}

bool plat_der_equals(plat_der a, plat_der b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* --- time --- */

static bool take_number(plat_der *text, size_t digits, int *out)
{
    if (text->len < digits) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text->at[i] < '0' || text->at[i] > '9') {
            return false;
        }
        *out = 10 * *out + (text->at[i] - '0');
    }
    text->at += digits;
    text->len -= digits;
    return true;
}

/* The days from 0000-03-01 to 1970-01-01. */
#define DAYS_BEFORE_1970 719468

/* Returns the days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so
 * that the leap day is the last day of a year. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - DAYS_BEFORE_1970;
}

static int days_of(int year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool plat_der_take_time(plat_der *in, int64_t *seconds)
{
    plat_der_item t;
    int year, month, day, hour, minute, second;
    if (!plat_der_next(in, &t)) {
        return false;
    }
    bool utc = t.tag == PLAT_DER_UTC_TIME;
    plat_der text = t.content;
    if ((!utc && t.tag != PLAT_DER_GENERALIZED_TIME) || !take_number(&text, utc ? 2 : 4, &year) ||
        !take_number(&text, 2, &month) || !take_number(&text, 2, &day) ||
        !take_number(&text, 2, &hour) || !take_number(&text, 2, &minute) ||
        !take_number(&text, 2, &second) || !plat_der_is(text, "Z")) {
        return false;
    }
    if (utc) {
        year += year < UTC_TIME_PIVOT ? 2000 : 1900;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_of(year, month) || hour > 23 ||
        minute > 59 || second > 59) {
        return false;
    }
    *seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return true;
}
