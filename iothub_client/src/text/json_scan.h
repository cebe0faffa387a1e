#ifndef IOTHUB_JSON_SCAN_H
#define IOTHUB_JSON_SCAN_H

/**
 * @file
 * The smallest parts of a JSON text (RFC 8259): characters, strings, numbers and words. Each
 * function moves the scan to the end of the part. At a fault it returns false, and the scan is at
 * the byte at fault.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt_core/span.h"

/** A position in a text, and the end of the text. */
typedef struct iothub_json_scan {
    const uint8_t *p;
    const uint8_t *end;
} iothub_json_scan;

/** Returns a scan of a text, which begins at its byte `offset`. */
static inline iothub_json_scan iothub_json_scan_of(mqc_span text, size_t offset)
{
    const iothub_json_scan s = {
        .p = text.len != 0 ? text.ptr + offset : text.ptr,
        .end = text.len != 0 ? text.ptr + text.len : text.ptr,
    };
    return s;
}

/** Returns the next byte, or 0 at the end. (A NUL is never valid JSON.) */
static inline uint8_t iothub_json_scan_peek(const iothub_json_scan *s)
{
    return s->p < s->end ? *s->p : (uint8_t)0;
}

/** Skips one character if it is c. */
static inline bool iothub_json_scan_take(iothub_json_scan *s, char c)
{
    if (s->p == s->end || *s->p != (uint8_t)c) {
        return false;
    }
    s->p++;
    return true;
}

static inline void iothub_json_scan_space(iothub_json_scan *s)
{
    while (s->p < s->end && *s->p <= ' ' &&
           (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
        s->p++;
    }
}

/** Reads a string with its quotes. */
bool iothub_json_scan_string(iothub_json_scan *s);

bool iothub_json_scan_number(iothub_json_scan *s);
bool iothub_json_scan_word(iothub_json_scan *s, const char *word);

/** Reads one character of a string, but not the closing quote. Escapes are decoded. */
bool iothub_json_scan_char(iothub_json_scan *s, uint32_t *code_point);

/** Reads one character of UTF-8, without escapes. */
bool iothub_json_scan_utf8(iothub_json_scan *s, uint32_t *code_point);

#endif
