#ifndef IOTHUB_JSON_PATH_H
#define IOTHUB_JSON_PATH_H

/**
 * @file
 * Finds one value in a JSON text, with the reader of iothub/json.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/json.h"

/**
 * Returns IOTHUB_OK if text is exactly one JSON value, with optional white space around it,
 * otherwise IOTHUB_ERR_JSON. *good (may be NULL) is set to the number of bytes before the fault;
 * without a fault, to the number of all bytes.
 */
iothub_result iothub_json_check(mqc_span text, size_t *good);

/**
 * Finds the value of keys[0], keys[1], ... in nested objects; with count 0 it finds the whole
 * value. *value is set to the raw text without white space around it. If a key is repeated, the
 * first one counts. Returns false if there is none. The function is safe for invalid JSON, but does
 * not check it; see iothub_json_check.
 */
bool iothub_json_find(mqc_span text, const char *const *keys, size_t count, mqc_span *value);

/** Reads an integer of 0 to 2^64 - 1 that consists of digits only. */
bool iothub_json_u64(mqc_span value, uint64_t *out);

#endif
