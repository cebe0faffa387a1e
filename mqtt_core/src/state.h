#ifndef MQC_STATE_H
#define MQC_STATE_H

#include "packet.h"

/* The state of the connection and its latched error. Only state.c writes them. */

/* Enters a state other than MQC_FAILED. */
static inline void mqc_state_enter(mqc_engine *e, mqc_state state)
{
    e->connection.state = (uint8_t)state;
}

/* Notes that DISCONNECT was encoded, so nothing may follow it. */
static inline void mqc_state_closing(mqc_engine *e)
{
    e->connection.closing = true;
}

/* Enters MQC_IDLE and clears the latched error. */
void mqc_state_reset(mqc_engine *e);

/* Enters MQC_FAILED and latches an error. packet_type is the packet in which the error was
 * found, or the one that did not arrive; 0: no packet is at fault. Returns the error. */
mqc_result mqc_fail(mqc_engine *e, mqc_result error, unsigned packet_type);

#endif
