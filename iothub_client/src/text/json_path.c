#include "text/json_path.h"

#include "text/decimal.h"
#include "text/split.h"

/* The position, and the kinds of the open brackets: one bit for each, set for a brace, the
 * innermost lowest. */
typedef struct scan {
    const uint8_t *p;
    const uint8_t *end;
    uint32_t braces;
    unsigned depth;
} scan;

/* The result of one step of the walk. */
typedef enum step {
    STEP_BAD,
    STEP_VALUE_NEXT, /* a value must follow here */
    STEP_VALUE_DONE  /* a value has just ended */
} step;

static scan scan_of(mqc_span text)
{
    const scan s = { .p = text.ptr, .end = text.len != 0 ? text.ptr + text.len : text.ptr };
    return s;
}

static size_t left(const scan *s)
{
    return (size_t)(s->end - s->p);
}

/* Returns the next byte, or 0 at the end; a NUL is never valid JSON. */
static uint8_t peek(const scan *s)
{
    return s->p < s->end ? *s->p : (uint8_t)0;
}

static bool take(scan *s, char c)
{
    if (s->p == s->end || *s->p != (uint8_t)c) {
        return false;
    }
    s->p++;
    return true;
}

static void skip_space(scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r') {
        s->p++;
    }
}

static bool skip_word(scan *s, const char *word)
{
    size_t len = strlen(word);

    if (left(s) < len || memcmp(s->p, word, len) != 0) {
        return false;
    }
    s->p += len;
    return true;
}

static bool skip_digits(scan *s)
{
    const uint8_t *from = s->p;

    while (peek(s) >= '0' && peek(s) <= '9') {
        s->p++;
    }
    return s->p != from;
}

/* RFC 8259 section 6. */
static bool skip_number(scan *s)
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

/* --- strings ------------------------------------------------------------- */

/* Four hex digits. */
static bool take_u16(scan *s, uint32_t *out)
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
static bool take_unicode_escape(scan *s, uint32_t *code_point)
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

static bool take_escape(scan *s, uint32_t *code_point)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";

    if (take(s, 'u')) {
        return take_unicode_escape(s, code_point);
    }
    const char *at = peek(s) != 0 ? strchr(letters, peek(s)) : NULL;
    if (at == NULL) {
        return false;
    }
    *code_point = (uint8_t)meanings[at - letters];
    s->p++;
    return true;
}

/* Reads one multi-byte character by RFC 3629 section 4: shortest form, no surrogates, <=
 * U+10FFFF. */
static bool take_utf8(scan *s, uint32_t *code_point)
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

/* Copies one character that has no special meaning. */
static bool take_plain(scan *s, uint32_t *code_point)
{
    if (peek(s) >= 0x80) {
        return take_utf8(s, code_point);
    }
    *code_point = peek(s);
    s->p++;
    return true;
}

/* Reads one character of a string, not the closing quote. */
static bool take_char(scan *s, uint32_t *code_point)
{
    if (peek(s) < 0x20) {
        return false;
    }
    return take(s, '\\') ? take_escape(s, code_point) : take_plain(s, code_point);
}

/* Skips a string. *same (may be NULL) is true if it equals expected. */
static bool skip_string(scan *s, const char *expected, bool *same)
{
    scan rest = scan_of(mqc_span_str(expected));
    bool equal = true;

    if (!take(s, '"')) {
        return false;
    }
    while (!take(s, '"')) {
        uint32_t code_point;
        uint32_t wanted;
        if (!take_char(s, &code_point)) {
            return false;
        }
        equal = equal && left(&rest) != 0 && take_plain(&rest, &wanted) && wanted == code_point;
    }
    if (same != NULL) {
        *same = equal && left(&rest) == 0;
    }
    return true;
}

/* --- values -------------------------------------------------------------- */

/* "key" : */
static bool skip_key(scan *s, const char *expected, bool *same)
{
    skip_space(s);
    if (!skip_string(s, expected, same)) {
        return false;
    }
    skip_space(s);
    return take(s, ':');
}

static bool in_object(const scan *s)
{
    return (s->braces & 1u) != 0;
}

static step close_bracket(scan *s)
{
    s->braces >>= 1;
    s->depth--;
    return STEP_VALUE_DONE;
}

