#ifndef IOTHUB_JSON_SCAN_H
#define IOTHUB_JSON_SCAN_H

/**
 * @file The smallest parts of a JSON text (RFC 8259): characters, strings, numbers and words. Each
 * function moves the scan behind the part. At a fault it returns false, and the scan stands at the
 * byte at fault.
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

/** The scan of a text from its byte `offset` on. */
static inline iothub_json_scan iothub_json_scan_of(mqc_span text, size_t offset)
{
    const iothub_json_scan s = {
        .p = text.len != 0 ? text.ptr + offset : text.ptr,
        .end = text.len != 0 ? text.ptr + text.len : text.ptr,
    };
    return s;
}

/** Returns the next byte, or 0 at the end; a NUL is never valid JSON. */
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

/** A string with its quotes. */
bool iothub_json_scan_string(iothub_json_scan *s);

bool iothub_json_scan_number(iothub_json_scan *s);
bool iothub_json_scan_word(iothub_json_scan *s, const char *word);

/** One character of a string, not the closing quote, with its escapes decoded. */
bool iothub_json_scan_char(iothub_json_scan *s, uint32_t *code_point);

/** One character of plain UTF-8, without escapes. */
bool iothub_json_scan_utf8(iothub_json_scan *s, uint32_t *code_point);

#endif
