#ifndef IOTHUB_PERCENT_H
#define IOTHUB_PERCENT_H

/**
 * @file
 * Percent-encoding as the hub wants it: RFC 3986 unreserved characters stay,
 * every other byte becomes %XX in upper case.  '+' never means a space.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "text.h"

/** Overflow latches in *t as with every put. */
void iothub_percent_put(iothub_text *t, mqc_span raw);

/**
 * Put the front of z, up to the first byte that needs an escape or finds no room: nearly always
 * all of it.  How many bytes; the rest, if any, is left to iothub_percent_put.
 */
size_t iothub_percent_copy(iothub_text *t, const char *z);

/**
 * Take one decoded byte from the front of *rest, which must not be empty.
 * False for '%' without two hex digits; *rest is unchanged then.
 */
bool iothub_percent_take(mqc_span *rest, uint8_t *byte);

/** True when every '%' is followed by two hex digits. */
bool iothub_percent_valid(mqc_span encoded);

/** True when encoded is valid and stands for exactly the bytes of raw. */
bool iothub_percent_eq(mqc_span encoded, mqc_span raw);

/**
 * Decode into out[0..cap), not terminated; out may be encoded.ptr itself.
 * IOTHUB_ERR_PROTOCOL for a broken sequence, IOTHUB_ERR_NO_SPACE; *len is set
 * on success only.
 */
iothub_result iothub_percent_decode(mqc_span encoded, void *out, size_t cap, size_t *len);

#endif
