#include "outbox_find.h"

uint16_t mqc_outbox_id(const mqc_outbox *o, size_t n)
{
    const mqc_entry *e = mqc_entry_at(o, n);

    return mqc_has_ended(e) ? (uint16_t)0 : e->packet_id;
}

/* If no other lane and no request uses ids, the ids of a lane are consecutive, so the position
 * follows from the id. */
mqc_entry *mqc_outbox_find(const mqc_outbox *o, uint16_t packet_id, size_t n)
{
    mqc_entry *e = mqc_oldest(o);
    size_t likely = (uint16_t)(packet_id - e->packet_id);

    if (likely < n) {
        mqc_entry *there = mqc_entry_at(o, likely);
        if (mqc_entry_has_id(there, packet_id)) {
            return there;
        }
    }
    for (; n > 0; n--) {
        if (mqc_entry_has_id(e, packet_id)) {
            return e;
        }
        e = mqc_next_entry(o, e);
    }
    return NULL;
}

mqc_entry *mqc_outbox_find_kept(const mqc_outbox *o, uint32_t id)
{
    mqc_entry *e = mqc_oldest(o);

    for (size_t n = mqc_touched(o); n > 0; n--) {
        if ((e->flags & MQC_ENTRY_KEEP) != 0 && e->id == id && !mqc_has_ended(e)) {
            return e;
        }
        e = mqc_next_entry(o, e);
    }
    return NULL;
}

size_t mqc_outbox_unanswered_len(const mqc_outbox *o)
{
    bool touched = o->send > 0 || o->send_done > 0 || o->offered > 0;

    return touched && !mqc_has_ended(mqc_oldest(o)) ? mqc_oldest(o)->len : 0;
}
