#include "text/name_value.h"

#include "text/text_writer.h"

enum { NAME_MAX_PLAUSIBLE = 32 };

typedef struct part {
    mqc_span name;
    mqc_span value; /* ptr NULL: no '=' */
    size_t number;  /* from 1 */
} part;

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

mqc_span iothub_trim(mqc_span text)
{
    while (text.len != 0 && is_space(text.ptr[0])) {
        text = mqc_span_of(text.ptr + 1, text.len - 1);
    }
    while (text.len != 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

iothub_result iothub_parts_fail(const iothub_parts_format *f, size_t name, iothub_result code,
                                const char *problem, iothub_error *err)
{
    const mqc_span texts[] = {
        mqc_span_str(f->what), mqc_span_str(": "),    mqc_span_str(f->names[name]),
        mqc_span_str(" "),     mqc_span_str(problem),
    };
    return iothub_fail_parts(err, code, texts, sizeof texts / sizeof texts[0]);
}

iothub_result iothub_parts_missing(const iothub_parts_format *f, size_t name, iothub_error *err)
{
    return iothub_parts_fail(f, name, IOTHUB_ERR_PART_MISSING, "is missing", err);
}

/* For parts that have no name worth showing: "what: part 3 problem". */
static iothub_result fail_number(const iothub_parts_format *f, const part *p, iothub_result code,
                                 const char *problem, iothub_error *err)
{
    char digits[24];
    iothub_text number;
    iothub_text_init(&number, digits, sizeof digits);
    iothub_text_put_u64(&number, p->number);

    const mqc_span texts[] = {
        mqc_span_str(f->what), mqc_span_str(": part "), iothub_text_span(&number),
        mqc_span_str(" "),     mqc_span_str(problem),
    };
    return iothub_fail_parts(err, code, texts, sizeof texts / sizeof texts[0]);
}

static bool same_name(const iothub_parts_format *f, mqc_span name, const char *known)
{
    mqc_span k = mqc_span_str(known);

    if (!f->ignore_case || name.len != k.len) {
        return mqc_span_eq(name, k);
    }
    for (size_t i = 0; i < k.len; i++) {
        if (lower(name.ptr[i]) != lower(k.ptr[i])) {
            return false;
        }
    }
    return true;
}

/* Index of the known name, or f->count. */
static size_t find_name(const iothub_parts_format *f, mqc_span name)
{
    size_t i = 0;

    while (i < f->count && !same_name(f, name, f->names[i])) {
        i++;
    }
    return i;
}

/* A key whose name was lost ("...;AbCd==") must not be taken for a name and shown. */
static bool looks_like_a_name(const part *p)
{
    bool only_padding = true;

    for (size_t i = 0; i < p->value.len; i++) {
        only_padding = only_padding && p->value.ptr[i] == '=';
    }
    for (size_t i = 0; i < p->name.len; i++) {
        bool digit = p->name.ptr[i] >= '0' && p->name.ptr[i] <= '9';
        if (!is_letter(p->name.ptr[i]) && (!digit || only_padding)) {
            return false;
        }
    }
    return p->name.len != 0 && p->name.len <= NAME_MAX_PLAUSIBLE;
}

static const char *remedy_for(const iothub_parts_format *f, mqc_span name)
{
    const iothub_parts_hint *h = f->hints;

    while (h != NULL && h->name != NULL && !same_name(f, name, h->name)) {
        h++;
    }
    return h != NULL ? h->remedy : "";
}

static iothub_result fail_unknown(const iothub_parts_format *f, const part *p, iothub_error *err)
{
    const iothub_result code = IOTHUB_ERR_PART_UNKNOWN;

    if (p->value.ptr == NULL) {
        return fail_number(f, p, code, f->no_name, err);
    }
    if (iothub_trim(p->name).len != p->name.len) {
        return fail_number(f, p, code, "has white space around its name", err);
    }
    if (!looks_like_a_name(p)) {
        return fail_number(f, p, code, f->bad_name, err);
    }
    const mqc_span texts[] = {
        mqc_span_str(f->what),
        mqc_span_str(": unknown part "),
        p->name,
        mqc_span_str(remedy_for(f, p->name)),
    };
    return iothub_fail_parts(err, code, texts, sizeof texts / sizeof texts[0]);
}

static iothub_result store(const iothub_parts_format *f, const part *p, mqc_span *values,
                           iothub_error *err)
{
    if (p->name.len == 0 && p->value.ptr == NULL) {
        return fail_number(f, p, IOTHUB_ERR_PART_EMPTY,
                           f->separator == ';' ? "is empty; leave out one ';'" : "is empty", err);
    }
    size_t i = find_name(f, p->name);
    if (i == f->count) {
        return fail_unknown(f, p, err);
    }
    if (p->value.ptr == NULL) {
        return iothub_parts_fail(f, i, IOTHUB_ERR_PART_UNKNOWN, "is not followed by '='", err);
    }
    if (values[i].ptr != NULL) {
        return iothub_parts_fail(f, i, IOTHUB_ERR_PART_DUPLICATE, "is given twice; leave one out",
                                 err);
    }
    if (p->value.len == 0) {
        return iothub_parts_fail(
            f, i, IOTHUB_ERR_PART_EMPTY,
            f->separator == ';' ? "is empty; give it a value, or leave it out" : "is empty", err);
    }
    values[i] = p->value;
    return IOTHUB_OK;
}

/* Cut text at the first c; false when there is none. */
static bool cut(mqc_span text, char c, mqc_span *before, mqc_span *after)
{
    const uint8_t *at = text.len != 0 ? memchr(text.ptr, c, text.len) : NULL;

    if (at == NULL) {
        *before = text;
        *after = mqc_span_of(NULL, 0);
        return false;
    }
    size_t used = (size_t)(at - text.ptr);
    *before = mqc_span_of(text.ptr, used);
    *after = mqc_span_of(at + 1, text.len - used - 1);
    return true;
}

/* An absent value stays absent. */
static mqc_span trim_value(mqc_span value)
{
    return value.ptr != NULL ? iothub_trim(value) : value;
}

iothub_result iothub_parts_split(const iothub_parts_format *f, mqc_span text, mqc_span *values,
                                 iothub_error *err)
{
    bool more = true;

    memset(values, 0, f->count * sizeof values[0]);
    for (size_t number = 1; more; number++) {
        mqc_span item;
        part p = { .number = number };
        more = cut(text, f->separator, &item, &text);
        (void)cut(item, '=', &p.name, &p.value);
        if (f->trim) {
            p.name = iothub_trim(p.name);
            p.value = trim_value(p.value);
        }
        iothub_result r = store(f, &p, values, err);
        if (r != IOTHUB_OK) {
            return r;
        }
    }
    return IOTHUB_OK;
}
