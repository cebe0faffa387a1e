#ifndef MQC_SPAN_H
#define MQC_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Borrowed, read-only bytes.  Not NUL-terminated; may be empty. */
typedef struct mqc_span {
    const uint8_t *ptr;
    size_t len;
} mqc_span;

/** Span over a string literal, usable in static initialisers. */
#define MQC_SPAN_LIT(s)                        \
    {                                          \
        (const uint8_t *)(s), sizeof("" s) - 1 \
    }

static inline mqc_span mqc_span_of(const void *ptr, size_t len)
{
    mqc_span s = { (const uint8_t *)ptr, len };
    return s;
}

/** Span over a C string; NULL gives the empty span. */
static inline mqc_span mqc_span_str(const char *z)
{
    return mqc_span_of(z, z != NULL ? strlen(z) : 0);
}

static inline bool mqc_span_eq(mqc_span a, mqc_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

#ifdef __cplusplus
}
#endif
#endif
