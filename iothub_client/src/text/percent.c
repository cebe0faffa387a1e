#include "text/percent.h"

#include "text/split.h"

#define FIVE   1, 1, 1, 1, 1
#define A_TO_Z FIVE, FIVE, FIVE, FIVE, FIVE, 1

/* A table, because a look-up for each byte of each property is faster than comparisons. */
const bool iothub_unreserved[256] = {
    ['-'] = 1, ['.'] = 1,      ['0'] = FIVE, ['5'] = FIVE,
    ['_'] = 1, ['A'] = A_TO_Z, ['~'] = 1,    ['a'] = A_TO_Z,
};

static void put_escaped(iothub_text *t, uint8_t c)
{
    static const char hex[] = "0123456789ABCDEF";
    char *to = t->buf + t->len;

    if (t->cap - t->len <= 3) {
        iothub_text_set_overflow(t);
        return;
    }
    to[0] = '%';
    to[1] = hex[c >> 4];
    to[2] = hex[c & 0x0F];
    iothub_text_advance(t, 3);
}

/* Copies bytes that need no escape, as many as fit. Returns their number. */
static size_t put_plain(iothub_text *t, const uint8_t *run, size_t len)
{
    size_t room = t->overflow ? 0 : t->cap - 1 - t->len;
    size_t n = len < room ? len : room;

    memcpy(t->buf + t->len, run, n);
    iothub_text_advance(t, n);
    return n;
}

static size_t plain_len(mqc_span raw)
{
    size_t n = 0;

    while (n < raw.len && iothub_unreserved[raw.ptr[n]]) {
        n++;
    }
    return n;
}

static size_t escaped_len(mqc_span raw)
{
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        len += iothub_unreserved[raw.ptr[i]] ? 1 : 3;
    }
    return len;
}

void iothub_percent_put(iothub_text *t, mqc_span raw)
{
    if (t->buf == NULL) { /* the text is only counted, or has no room at all */
        iothub_text_advance(t, escaped_len(raw));
        return;
    }
    while (raw.len > 0 && !t->overflow) {
        size_t n = put_plain(t, raw.ptr, plain_len(raw));
        if (n < raw.len) {
            put_escaped(t, raw.ptr[n]); /* records the overflow if there was not enough room */
            n++;
        }
        raw = mqc_span_of(raw.ptr + n, raw.len - n);
    }
}

void iothub_percent_put_text(iothub_text *t, char separator, const char *z, size_t *len)
{
    mqc_span raw = mqc_span_str(z);

    if (separator != '\0') {
        iothub_text_put_char(t, separator);
    }
    iothub_percent_put(t, raw);
    *len += raw.len;
}

bool iothub_percent_take(mqc_span *rest, uint8_t *byte)
{
    const uint8_t *p = rest->ptr;
    size_t used = 1;

    if (p[0] == '%') {
        if (rest->len < 3 || iothub_hex_value(p[1]) > 15 || iothub_hex_value(p[2]) > 15) {
            return false;
        }
        used = 3;
        *byte = (uint8_t)(iothub_hex_value(p[1]) << 4 | iothub_hex_value(p[2]));
    } else {
        *byte = p[0];
    }
    *rest = mqc_span_of(p + used, rest->len - used);
    return true;
}

bool iothub_percent_valid(mqc_span encoded)
{
    uint8_t byte;

    while (encoded.len != 0) {
        if (!iothub_percent_take(&encoded, &byte)) {
            return false;
        }
    }
    return true;
}

bool iothub_percent_eq(mqc_span encoded, mqc_span raw)
{
    uint8_t byte;
    size_t at = 0;

    while (encoded.len != 0) {
        if (!iothub_percent_take(&encoded, &byte) || at == raw.len || raw.ptr[at] != byte) {
            return false;
        }
        at++;
    }
    return at == raw.len;
}

iothub_result iothub_percent_decode(mqc_span encoded, void *out, size_t cap, size_t *len)
{
    uint8_t *to = out;
    size_t used = 0;

    while (encoded.len != 0) {
        uint8_t byte;
        if (!iothub_percent_take(&encoded, &byte)) {
            return IOTHUB_ERR_PROTOCOL;
        }
        if (used == cap) {
            return IOTHUB_ERR_NO_SPACE;
        }
        to[used++] = byte;
    }
    *len = used;
    return IOTHUB_OK;
}
