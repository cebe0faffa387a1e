#ifndef MQC_CONTROL_H
#define MQC_CONTROL_H

#include "mqtt_core/engine_struct.h"
#include "wire.h"

/* A short queue of encoded control packets, kept in one piece. */

static inline size_t mqc_control_pending(const mqc_control *c)
{
    return c->end - c->start;
}

void mqc_control_init(mqc_control *c, uint8_t *buf, size_t cap);

/* Returns a writer for n bytes at the end of the queue; its cap is 0 when there is no room now. */
mqc_writer mqc_control_reserve(mqc_control *c, size_t n);

/* Forget everything: the connection has ended. */
void mqc_control_clear(mqc_control *c);

void mqc_control_consume(mqc_control *c, size_t n);

#endif
