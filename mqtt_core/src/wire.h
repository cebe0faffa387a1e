#ifndef MQC_WIRE_H
#define MQC_WIRE_H

#include "mqtt_core/span.h"

static inline uint16_t mqc_u16_at(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

/* A cursor with bounds checks, so that encoders can follow the order of the specification. Bytes
 * that do not fit are counted but not written; then at > cap. A writer without capacity only
 * measures. */
typedef struct mqc_writer {
    uint8_t *buf;
    size_t cap;
    size_t at;
} mqc_writer;

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
