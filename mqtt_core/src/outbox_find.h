#ifndef MQC_OUTBOX_FIND_H
#define MQC_OUTBOX_FIND_H

#include "outbox_entry.h"

/* Finds entries of a lane, and changes none. */

/* Returns the packet id of the n-th entry; 0 when it has none, or has ended. */
uint16_t mqc_outbox_id(const mqc_outbox *o, size_t n);

/* Is this the unfinished entry with that packet id? */
static inline bool mqc_entry_has_id(const mqc_entry *e, uint16_t packet_id)
{
    return e->packet_id == packet_id && !mqc_has_ended(e);
}

/* Finds the unfinished entry with this packet id among the first n; NULL: there is none. */
mqc_entry *mqc_outbox_find(const mqc_outbox *o, uint16_t packet_id, size_t n);

/* Finds the oldest kept publish with this id of the caller's that was sent; NULL: there is none. */
mqc_entry *mqc_outbox_find_kept(const mqc_outbox *o, uint32_t id);

/* Returns the length of the oldest packet, if it was sent or offered and is unanswered; else 0. */
size_t mqc_outbox_unanswered_len(const mqc_outbox *o);

#endif
