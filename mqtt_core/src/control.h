#ifndef MQC_CONTROL_H
#define MQC_CONTROL_H

#include "mqtt_core/engine_struct.h"

/* A short queue of encoded control packets in one contiguous buffer. */

static inline size_t mqc_control_pending(const mqc_control *c)
{
    return c->end - c->start;
}

/* Returns whether the members agree with each other. */
bool mqc_control_valid(const mqc_control *c);

static inline void mqc_control_init(mqc_control *c, uint8_t *buf, size_t cap)
{
    c->buf = buf;
    c->cap = cap;
}

/* Returns where to write the next n bytes of the queue, or NULL if there is no room now. */
uint8_t *mqc_control_reserve(mqc_control *c, size_t n);

/* Empties the queue, because the connection has ended. */
void mqc_control_clear(mqc_control *c);

void mqc_control_consume(mqc_control *c, size_t n);

#endif
