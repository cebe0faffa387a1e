#ifndef IOTHUB_TEXT_WRITER_H
#define IOTHUB_TEXT_WRITER_H

/**
 * @file
 * The one bounded text writer of this layer, and error texts on top of it.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/**
 * Text under construction in the caller's buffer.  One byte stays free for the
 * NUL.  A put that does not fit writes nothing and latches `overflow`; later
 * puts do nothing, so that the caller tests once, in iothub_text_finish.
 */
typedef struct iothub_text {
    char *buf;
    size_t cap;
    size_t len;
    bool overflow;
} iothub_text;

/** With cap 0 (buf may be NULL then) even the empty text overflows. */
void iothub_text_init(iothub_text *t, char *buf, size_t cap);

/** Write nothing, count in `len` what would have been written; not to be finished. */
void iothub_text_count(iothub_text *t);

void iothub_text_put(iothub_text *t, const char *z);
void iothub_text_put_span(iothub_text *t, mqc_span s);
void iothub_text_put_char(iothub_text *t, char c);
void iothub_text_put_u64(iothub_text *t, uint64_t n);

/** Terminate with NUL.  IOTHUB_ERR_NO_SPACE after an overflow; the text is "" then. */
iothub_result iothub_text_finish(iothub_text *t);

/** What stands in the buffer so far, without the NUL. */
static inline mqc_span iothub_text_span(const iothub_text *t)
{
    return mqc_span_of(t->buf, t->len);
}

#if defined(__GNUC__)
#define IOTHUB_FORMAT(at, values_at) __attribute__((format(printf, at, values_at)))
#else
#define IOTHUB_FORMAT(at, values_at)
#endif

/**
 * Fill *err (NULL is fine) and return code, for `return iothub_fail(...)`.  The format is a small
 * part of printf's: %s, %.*s and %zu.  In the values, bytes outside printable ASCII become '?'.  A
 * text that does not fit is cut and ends in "...".
 */
IOTHUB_FORMAT(3, 4)
iothub_result iothub_fail(iothub_error *err, iothub_result code, const char *format, ...);

/** The same for a function with such a format of its own; err is not NULL. */
IOTHUB_FORMAT(3, 0)
void iothub_error_put(iothub_error *err, iothub_result code, const char *format, va_list values);

/** iothub_fail with a name from the input between two texts; long names are cut. */
iothub_result iothub_fail_name(iothub_error *err, iothub_result code, const char *before,
                               mqc_span name, const char *after);

/** The values for %.*s. */
#define IOTHUB_SPAN_VALUES(s) (int)(s).len, (const char *)(s).ptr

#endif
