#ifndef MQC_PUBREL_CHAIN_H
#define MQC_PUBREL_CHAIN_H

#include "outbox.h"

/* The QoS 2 publishes of all lanes for which PUBREC arrived, linked through their entries.
 * PUBRELs are sent in the order of the PUBRECs (MQTT 3.1.1 section 4.6), and none is lost if the
 * control area is full. */

/* Returns whether the members, and the entries of the chain, agree with each other. */
bool mqc_pubrel_chain_valid(const mqc_pubrel_chain *l);

/* Adds a publish whose PUBREC has arrived, so that its PUBREL must be sent. */
void mqc_pubrel_chain_add(mqc_pubrel_chain *l, mqc_entry *e);

/* Call it when the first PUBREL that was due has been encoded. */
static inline void mqc_pubrel_chain_encoded(mqc_pubrel_chain *l)
{
    l->due = l->due->u.behind;
}

/* Removes all publishes. */
void mqc_pubrel_chain_clear(mqc_pubrel_chain *l);

/* Removes and returns the publish with this id, or returns NULL. */
mqc_entry *mqc_pubrel_chain_take(mqc_pubrel_chain *l, uint16_t packet_id);

/* Makes all PUBRELs due again, except those of the lane `ending` (MQC_LANES_MAX: none), whose
 * publishes are about to end. */
void mqc_pubrel_chain_restart(mqc_pubrel_chain *l, uint8_t ending);

#endif
