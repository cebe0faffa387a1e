#ifndef MQC_RX_H
#define MQC_RX_H

#include "input.h"

/* Receives packets: decodes them and applies them to the engine. */

static inline void mqc_input_init(mqc_input *in, uint8_t *buf, size_t cap)
{
    in->buf = buf;
    in->cap = cap;
}

/* Stops decoding, because the connection has failed. */
static inline void mqc_input_stop(mqc_input *in)
{
    in->unread = false;
}

/* Notes that the timers were restarted after a stall. */
static inline void mqc_input_restarted(mqc_input *in)
{
    in->flow = MQC_INPUT_FLOWING;
}

/* Discards what was received, since the connection has ended. */
void mqc_input_reset(mqc_input *in);

/* Decodes received bytes up to the next event. Returns false if there is none. */
bool mqc_next_input(mqc_engine *e, mqc_event *ev);

#endif
