#include "percent.h"

static bool is_unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* The value of a hex digit, 16 for anything else. */
static unsigned hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'A' && c <= 'F') {
        return (unsigned)(c - 'A') + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    return 16;
}

static void put_escaped(iothub_text *t, uint8_t c)
{
    static const char hex[] = "0123456789ABCDEF";
    const char escaped[] = { '%', hex[c >> 4], hex[c & 0x0F] };

    iothub_text_put_span(t, mqc_span_of(escaped, sizeof escaped));
}

static size_t unreserved_run(mqc_span s)
{
    size_t n = 0;

    while (n < s.len && is_unreserved(s.ptr[n])) {
        n++;
    }
    return n;
}

/* What needs no escape goes in one piece: nearly always all of it. */
void iothub_percent_put(iothub_text *t, mqc_span raw)
{
    while (raw.len > 0 && !t->overflow) {
        size_t run = unreserved_run(raw);
        iothub_text_put_span(t, mqc_span_of(raw.ptr, run));
        if (run == raw.len) {
            return;
        }
        put_escaped(t, raw.ptr[run]);
        raw = mqc_span_of(raw.ptr + run + 1, raw.len - run - 1);
    }
}

bool iothub_percent_take(mqc_span *rest, uint8_t *byte)
{
    const uint8_t *p = rest->ptr;
    size_t used = 1;

    if (p[0] == '%') {
        if (rest->len < 3 || hex_value(p[1]) > 15 || hex_value(p[2]) > 15) {
            return false;
        }
        used = 3;
        *byte = (uint8_t)(hex_value(p[1]) << 4 | hex_value(p[2]));
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