static step open_bracket(scan *s, bool brace)
{
    s->p++;
    if (s->depth == IOTHUB_JSON_DEPTH) {
        return STEP_BAD;
    }
    s->depth++;
    s->braces = s->braces << 1 | (brace ? 1u : 0u);
    skip_space(s);
    if (take(s, brace ? '}' : ']')) {
        return close_bracket(s);
    }
    return !brace || skip_key(s, NULL, NULL) ? STEP_VALUE_NEXT : STEP_BAD;
}

/* Reads the start of a value. */
static step begin_value(scan *s)
{
    bool good = false;

    skip_space(s);
    switch (iothub_json_kind_of(mqc_span_of(s->p, left(s)))) {
    case IOTHUB_JSON_OBJECT: return open_bracket(s, true);
    case IOTHUB_JSON_ARRAY: return open_bracket(s, false);
    case IOTHUB_JSON_STRING: good = skip_string(s, NULL, NULL); break;
    case IOTHUB_JSON_NUMBER: good = skip_number(s); break;
    case IOTHUB_JSON_TRUE: good = skip_word(s, "true"); break;
    case IOTHUB_JSON_FALSE: good = skip_word(s, "false"); break;
    case IOTHUB_JSON_NULL: good = skip_word(s, "null"); break;
    case IOTHUB_JSON_NONE: break;
    }
    return good ? STEP_VALUE_DONE : STEP_BAD;
}

/* Reads what follows a value inside an object or array. */
static step after_value(scan *s)
{
    skip_space(s);
    if (take(s, ',')) {
        return !in_object(s) || skip_key(s, NULL, NULL) ? STEP_VALUE_NEXT : STEP_BAD;
    }
    return take(s, in_object(s) ? '}' : ']') ? close_bracket(s) : STEP_BAD;
}

static bool skip_value(scan *s)
{
    step st = STEP_VALUE_NEXT;

    s->depth = 0;
    while (st != STEP_BAD) {
        if (st == STEP_VALUE_NEXT) {
            st = begin_value(s);
        } else if (s->depth != 0) {
            st = after_value(s);
        } else {
            return true;
        }
    }
    return false;
}

iothub_json_kind iothub_json_kind_of(mqc_span text)
{
    scan s = scan_of(text);

    skip_space(&s);
    switch (peek(&s)) {
    case '{': return IOTHUB_JSON_OBJECT;
    case '[': return IOTHUB_JSON_ARRAY;
    case '"': return IOTHUB_JSON_STRING;
    case 't': return IOTHUB_JSON_TRUE;
    case 'f': return IOTHUB_JSON_FALSE;
    case 'n': return IOTHUB_JSON_NULL;
    default: break;
    }
    bool number = peek(&s) == '-' || (peek(&s) >= '0' && peek(&s) <= '9');
    return number ? IOTHUB_JSON_NUMBER : IOTHUB_JSON_NONE;
}

/* Reads the whole text, which must hold nothing after the value. */
static bool skip_text(scan *s)
{
    if (!skip_value(s)) {
        return false;
    }
    skip_space(s);
    return s->p == s->end;
}

iothub_result iothub_json_check(mqc_span text, size_t *good)
{
    scan s = scan_of(text);
    bool whole = skip_text(&s);

    if (good != NULL) {
        *good = text.len - left(&s);
    }
    return whole ? IOTHUB_OK : IOTHUB_ERR_JSON;
}

/* Moves from the start of an object to the value of a key. */
static bool enter_member(scan *s, const char *key)
{
    bool same;

    skip_space(s);
    if (!take(s, '{')) {
        return false;
    }
    while (skip_key(s, key, &same)) {
        if (same) {
            return true;
        }
        if (!skip_value(s)) {
            return false;
        }
        skip_space(s);
        if (!take(s, ',')) {
            return false;
        }
    }
    return false;
}

bool iothub_json_find(mqc_span text, const char *const *keys, size_t count, mqc_span *value)
{
    scan s = scan_of(text);

    for (size_t i = 0; i < count; i++) {
        if (!enter_member(&s, keys[i])) {
            return false;
        }
    }
    skip_space(&s);
    const uint8_t *from = s.p;
    if (!skip_value(&s)) {
        return false;
    }
    *value = mqc_span_of(from, (size_t)(s.p - from));
    return true;
}

bool iothub_json_u64(mqc_span value, uint64_t *out)
{
    return iothub_decimal_parse(value, out) == IOTHUB_DECIMAL_OK;
}
