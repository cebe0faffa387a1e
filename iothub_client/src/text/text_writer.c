#include "text/text_writer.h"

/* A name from the input must leave room for the text that explains it. */
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

void iothub_text_put_u64(iothub_text *t, uint64_t n)
{
    char digits[20]; /* 2^64 - 1 has twenty */
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

static void put_printable(iothub_text *t, mqc_span s)
{
    for (size_t i = 0; i < s.len && !t->overflow; i++) {
        bool printable = s.ptr[i] >= 0x20 && s.ptr[i] < 0x7F;
        iothub_text_put_char(t, printable ? (char)s.ptr[i] : '?');
    }
}

iothub_result iothub_fail_parts(iothub_error *err, iothub_result code, const mqc_span *parts,
                                size_t count)
{
    if (err == NULL) {
        return code;
    }

    iothub_text t;
    iothub_text_init(&t, err->text, sizeof err->text);
    for (size_t i = 0; i < count; i++) {
        put_printable(&t, parts[i]);
    }
    if (t.overflow) {
        memcpy(err->text + sizeof err->text - 4, "...", 3);
    }
    err->text[t.len] = '\0';
    err->code = code;
    return code;
}

iothub_result iothub_fail(iothub_error *err, iothub_result code, const char *text)
{
    const mqc_span part = mqc_span_str(text);
    return iothub_fail_parts(err, code, &part, 1);
}

iothub_result iothub_fail_number(iothub_error *err, iothub_result code, const char *before,
                                 uint64_t n, const char *after)
{
    char digits[24];
    iothub_text number;

    iothub_text_init(&number, digits, sizeof digits);
    iothub_text_put_u64(&number, n);
    const mqc_span parts[] = { mqc_span_str(before), iothub_text_span(&number),
                               mqc_span_str(after) };
    return iothub_fail_parts(err, code, parts, 3);
}

iothub_result iothub_fail_name(iothub_error *err, iothub_result code, const char *before,
                               mqc_span name, const char *after)
{
    bool cut = name.len > NAME_MAX_SHOWN;
    const mqc_span parts[] = {
        mqc_span_str(before),
        mqc_span_of(name.ptr, cut ? NAME_MAX_SHOWN : name.len),
        mqc_span_str(cut ? "..." : ""),
        mqc_span_str(after),
    };
    return iothub_fail_parts(err, code, parts, sizeof parts / sizeof parts[0]);
}
