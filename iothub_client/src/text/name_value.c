#include "text/name_value.h"

#include "text/split.h"
#include "text/text_writer.h"

enum { NAME_MAX_PLAUSIBLE = 32 };

typedef struct part {
    mqc_span name;
    mqc_span value; /* ptr is NULL if there is no '=' */
    size_t number;  /* number of the part, from 1 */
} part;

iothub_result iothub_name_value_fail(const iothub_name_value_format *f, size_t name,
                                     iothub_result code, const char *problem, iothub_error *err)
{
    return iothub_fail(err, code, "%s: %s %s", f->what, f->names[name], problem);
}

/* Writes "what: part 3 problem", for parts whose name cannot be shown. */
static iothub_result fail_number(const iothub_name_value_format *f, const part *p,
                                 iothub_result code, const char *problem, iothub_error *err)
{
    return iothub_fail(err, code, "%s: part %zu %s", f->what, p->number, problem);
}

static bool same_name(const iothub_name_value_format *f, mqc_span name, const char *known)
{
    return f->lenient ? iothub_same_word(name, mqc_span_str(known))
                      : mqc_span_eq(name, mqc_span_str(known));
}

/* Returns the index of a known name, or f->count if it is unknown. */
static size_t find_name(const iothub_name_value_format *f, mqc_span name)
{
    size_t i = 0;

    while (i < f->count && !same_name(f, name, f->names[i])) {
        i++;
    }
    return i;
}

/* Returns whether this is a name that may be shown. A key without its name ("...;AbCd==") must
 * not be mistaken for a name. */
static bool looks_like_a_name(const part *p)
{
    bool only_padding = true;

    for (size_t i = 0; i < p->value.len; i++) {
        only_padding = only_padding && p->value.ptr[i] == '=';
    }
    for (size_t i = 0; i < p->name.len; i++) {
        uint8_t c = p->name.ptr[i];
        if (!iothub_is_letter(c) && (!iothub_is_digit(c) || only_padding)) {
            return false;
        }
    }
    return p->name.len != 0 && p->name.len <= NAME_MAX_PLAUSIBLE;
}

static bool is_among(mqc_span name, const char *names)
{
    mqc_span rest = mqc_span_str(names);
    mqc_span one;

    while (iothub_cut(rest, ' ', &one, &rest)) {
        if (iothub_same_word(name, one)) {
            return true;
        }
    }
    return iothub_same_word(name, one);
}

static const char *remedy_for(const iothub_name_value_hint *h, mqc_span name)
{
    while (h->names != NULL && !is_among(name, h->names)) {
        h++;
    }
    return h->remedy;
}

static iothub_result fail_unknown(const iothub_name_value_format *f, const part *p,
                                  iothub_error *err)
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
    return iothub_fail(err, code, "%s: unknown part %.*s%s", f->what, IOTHUB_SPAN_VALUES(p->name),
                       remedy_for(f->hints, p->name));
}

static iothub_result store(const iothub_name_value_format *f, const part *p, mqc_span *values,
                           iothub_error *err)
{
    if (p->name.len == 0 && p->value.ptr == NULL) {
        return iothub_fail(err, IOTHUB_ERR_PART_EMPTY,
                           "%s: part %zu is empty; leave out one '%.*s'", f->what, p->number, 1,
                           &f->separator);
    }
    size_t i = find_name(f, p->name);
    if (i == f->count) {
        return fail_unknown(f, p, err);
    }
    if (p->value.ptr == NULL) {
        return iothub_name_value_fail(f, i, IOTHUB_ERR_PART_UNKNOWN, "is not followed by '='", err);
    }
    if (values[i].ptr != NULL) {
        return iothub_name_value_fail(f, i, IOTHUB_ERR_PART_DUPLICATE,
                                      "is given twice; leave one out", err);
    }
    if (p->value.len == 0) {
        return iothub_name_value_fail(f, i, IOTHUB_ERR_PART_EMPTY,
                                      "is empty; give it a value, or leave it out", err);
    }
    values[i] = p->value;
    return IOTHUB_OK;
}

iothub_result iothub_name_value_split(const iothub_name_value_format *f, mqc_span text,
                                      mqc_span *values, iothub_error *err)
{
    iothub_result r = IOTHUB_OK;
    bool more = true;

    memset(values, 0, f->count * sizeof values[0]);
    for (size_t number = 1; more && r == IOTHUB_OK; number++) {
        part p = { .number = number };
        mqc_span item;
        more = iothub_cut(text, f->separator, &item, &text);
        (void)iothub_cut(item, '=', &p.name, &p.value);
        if (f->lenient) {
            p.name = iothub_trim(p.name);
            p.value = iothub_trim(p.value);
        }
        r = store(f, &p, values, err);
    }
    return r;
}
