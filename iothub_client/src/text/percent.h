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
#include "text/text_writer.h"

/** Of the byte that is the index: it needs no escape. */
extern const bool iothub_unreserved[256];

/** Overflow latches in *t as with every put. */
void iothub_percent_put(iothub_text *t, mqc_span raw);
/** z behind a separator that is put as it is, NUL: none.  *len grows by the length of z. */
void iothub_percent_put_text(iothub_text *t, char separator, const char *z, size_t *len);

/** How many bytes at the front of z need no escape: nearly always all of them. */
static inline size_t iothub_percent_run(const char *z)
{
    const uint8_t *front = (const uint8_t *)z;
    const uint8_t *p = front;

    while (iothub_unreserved[p[0]] && iothub_unreserved[p[1]]) { /* NUL is not */
        p += 2;
    }
    p += iothub_unreserved[p[0]];
    return (size_t)(p - front);
}

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
