#include "text/decimal.h"

#include <stddef.h>

iothub_decimal iothub_decimal_parse(mqc_span digits, uint64_t *out)
{
    uint64_t n = 0;
    bool too_large = false;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
            return IOTHUB_DECIMAL_NOT_A_NUMBER;
        }
        uint64_t digit = (uint64_t)(digits.ptr[i] - '0');
        too_large = too_large || n > (UINT64_MAX - digit) / 10;
        n = n * 10 + digit;
    }
    if (digits.len == 0) {
        return IOTHUB_DECIMAL_NOT_A_NUMBER;
    }
    if (too_large) {
        return IOTHUB_DECIMAL_TOO_LARGE;
    }
    *out = n;
    return IOTHUB_DECIMAL_OK;
}
