#ifndef MQC_CONTROL_H
#define MQC_CONTROL_H

#include "mqtt_core/engine_struct.h"
#include "wire.h"

/* A short queue of encoded control packets, kept in one piece. */

static inline size_t mqc_control_pending(const mqc_control *c)
{
    return c->end - c->start;
}

/* Room for n bytes behind what is there; cap is 0 when there is none now. */
mqc_writer mqc_control_reserve(mqc_control *c, size_t n);

void mqc_control_consume(mqc_control *c, size_t n);

#endif
