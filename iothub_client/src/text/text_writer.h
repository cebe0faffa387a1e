#ifndef IOTHUB_TEXT_WRITER_H
#define IOTHUB_TEXT_WRITER_H

/** @file The bounded text writer of this layer, and the error texts that use it. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/**
 * A text that is being written into the caller's buffer. One byte stays free for the NUL. A put
 * that does not fit writes nothing and sets `overflow`; later puts do nothing. So the caller checks
 * once, in iothub_text_finish.
 */
typedef struct iothub_text {
    char *buf;
    size_t cap;
    size_t len;
    bool overflow;
} iothub_text;

/** Begins a text. With cap 0 (buf may then be NULL) even the empty text overflows. */
void iothub_text_init(iothub_text *t, char *buf, size_t cap);

/** Begins a text that is only counted in `len`, not written. Do not finish it. */
void iothub_text_count(iothub_text *t);

void iothub_text_put(iothub_text *t, const char *z);
void iothub_text_put_span(iothub_text *t, mqc_span s);
void iothub_text_put_char(iothub_text *t, char c);
void iothub_text_put_u64(iothub_text *t, uint64_t n);

/** Writes the NUL. IOTHUB_ERR_NO_SPACE after an overflow; the text is then empty. */
iothub_result iothub_text_finish(iothub_text *t);

/** Returns the text so far, without the NUL. */
static inline mqc_span iothub_text_span(const iothub_text *t)
{
    return mqc_span_of(t->buf, t->len);
}

/* For writers of their own, which have looked whether there is room. */

/** What was written behind the text belongs to it. */
static inline void iothub_text_advance(iothub_text *t, size_t len)
{
    t->len += len;
}

/** Shortens the text. */
static inline void iothub_text_cut(iothub_text *t, size_t len)
{
    t->len = len;
}

/** Nothing more fits. */
static inline void iothub_text_set_overflow(iothub_text *t)
{
    t->overflow = true;
}

#if defined(__GNUC__)
#define IOTHUB_FORMAT(at, values_at) __attribute__((format(printf, at, values_at)))
#else
#define IOTHUB_FORMAT(at, values_at)
#endif

/**
 * Fills *err (may be NULL) and returns code, for `return iothub_fail(...)`. The format supports %s,
 * %.*s and %zu only. In the values, bytes outside printable ASCII become '?'. A text that does not
 * fit is cut and ends in "...".
 */
IOTHUB_FORMAT(3, 4)
iothub_result iothub_fail(iothub_error *err, iothub_result code, const char *format, ...);

/** The same, for a function that itself takes a format; err must not be NULL. */
IOTHUB_FORMAT(3, 0)
void iothub_error_put(iothub_error *err, iothub_result code, const char *format, va_list values);

/** Like iothub_fail, with a name from the input between two texts; long names are cut. */
iothub_result iothub_fail_name(iothub_error *err, iothub_result code, const char *before,
                               mqc_span name, const char *after);

/** The values for %.*s. */
#define IOTHUB_SPAN_VALUES(s) (int)(s).len, (const char *)(s).ptr

#endif
