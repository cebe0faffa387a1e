#ifndef MQC_CONTROL_FILL_H
#define MQC_CONTROL_FILL_H

#include "inbox.h"
#include "packet.h"

/* Encodes control packets that were requested when the control area had no room for them:
 * acknowledgements, PUBREL, PINGREQ and DISCONNECT. */

/* Returns whether an acknowledgement or a PUBREL has not been encoded yet. */
static inline bool mqc_answers_due(const mqc_engine *e)
{
    return mqc_inbox_due(&e->inbox) || e->pubrel_chain.due != NULL;
}

/* Returns whether there is anything to encode. */
static inline bool mqc_control_wanted(const mqc_engine *e)
{
    return mqc_answers_due(e) || e->keep_alive.ping_wanted ||
           e->connection.state == MQC_DISCONNECTING;
}

/* Encodes as much as the control area has room for. */
void mqc_control_fill(mqc_engine *e);

/* Encodes PUBACK, PUBREC, PUBREL or PUBCOMP. Returns false if there is no room now. */
bool mqc_control_queue_id(mqc_engine *e, mqc_packet_type type, uint16_t packet_id);

#endif
