#ifndef MQC_OUTBOX_ENTRY_H
#define MQC_OUTBOX_ENTRY_H

#include "outbox.h"

/* Questions about the entries of a lane, for the files outbox*.c. */

static inline mqc_entry *mqc_oldest(const mqc_outbox *o)
{
    return o->entries + o->head;
}

static inline mqc_entry *mqc_next_entry(const mqc_outbox *o, mqc_entry *e)
{
    return e + 1 < o->entries + o->entries_len ? e + 1 : o->entries;
}

static inline size_t mqc_position_of(const mqc_outbox *o, const mqc_entry *e)
{
    size_t i = (size_t)(e - o->entries);

    return i >= o->head ? i - o->head : i + o->entries_len - o->head;
}

/* Returns the number of entries of which bytes were sent, or are offered to the stream now. */
static inline size_t mqc_touched(const mqc_outbox *o)
{
    if (o->offered > 0) {
        return o->grant;
    }
    return o->send_done > 0 ? o->send + (size_t)1 : o->send;
}

static inline bool mqc_has_ended(const mqc_entry *e)
{
    return e->state >= MQC_ENTRY_ENDED;
}

/* Does the entry count in the window, from when it is granted until it ends? */
static inline bool mqc_in_window(const mqc_entry *e)
{
    return (e->flags & (MQC_ENTRY_QOS | MQC_ENTRY_KEEP)) != 0;
}

/* Does its PUBLISH still have to be sent, or to be answered? */
static inline bool mqc_is_unanswered(const mqc_entry *e)
{
    return e->state < MQC_ENTRY_RECEIVED;
}

/* A message with QoS that the server may have does not expire; a kept one always does. */
static inline bool mqc_can_expire(const mqc_entry *e)
{
    if (e->u.expires == 0 || (e->flags & MQC_ENTRY_RESEND) != 0) {
        return false;
    }
    return e->state == MQC_ENTRY_QUEUED ||
           (e->state == MQC_ENTRY_SENT && (e->flags & MQC_ENTRY_KEEP) != 0);
}

/* The id of a QoS 2 publish that the server may have cannot be given to another one. */
static inline bool mqc_can_drop(const mqc_entry *e)
{
    bool held = (e->flags & MQC_ENTRY_QOS) == 2 && (e->flags & MQC_ENTRY_RESEND) != 0;

    return e->state == MQC_ENTRY_QUEUED && !held;
}

#endif
