#ifndef MQC_INPUT_H
#define MQC_INPUT_H

#include "mqtt_core/engine_struct.h"

/* The received bytes that have not been decoded, and the state of reading. Only rx.c writes
 * mqc_input. */

/* What the reader expects at the front of the received bytes. */
typedef enum mqc_input_phase {
    MQC_INPUT_PACKET = 0, /* a fixed header */
    MQC_INPUT_OVERSIZE_ID /* the packet id of an oversize PUBLISH whose topic was skipped */
} mqc_input_phase;

/* Whether the engine accepts what the server sends.  While it does not, its silence does not
 * mean that it is lost. */
typedef enum mqc_input_flow {
    MQC_INPUT_FLOWING = 0,
    MQC_INPUT_STALLED, /* a message waits for a free slot in the inbox */
    MQC_INPUT_RESUMED  /* the engine reads again, and the next mqc_tick restarts the timers */
} mqc_input_flow;

/* Returns whether a message waits for a slot in the inbox, or was skipped because there was
 * none. */
static inline bool mqc_reading_stalled(const mqc_input *in)
{
    return in->flow == MQC_INPUT_STALLED || in->message_skipped;
}

#endif
