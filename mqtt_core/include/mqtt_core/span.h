#ifndef MQC_SPAN_H
#define MQC_SPAN_H

/**
 * @file
 * Spans: borrowed bytes with a length.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Read-only bytes that belong to another object. They are not NUL-terminated, and there may be
 * none.
 */
typedef struct mqc_span {
    const uint8_t *ptr; /**< The first byte; may be NULL when the span is empty. */
    size_t len;         /**< The number of bytes. */
} mqc_span;

/** A span over a string literal, for initialisers. */
#define MQC_SPAN_LIT(s)                        \
    {                                          \
        (const uint8_t *)(s), sizeof("" s) - 1 \
    }

/**
 * Makes a span.
 *
 * @param ptr  the first byte; may be NULL when len is 0
 * @param len  the number of bytes
 * @return     the span
 */
static inline mqc_span mqc_span_of(const void *ptr, size_t len)
{
    mqc_span s = { (const uint8_t *)ptr, len };
    return s;
}

/**
 * Makes a span over a C string, without its NUL.
 *
 * @param z  the string; NULL gives an empty span
 * @return   the span
 */
static inline mqc_span mqc_span_str(const char *z)
{
    return mqc_span_of(z, z != NULL ? strlen(z) : 0);
}

/**
 * Returns whether two spans have the same bytes.
 *
 * @param a  a span
 * @param b  another span
 * @return   true when the lengths and all bytes are equal
 */
static inline bool mqc_span_eq(mqc_span a, mqc_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

#ifdef __cplusplus
}
#endif
#endif
