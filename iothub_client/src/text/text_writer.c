#include "text/text_writer.h"

/* If a name from the input is longer, it is cut, to leave room for the explanation. */
enum { NAME_MAX_SHOWN = 48 };

void iothub_text_init(iothub_text *t, char *buf, size_t cap)
{
    t->buf = buf;
    t->cap = cap;
    t->len = 0;
    t->overflow = cap == 0;
}

void iothub_text_count(iothub_text *t)
{
    iothub_text_init(t, NULL, SIZE_MAX);
}

void iothub_text_put_span(iothub_text *t, mqc_span s)
{
    if (t->overflow || s.len > t->cap - 1 - t->len) {
        t->overflow = true;
        return;
    }
    if (s.len != 0 && t->buf != NULL) {
        memcpy(t->buf + t->len, s.ptr, s.len);
    }
    t->len += s.len;
}

void iothub_text_put(iothub_text *t, const char *z)
{
    iothub_text_put_span(t, mqc_span_str(z));
}

void iothub_text_put_char(iothub_text *t, char c)
{
    if (t->overflow || t->len + 1 >= t->cap) {
        t->overflow = true;
        return;
    }
    if (t->buf != NULL) {
        t->buf[t->len] = c;
    }
    t->len++;
}

void iothub_text_put_u64(iothub_text *t, uint64_t n)
{
    char digits[20]; /* 2^64 - 1 has twenty digits */
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    iothub_text_put_span(t, mqc_span_of(digits + at, sizeof digits - at));
}

iothub_result iothub_text_finish(iothub_text *t)
{
    if (t->overflow) {
        if (t->cap != 0) {
            t->buf[0] = '\0';
        }
        return IOTHUB_ERR_NO_SPACE;
    }
    t->buf[t->len] = '\0';
    return IOTHUB_OK;
}

/* Keeps an error text one printable line, whatever bytes the input contains. */
static void put_printable(iothub_text *t, mqc_span s)
{
    for (size_t i = 0; i < s.len && !t->overflow; i++) {
        bool printable = s.ptr[i] >= 0x20 && s.ptr[i] < 0x7F;
        iothub_text_put_char(t, printable ? (char)s.ptr[i] : '?');
    }
}

static void put_format(iothub_text *t, const char *format, va_list values)
{
    size_t len = 0;

    for (; *format != '\0'; format++) {
        if (*format != '%') {
            iothub_text_put_char(t, *format);
            continue;
        }
        switch (*++format) {
        case 's': put_printable(t, mqc_span_str(va_arg(values, const char *))); break;
        case '.': /* %.*s */
            len = (size_t)va_arg(values, int);
            put_printable(t, mqc_span_of(va_arg(values, const char *), len));
            format += 2;
            break;
        default: /* %zu */
            iothub_text_put_u64(t, va_arg(values, size_t));
            format++;
            break;
        }
    }
}

void iothub_error_put(iothub_error *err, iothub_result code, const char *format, va_list values)
{
    iothub_text t;

    iothub_text_init(&t, err->text, sizeof err->text);
    put_format(&t, format, values);
    if (t.overflow) {
        const size_t last = sizeof err->text - sizeof "...";
        t.len = t.len < last ? t.len : last;
        t.overflow = false;
        iothub_text_put(&t, "...");
    }
    (void)iothub_text_finish(&t);
    err->code = code;
}

iothub_result iothub_fail_code(iothub_error *err, iothub_result code)
{
    if (err != NULL) {
        err->code = code;
        err->text[0] = '\0';
    }
    return code;
}

/* The functions exist without texts, too, but nothing calls them, so that they are not linked. */
#undef iothub_fail
#undef iothub_fail_name

iothub_result iothub_fail(iothub_error *err, iothub_result code, const char *format, ...)
{
    if (err != NULL) {
        va_list values;

        va_start(values, format);
        iothub_error_put(err, code, format, values);
        va_end(values);
    }
    return code;
}

iothub_result iothub_fail_name(iothub_error *err, iothub_result code, const char *before,
                               mqc_span name, const char *after)
{
    bool cut = name.len > NAME_MAX_SHOWN;

    return iothub_fail(err, code, "%s%.*s%s%s", before, cut ? NAME_MAX_SHOWN : (int)name.len,
                       (const char *)name.ptr, cut ? "..." : "", after);
}
