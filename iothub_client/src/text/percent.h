#ifndef IOTHUB_PERCENT_H
#define IOTHUB_PERCENT_H

/**
 * @file
 * Percent-encoding as the hub requires it: unreserved characters of RFC 3986 are copied, and every
 * other byte becomes %XX in upper case. '+' never stands for a space.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "text/text_writer.h"

/** The value is true for each byte that needs no percent-encoding. */
extern const bool iothub_unreserved[256];

/**
 * Appends the encoded bytes. An overflow is recorded in t, as in all functions of the text writer.
 */
void iothub_percent_put(iothub_text *t, mqc_span raw);
/** Appends z after a separator (NUL: none), which is not encoded. Adds the length of z to *len. */
void iothub_percent_put_text(iothub_text *t, char separator, const char *z, size_t *len);

/** Returns how many bytes at the start of z need no escape; usually all of them. */
static inline size_t iothub_percent_run(const char *z)
{
    const uint8_t *front = (const uint8_t *)z;
    const uint8_t *p = front;

    /* The loop ends at the NUL, which is not unreserved. */
    while (iothub_unreserved[p[0]] && iothub_unreserved[p[1]]) {
        p += 2;
    }
    p += iothub_unreserved[p[0]];
    return (size_t)(p - front);
}

/**
 * Removes one decoded byte from the start of *rest, which must not be empty. Returns false for '%'
 * without two hex digits; *rest is unchanged then.
 */
bool iothub_percent_take(mqc_span *rest, uint8_t *byte);

/** Returns true if every '%' is followed by two hex digits. */
bool iothub_percent_valid(mqc_span encoded);

/** Returns true if encoded is valid and decodes to exactly the bytes of raw. */
bool iothub_percent_eq(mqc_span encoded, mqc_span raw);

/**
 * Decodes into out[0..cap), without a NUL; out may be encoded.ptr. Returns IOTHUB_ERR_PROTOCOL for
 * a broken sequence, and IOTHUB_ERR_NO_SPACE if cap is too small. *len is set only on success.
 */
iothub_result iothub_percent_decode(mqc_span encoded, void *out, size_t cap, size_t *len);

#endif
