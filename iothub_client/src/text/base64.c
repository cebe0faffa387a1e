#include "text/base64.h"

/* Returns the value of a base64 digit, or 64 for any other byte. */
static unsigned digit_value(uint8_t c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned i = 0;

    while (i < 64 && (uint8_t)digits[i] != c) {
        i++;
    }
    return i;
}

bool iothub_base64_valid(mqc_span text, size_t *len)
{
    static const unsigned unused_bits[] = {
        0, 0x03, 0x0F
    }; /* mask of the unused bits in the last digit, by the number of padding characters */
    size_t padding = 0;
    unsigned last = 0;

    if (text.len % 4 != 0) {
        return false;
    }
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=') {
        padding++;
    }
    for (size_t i = 0; i + padding < text.len; i++) {
        last = digit_value(text.ptr[i]);
        if (last == 64) {
            return false;
        }
    }
    *len = text.len / 4 * 3 - padding;
    return (last & unused_bits[padding]) == 0;
}
