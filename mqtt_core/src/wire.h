#ifndef MQC_WIRE_H
#define MQC_WIRE_H

#include "mqtt_core/span.h"

/*
 * Bounds-checked cursors, so that packet functions read straight down in the
 * order of the specification and test once at the end.
 */

/* The first overrun latches `bad`; later calls do nothing. */
typedef struct mqc_reader {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
} mqc_reader;

/* What does not fit is counted but not written: at > cap tells, and a writer
 * without capacity measures. */
typedef struct mqc_writer {
    uint8_t *buf;
    size_t cap;
    size_t at;
} mqc_writer;

static inline mqc_reader mqc_r_over(mqc_span s)
{
    mqc_reader r = { s.ptr, s.ptr + s.len, false };
    return r;
}

static inline mqc_span mqc_r_take(mqc_reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return mqc_span_of(NULL, 0);
    }
    const uint8_t *at = r->p;
    r->p += n;
    return mqc_span_of(at, n);
}

static inline uint16_t mqc_r_u16(mqc_reader *r)
{
    mqc_span s = mqc_r_take(r, 2);
    return s.len == 2 ? (uint16_t)((unsigned)s.ptr[0] << 8 | s.ptr[1]) : (uint16_t)0;
}

static inline mqc_span mqc_r_string(mqc_reader *r)
{
    return mqc_r_take(r, mqc_r_u16(r));
}

static inline mqc_span mqc_r_rest(mqc_reader *r)
{
    return mqc_r_take(r, (size_t)(r->end - r->p));
}

static inline void mqc_w_bytes(mqc_writer *w, const void *src, size_t n)
{
    if (n != 0 && w->at <= w->cap && n <= w->cap - w->at) {
        memcpy(w->buf + w->at, src, n);
    }
    w->at += n;
}

static inline void mqc_w_u8(mqc_writer *w, unsigned v)
{
    if (w->at < w->cap) {
        w->buf[w->at] = (uint8_t)v;
    }
    w->at++;
}

static inline void mqc_w_u16(mqc_writer *w, size_t v)
{
    mqc_w_u8(w, (unsigned)(v >> 8) & 0xFFu);
    mqc_w_u8(w, (unsigned)v & 0xFFu);
}

#endif
