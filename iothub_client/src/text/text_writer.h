#ifndef IOTHUB_TEXT_WRITER_H
#define IOTHUB_TEXT_WRITER_H

/**
 * @file
 * The bounded text writer of this layer, and the error texts that use it.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/**
 * A text that is being written into the caller's buffer. One byte stays free for the NUL. A put
 * that does not fit writes nothing and sets `overflow`; later puts do nothing. So the caller needs
 * only one check, in iothub_text_finish.
 */
typedef struct iothub_text {
    char *buf;
    size_t cap;
    size_t len;
    bool overflow;
} iothub_text;

/** Begins a text. If cap is 0 (buf may then be NULL), even the empty text overflows. */
void iothub_text_init(iothub_text *t, char *buf, size_t cap);

/**
 * Begins a text that is only counted in `len` and not written. Do not call iothub_text_finish for
 * it.
 */
void iothub_text_count(iothub_text *t);

void iothub_text_put(iothub_text *t, const char *z);
void iothub_text_put_span(iothub_text *t, mqc_span s);
void iothub_text_put_char(iothub_text *t, char c);
void iothub_text_put_u64(iothub_text *t, uint64_t n);

/** Writes the NUL. Returns IOTHUB_ERR_NO_SPACE after an overflow; the text is empty then. */
iothub_result iothub_text_finish(iothub_text *t);

/** Returns the text so far, without the NUL. */
static inline mqc_span iothub_text_span(const iothub_text *t)
{
    return mqc_span_of(t->buf, t->len);
}

/* The following functions are for code that writes into the buffer directly, after checking that
 * there is room. */

/** Makes len bytes that were written after the text a part of it. */
static inline void iothub_text_advance(iothub_text *t, size_t len)
{
    t->len += len;
}

/** Shortens the text. */
static inline void iothub_text_cut(iothub_text *t, size_t len)
{
    t->len = len;
}

/** Records an overflow, so that nothing more can be written. */
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
 * Fills *err (may be NULL) and returns code, for `return iothub_fail(...)`. The format supports
 * only %s, %.*s and %zu. Bytes of the values outside printable ASCII become '?'. A text that does
 * not fit is cut and ends in "...".
 */
IOTHUB_FORMAT(3, 4)
iothub_result iothub_fail(iothub_error *err, iothub_result code, const char *format, ...);

/** Does the same for a function that itself takes a format; err must not be NULL. */
IOTHUB_FORMAT(3, 0)
void iothub_error_put(iothub_error *err, iothub_result code, const char *format, va_list values);

/**
 * Fills *err like iothub_fail, with a name from the input between two texts; long names are cut.
 */
iothub_result iothub_fail_name(iothub_error *err, iothub_result code, const char *before,
                               mqc_span name, const char *after);

/** Does what iothub_fail does with an empty text. */
iothub_result iothub_fail_code(iothub_error *err, iothub_result code);

/** Has no definition: sizeof checks the format and the values of a text that is left out. */
IOTHUB_FORMAT(1, 2)
int iothub_no_text(const char *format, ...);

/* The CMake option IOTHUB_TEXTS=OFF defines IOTHUB_NO_TEXTS. The texts and their values are then
 * not evaluated, so that neither the literals nor what computes the values is linked. callbacks.h
 * does the same with the log. */
#ifdef IOTHUB_NO_TEXTS
#define iothub_fail(err, code, ...) \
    ((void)sizeof(iothub_no_text(__VA_ARGS__)), iothub_fail_code((err), (code)))
#define iothub_fail_name(err, code, before, name, after)                              \
    ((void)sizeof(iothub_no_text("%s%s%s", before, (const char *)(name).ptr, after)), \
     iothub_fail_code((err), (code)))
#endif

/** The two values for %.*s. */
#define IOTHUB_SPAN_VALUES(s) (int)(s).len, (const char *)(s).ptr

#endif
