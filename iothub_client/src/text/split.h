#ifndef IOTHUB_SPLIT_H
#define IOTHUB_SPLIT_H

/**
 * @file
 * Cutting and comparing pieces of a text; nothing is copied.
 */

#include <stdbool.h>

#include "mqtt_core/span.h"

static inline bool iothub_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool iothub_is_letter(uint8_t c)
{
    uint8_t folded = c | 0x20;

    return folded >= 'a' && folded <= 'z';
}

/** The value of a hex digit in either case, 16 for anything else. */
unsigned iothub_hex_value(uint8_t c);

/** text without white space at both ends. */
mqc_span iothub_trim(mqc_span text);

/**
 * Cut text at the first c.  False when there is none: *before is all of text then, and *after is
 * empty with ptr NULL.
 */
bool iothub_cut(mqc_span text, char c, mqc_span *before, mqc_span *after);

/** True when both are equal, letters of either case counting as the same. */
bool iothub_same_word(mqc_span a, mqc_span b);

#endif
