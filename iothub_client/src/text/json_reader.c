#include "iothub/json.h"

#include "text/json_scan.h"

void iothub_json_reader_init(iothub_json_reader *r, mqc_span text)
{
    const iothub_json_reader begin = { .text = text };

    *r = begin;
}

/* Ends a walk: either the text is complete, or it has a fault at the position of the scan. */
static bool stop(iothub_json_reader *r, iothub_result result)
{
    r->kind = IOTHUB_JSON_NONE;
    r->expect = IOTHUB_JSON_EXPECT_NOTHING;
    r->result = result;
    return false;
}

static bool in_object(const iothub_json_reader *r)
{
    return r->open != 0 && (r->braces & 1u) != 0;
}

/* "name" : */
static bool read_name(iothub_json_reader *r, iothub_json_scan *s)
{
    iothub_json_scan_space(s);
    const uint8_t *from = s->p;
    if (!iothub_json_scan_string(s)) {
        return false;
    }
    r->name = mqc_span_of(from, (size_t)(s->p - from));
    iothub_json_scan_space(s);
    return iothub_json_scan_take(s, ':');
}

static bool open_bracket(iothub_json_reader *r, iothub_json_scan *s)
{
    const bool brace = r->kind == IOTHUB_JSON_OBJECT;

    (void)iothub_json_scan_take(s, brace ? '{' : '[');
    if (r->open == IOTHUB_JSON_DEPTH) {
        return false;
    }
    r->open++;
    r->braces = r->braces << 1 | (brace ? 1u : 0u);
    r->expect = IOTHUB_JSON_EXPECT_FIRST;
    return true;
}

static bool close_bracket(iothub_json_reader *r)
{
    r->kind = IOTHUB_JSON_END;
    r->braces >>= 1;
    r->depth = --r->open;
    r->expect = IOTHUB_JSON_EXPECT_NEXT;
    return true;
}

static iothub_json_kind kind_at(const iothub_json_scan *s)
{
    const uint8_t first = iothub_json_scan_peek(s);

    switch (first) {
    case '{': return IOTHUB_JSON_OBJECT;
    case '[': return IOTHUB_JSON_ARRAY;
    case '"': return IOTHUB_JSON_STRING;
    case 't': return IOTHUB_JSON_TRUE;
    case 'f': return IOTHUB_JSON_FALSE;
    case 'n': return IOTHUB_JSON_NULL;
    default: break;
    }
    const bool number = first == '-' || (first >= '0' && first <= '9');
    return number ? IOTHUB_JSON_NUMBER : IOTHUB_JSON_NONE;
}

/* Reads a complete scalar, or the bracket that begins an object or array. */
static bool read_kind(iothub_json_reader *r, iothub_json_scan *s)
{
    switch (r->kind) {
    case IOTHUB_JSON_OBJECT:
    case IOTHUB_JSON_ARRAY: return open_bracket(r, s);
    case IOTHUB_JSON_STRING: return iothub_json_scan_string(s);
    case IOTHUB_JSON_NUMBER: return iothub_json_scan_number(s);
    case IOTHUB_JSON_TRUE: return iothub_json_scan_word(s, "true");
    case IOTHUB_JSON_FALSE: return iothub_json_scan_word(s, "false");
    case IOTHUB_JSON_NULL: return iothub_json_scan_word(s, "null");
    case IOTHUB_JSON_NONE:
    case IOTHUB_JSON_END: break;
    }
    return false;
}

static bool read_value(iothub_json_reader *r, iothub_json_scan *s)
{
    iothub_json_scan_space(s);
    const uint8_t *from = s->p;
    r->kind = kind_at(s);
    r->depth = r->open;
    r->expect = IOTHUB_JSON_EXPECT_NEXT;
    if (!read_kind(r, s)) {
        return false;
    }
    r->value = mqc_span_of(from, (size_t)(s->p - from));
    return true;
}

static bool read_member(iothub_json_reader *r, iothub_json_scan *s)
{
    return (!in_object(r) || read_name(r, s)) && read_value(r, s);
}

/* Reads inside an object or array. */
static bool read_inside(iothub_json_reader *r, iothub_json_scan *s)
{
    iothub_json_scan_space(s);
    if (iothub_json_scan_take(s, in_object(r) ? '}' : ']')) {
        return close_bracket(r);
    }
    if (r->expect == IOTHUB_JSON_EXPECT_NEXT && !iothub_json_scan_take(s, ',')) {
        return false;
    }
    return read_member(r, s);
}

bool iothub_json_next(iothub_json_reader *r)
{
    const bool complete = r->open == 0 && r->expect == IOTHUB_JSON_EXPECT_NEXT;
    iothub_json_scan s = iothub_json_scan_of(r->text, r->offset);
    bool good = false;

    if (r->expect == IOTHUB_JSON_EXPECT_NOTHING) {
        return false;
    }
    r->name = mqc_span_of(NULL, 0);
    r->value = r->name;
    if (complete) {
        iothub_json_scan_space(&s);
    } else {
        good = r->open != 0 ? read_inside(r, &s) : read_value(r, &s);
    }
    r->offset = r->text.len - (size_t)(s.end - s.p);
    return good || stop(r, complete && s.p == s.end ? IOTHUB_OK : IOTHUB_ERR_JSON);
}

bool iothub_json_skip(iothub_json_reader *r)
{
    const iothub_json_reader start = *r;

    if (start.kind != IOTHUB_JSON_OBJECT && start.kind != IOTHUB_JSON_ARRAY) {
        return start.kind != IOTHUB_JSON_NONE;
    }
    do {
        if (!iothub_json_next(r)) {
            return false;
        }
    } while (r->kind != IOTHUB_JSON_END || r->depth != start.depth);
    r->kind = start.kind;
    r->name = start.name;
    r->value = mqc_span_of(start.value.ptr, r->offset - (size_t)(start.value.ptr - r->text.ptr));
    return true;
}

iothub_json_kind iothub_json_kind_of(mqc_span value)
{
    iothub_json_scan s = iothub_json_scan_of(value, 0);

    iothub_json_scan_space(&s);
    return kind_at(&s);
}

bool iothub_json_equals(mqc_span string, const char *text)
{
    iothub_json_scan s = iothub_json_scan_of(string, 0);
    iothub_json_scan wanted = iothub_json_scan_of(mqc_span_str(text), 0);

    if (!iothub_json_scan_take(&s, '"')) {
        return false;
    }
    while (!iothub_json_scan_take(&s, '"')) {
        uint32_t is;
        uint32_t should_be;
        if (!iothub_json_scan_char(&s, &is) || !iothub_json_scan_utf8(&wanted, &should_be) ||
            is != should_be) {
            return false;
        }
    }
    return s.p == s.end && wanted.p == wanted.end;
}
