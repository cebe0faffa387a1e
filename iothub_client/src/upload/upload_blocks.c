#include "upload/upload_blocks.h"

#include <string.h>

/* The longest range, with its separator: ",49998-49999". */
enum { RANGE_ROOM = 13 };

void upload_blocks_clear(upload_blocks *b)
{
    memset(b, 0, sizeof *b);
}

bool upload_blocks_have(const upload_blocks *b, uint32_t number)
{
    return (b->bits[number / 8] >> (number % 8) & 1) != 0;
}

void upload_blocks_add(upload_blocks *b, uint32_t number)
{
    if (!upload_blocks_have(b, number)) {
        b->bits[number / 8] |= (uint8_t)(1u << (number % 8));
        b->arrived++;
    }
}

/* Returns the end of the range that begins at a block which has arrived. */
static uint32_t end_of_range(const upload_blocks *b, uint32_t number)
{
    while (number + 1 < IOTHUB_UPLOAD_BLOCKS_MAX && upload_blocks_have(b, number + 1)) {
        number++;
    }
    return number;
}

void upload_blocks_put(const upload_blocks *b, iothub_text *t)
{
    const char *separator = "";

    for (uint32_t i = 0; i < IOTHUB_UPLOAD_BLOCKS_MAX; i++) {
        if (!upload_blocks_have(b, i)) {
            continue;
        }
        if (t->cap - t->len <= RANGE_ROOM) {
            return;
        }
        const uint32_t end = end_of_range(b, i);
        iothub_text_put(t, separator);
        iothub_text_put_u64(t, i);
        if (end > i) {
            iothub_text_put_char(t, '-');
            iothub_text_put_u64(t, end);
        }
        separator = ",";
        i = end;
    }
}

/* Removes a number from the front of a text. Returns false if there is none, or it is too large. */
static bool take_number(mqc_span *text, uint32_t *out)
{
    size_t digits = 0;

    *out = 0;
    while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9') {
        *out = *out * 10 + (uint32_t)(text->ptr[digits] - '0');
        if (*out >= IOTHUB_UPLOAD_BLOCKS_MAX) {
            return false;
        }
        digits++;
    }
    *text = mqc_span_of(text->ptr + digits, text->len - digits);
    return digits > 0;
}

static bool take_char(mqc_span *text, char c)
{
    if (text->len == 0 || text->ptr[0] != (uint8_t)c) {
        return false;
    }
    *text = mqc_span_of(text->ptr + 1, text->len - 1);
    return true;
}

static bool take_range(upload_blocks *b, mqc_span *text)
{
    uint32_t from;
    uint32_t to;

    if (!take_number(text, &from)) {
        return false;
    }
    to = from;
    if (take_char(text, '-') && (!take_number(text, &to) || to < from)) {
        return false;
    }
    for (uint32_t i = from; i <= to; i++) {
        upload_blocks_add(b, i);
    }
    return true;
}

bool upload_blocks_parse(upload_blocks *b, mqc_span text)
{
    upload_blocks_clear(b);
    if (text.len == 0) {
        return true;
    }
    do {
        if (!take_range(b, &text)) {
            upload_blocks_clear(b);
            return false;
        }
    } while (take_char(&text, ','));
    if (text.len > 0) {
        upload_blocks_clear(b);
        return false;
    }
    return true;
}
