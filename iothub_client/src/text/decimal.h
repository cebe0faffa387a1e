#ifndef IOTHUB_DECIMAL_H
#define IOTHUB_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "mqtt_core/span.h"

typedef enum iothub_decimal {
    IOTHUB_DECIMAL_OK = 0,
    IOTHUB_DECIMAL_NOT_A_NUMBER, /* empty, or with a character that is not a digit */
    IOTHUB_DECIMAL_TOO_LARGE     /* above 2^64 - 1 */
} iothub_decimal;

/**
 * Reads a number that consists of digits only, without sign and white space. *out is written only
 * on success.
 */
iothub_decimal iothub_decimal_parse(mqc_span digits, uint64_t *out);

#endif
