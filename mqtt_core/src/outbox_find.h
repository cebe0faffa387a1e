#ifndef MQC_OUTBOX_FIND_H
#define MQC_OUTBOX_FIND_H

#include "outbox_entry.h"

/* Finds entries of a lane, without changing any. */

/* Returns the packet id of the n-th entry, or 0 if it has none or has ended. */
uint16_t mqc_outbox_id(const mqc_outbox *o, size_t n);

/* Returns whether this is the unfinished entry with that packet id. */
static inline bool mqc_entry_has_id(const mqc_entry *e, uint16_t packet_id)
{
    return e->packet_id == packet_id && !mqc_has_ended(e);
}

/* Returns the unfinished entry with this packet id among the first n, or NULL. */
mqc_entry *mqc_outbox_find(const mqc_outbox *o, uint16_t packet_id, size_t n);

/* Returns the oldest kept publish that was sent and has this id of the caller, or NULL. */
mqc_entry *mqc_outbox_find_kept(const mqc_outbox *o, uint32_t id);

/* Returns the length of the oldest packet if it was sent or offered and is unanswered, otherwise
 * 0. */
size_t mqc_outbox_unanswered_len(const mqc_outbox *o);

#endif
