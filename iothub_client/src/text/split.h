#ifndef IOTHUB_SPLIT_H
#define IOTHUB_SPLIT_H

/**
 * @file
 * Cuts and compares parts of a text without copying them.
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

/** Returns the value of a hex digit in upper or lower case, or 16 for any other byte. */
unsigned iothub_hex_value(uint8_t c);

/** Returns the text without white space at both ends. */
mqc_span iothub_trim(mqc_span text);

/**
 * Cuts text at the first c. Returns false if there is none; *before is then the whole text, and
 * *after is empty with ptr NULL.
 */
bool iothub_cut(mqc_span text, char c, mqc_span *before, mqc_span *after);

/** Returns true if both are equal without regard to case. */
bool iothub_same_word(mqc_span a, mqc_span b);

#endif
