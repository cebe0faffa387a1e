#include "text/split.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

unsigned iothub_hex_value(uint8_t c)
{
    if (iothub_is_digit(c)) {
        return (unsigned)(c - '0');
    }
    return iothub_is_letter(c) && lower(c) <= 'f' ? (unsigned)(lower(c) - 'a') + 10 : 16;
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

bool iothub_cut(mqc_span text, char c, mqc_span *before, mqc_span *after)
{
    const uint8_t *at = text.len != 0 ? memchr(text.ptr, c, text.len) : NULL;

    *before = text;
    *after = mqc_span_of(NULL, 0);
    if (at == NULL) {
        return false;
    }
    before->len = (size_t)(at - text.ptr);
    *after = mqc_span_of(at + 1, text.len - before->len - 1);
    return true;
}

bool iothub_same_word(mqc_span a, mqc_span b)
{
    size_t i = 0;

    while (i < a.len && i < b.len && lower(a.ptr[i]) == lower(b.ptr[i])) {
        i++;
    }
    return i == a.len && i == b.len;
}
