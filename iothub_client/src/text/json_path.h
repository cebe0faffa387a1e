#ifndef IOTHUB_JSON_PATH_H
#define IOTHUB_JSON_PATH_H

/**
 * @file Finds values in a JSON text (RFC 8259) in place: no heap, no tree, no recursion. The reader
 * is strict: UTF-8 must be valid, \u surrogates must be paired, and nesting deeper than
 * IOTHUB_JSON_DEPTH is refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/** Largest depth of nested arrays and objects; a twin may have ten levels. */
#define IOTHUB_JSON_DEPTH 32

typedef enum iothub_json_kind {
    IOTHUB_JSON_NONE = 0, /* not the first character of a JSON value */
    IOTHUB_JSON_OBJECT,
    IOTHUB_JSON_ARRAY,
    IOTHUB_JSON_STRING,
    IOTHUB_JSON_NUMBER,
    IOTHUB_JSON_TRUE,
    IOTHUB_JSON_FALSE,
    IOTHUB_JSON_NULL
} iothub_json_kind;

/**
 * IOTHUB_OK if text is exactly one JSON value, with optional white space around it, otherwise
 * IOTHUB_ERR_JSON. *good (may be NULL) is the number of bytes before the fault; without a fault, of
 * all bytes.
 */
iothub_result iothub_json_check(mqc_span text, size_t *good);

/** Returns the kind of value that text begins with, judged by its first character only. */
iothub_json_kind iothub_json_kind_of(mqc_span text);

/**
 * Finds the value of keys[0], keys[1], ... in nested objects; count 0 finds the whole value. *value
 * is the raw text without white space around it. If a key is repeated, the first one counts. False:
 * there is none. The function is safe for invalid JSON, but does not check it; see
 * iothub_json_check.
 */
bool iothub_json_find(mqc_span text, const char *const *keys, size_t count, mqc_span *value);

/** Reads an integer of 0 to 2^64 - 1 that consists of digits only. */
bool iothub_json_u64(mqc_span value, uint64_t *out);

#endif
