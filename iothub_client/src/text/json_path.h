#ifndef IOTHUB_JSON_PATH_H
#define IOTHUB_JSON_PATH_H

/**
 * @file
 * Look-ups in a JSON text (RFC 8259), in place: no heap, no tree, no tokens, no
 * recursion.  Strict: UTF-8 must be well formed, \u surrogates must be paired,
 * and nesting deeper than IOTHUB_JSON_DEPTH is refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/** Arrays and objects inside each other; a twin may have ten. */
#define IOTHUB_JSON_DEPTH 32

typedef enum iothub_json_kind {
    IOTHUB_JSON_NONE = 0, /* not the beginning of any JSON value */
    IOTHUB_JSON_OBJECT,
    IOTHUB_JSON_ARRAY,
    IOTHUB_JSON_STRING,
    IOTHUB_JSON_NUMBER,
    IOTHUB_JSON_TRUE,
    IOTHUB_JSON_FALSE,
    IOTHUB_JSON_NULL
} iothub_json_kind;

/**
 * IOTHUB_OK when text is exactly one JSON value with white space around it, else IOTHUB_ERR_JSON.
 * *good (may be NULL) is the number of bytes before the fault, or all of them.
 */
iothub_result iothub_json_check(mqc_span text, size_t *good);

/** What kind of value text begins with, by its first character alone. */
iothub_json_kind iothub_json_kind_of(mqc_span text);

/**
 * Find the value under keys[0], keys[1], ... of nested objects; count 0 finds the
 * whole value.  *value is the raw text of the value without white space around
 * it.  Of equal keys the first counts.  False when there is none, and safe, but
 * not a check, on a text that iothub_json_check refuses.
 */
bool iothub_json_find(mqc_span text, const char *const *keys, size_t count, mqc_span *value);

/** A number that is a whole one of 0 .. 2^64 - 1, written in digits alone. */
bool iothub_json_u64(mqc_span value, uint64_t *out);

#endif
