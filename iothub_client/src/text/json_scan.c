#include "text/json_scan.h"

#include "text/split.h"

static size_t left(const iothub_json_scan *s)
{
    return (size_t)(s->end - s->p);
}

static bool take(iothub_json_scan *s, char c)
{
    return iothub_json_scan_take(s, c);
}

bool iothub_json_scan_word(iothub_json_scan *s, const char *word)
{
    size_t len = strlen(word);

    if (left(s) < len || memcmp(s->p, word, len) != 0) {
        return false;
    }
    s->p += len;
    return true;
}

static bool skip_digits(iothub_json_scan *s)
{
    const uint8_t *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }
    return s->p != from;
}

/* Numbers are described in RFC 8259, section 6. */
bool iothub_json_scan_number(iothub_json_scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !skip_digits(s)) {
        return false;
    }
    if (take(s, '.') && !skip_digits(s)) {
        return false;
    }
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+')) {
            (void)take(s, '-');
        }
        return skip_digits(s);
    }
    return true;
}

/* Reads four hex digits. */
static bool take_u16(iothub_json_scan *s, uint32_t *out)
{
    uint32_t n = 0;

    if (left(s) < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        unsigned digit = iothub_hex_value(*s->p);
        if (digit > 15) {
            return false;
        }
        n = n << 4 | digit;
        s->p++;
    }
    *out = n;
    return true;
}

/* Reads the digits after \u, and the second half of a surrogate pair. */
static bool take_unicode_escape(iothub_json_scan *s, uint32_t *code_point)
{
    uint32_t low;

    if (!take_u16(s, code_point)) {
        return false;
    }
    if (*code_point < 0xD800 || *code_point > 0xDFFF) {
        return true;
    }
    if (*code_point > 0xDBFF || !take(s, '\\') || !take(s, 'u') || !take_u16(s, &low) ||
        low < 0xDC00 || low > 0xDFFF) {
        return false;
    }
    *code_point = 0x10000 + ((*code_point - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool take_escape(iothub_json_scan *s, uint32_t *code_point)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const uint8_t letter = iothub_json_scan_peek(s);

    if (take(s, 'u')) {
        return take_unicode_escape(s, code_point);
    }
    const char *at = letter != 0 ? strchr(letters, letter) : NULL;
    if (at == NULL) {
        return false;
    }
    *code_point = (uint8_t)meanings[at - letters];
    s->p++;
    return true;
}

/* Reads one multi-byte character by RFC 3629 section 4: in its shortest form, not a surrogate,
 * at most U+10FFFF. */
static bool take_multi_byte(iothub_json_scan *s, uint32_t *code_point)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t lead = *s->p;
    size_t len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    uint32_t n = lead & (0xFFu >> (len + 1));

    if (lead < 0xC2 || lead > 0xF4 || left(s) < len) {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        if ((s->p[i] & 0xC0) != 0x80) {
            return false;
        }
        n = n << 6 | (s->p[i] & 0x3Fu);
    }
    if (n < smallest[len] || n > 0x10FFFF || (n >= 0xD800 && n <= 0xDFFF)) {
        return false;
    }
    *code_point = n;
    s->p += len;
    return true;
}

bool iothub_json_scan_utf8(iothub_json_scan *s, uint32_t *code_point)
{
    if (s->p == s->end) {
        return false;
    }
    if (*s->p >= 0x80) {
        return take_multi_byte(s, code_point);
    }
    *code_point = *s->p;
    s->p++;
    return true;
}

bool iothub_json_scan_char(iothub_json_scan *s, uint32_t *code_point)
{
    if (iothub_json_scan_peek(s) < 0x20) {
        return false;
    }
    return take(s, '\\') ? take_escape(s, code_point) : iothub_json_scan_utf8(s, code_point);
}

/* Skips ASCII characters without a special meaning, of which most strings consist. */
static void skip_plain(iothub_json_scan *s)
{
    const uint8_t *p = s->p;

    while (p < s->end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }
    s->p = p;
}

bool iothub_json_scan_string(iothub_json_scan *s)
{
    uint32_t code_point;

    if (!take(s, '"')) {
        return false;
    }
    do {
        skip_plain(s);
        if (take(s, '"')) {
            return true;
        }
    } while (iothub_json_scan_char(s, &code_point));
    return false;
}
