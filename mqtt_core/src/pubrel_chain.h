#ifndef MQC_PUBREL_CHAIN_H
#define MQC_PUBREL_CHAIN_H

#include "outbox.h"

/* The QoS 2 publishes of all lanes for which PUBREC arrived, chained through their entries:
 * PUBRELs are sent in the order of the PUBRECs (MQTT 3.1.1 section 4.6), and none is lost if the
 * control area is full. */

/* Do the members, and the entries of the chain, agree with each other? */
bool mqc_pubrel_chain_valid(const mqc_pubrel_chain *l);

/* PUBREC arrived: PUBREL must be sent. */
void mqc_pubrel_chain_add(mqc_pubrel_chain *l, mqc_entry *e);

/* The PUBREL that was due first has been encoded. */
static inline void mqc_pubrel_chain_encoded(mqc_pubrel_chain *l)
{
    l->due = l->due->u.behind;
}

/* Forget all of them. */
void mqc_pubrel_chain_clear(mqc_pubrel_chain *l);

/* Take out the one with this id; NULL: there is none. */
mqc_entry *mqc_pubrel_chain_take(mqc_pubrel_chain *l, uint16_t packet_id);

/* All must be sent again, except those of one lane (MQC_LANES_MAX: none), which are about to
 * end. */
void mqc_pubrel_chain_restart(mqc_pubrel_chain *l, uint8_t ending);

#endif
