#ifndef MQC_CONTROL_FILL_H
#define MQC_CONTROL_FILL_H

#include "inbox.h"
#include "packet.h"

/*
 * Control packets that were decided on when the control area had no room for them, and are encoded
 * once it has: acknowledgements, PUBREL, PINGREQ and DISCONNECT.
 */

/* Is there an acknowledgement or a PUBREL that has not been encoded? */
static inline bool mqc_answers_due(const mqc_engine *e)
{
    return mqc_inbox_due(&e->inbox) || e->pubrel_chain.due != NULL;
}

/* Is there anything to encode? */
static inline bool mqc_control_wanted(const mqc_engine *e)
{
    return mqc_answers_due(e) || e->keep_alive.ping_wanted ||
           e->connection.state == MQC_DISCONNECTING;
}

/* Encode as much as the control area has room for. */
void mqc_control_fill(mqc_engine *e);

/* Encode PUBACK, PUBREC, PUBREL or PUBCOMP.  Returns false when there is no room now. */
bool mqc_control_queue_id(mqc_engine *e, mqc_packet_type type, uint16_t packet_id);

#endif
