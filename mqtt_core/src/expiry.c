#include "outbox.h"

/* Finds the entries of a long lane that expire. For each group of entries, by index, and for
 * each group of groups, a time is kept before which none of them expires. A lane without memory
 * for these times is searched from end to end. */

enum { GROUP = MQC_EXPIRY_GROUP };

static size_t group_count(const mqc_outbox *o)
{
    return (o->entries_len + GROUP - 1) / GROUP;
}

void mqc_expiry_init(mqc_outbox *o, const mqc_lane_memory *m)
{
    o->expiries = m->expiries_len >= MQC_EXPIRIES(m->entries_len) ? m->expiries : NULL;
    for (size_t i = 0; o->expiries != NULL && i < MQC_EXPIRIES(m->entries_len); i++) {
        o->expiries[i] = MQC_NEVER;
    }
}

static void lower(mqc_time *t, mqc_time to)
{
    *t = to < *t ? to : *t;
}

void mqc_expiry_note(mqc_outbox *o, const mqc_entry *e)
{
    size_t group = (size_t)(e - o->entries) / GROUP;

    lower(&o->next_expiry, e->u.expires);
    if (o->expiries != NULL) {
        lower(&o->expiries[group], e->u.expires);
        lower(&o->expiries[group_count(o) + group / GROUP], e->u.expires);
    }
}

static mqc_time look_at_entries(mqc_outbox *o, size_t from, size_t to, mqc_time now)
{
    mqc_time next = MQC_NEVER;

    for (size_t i = from; i < to && i < o->entries_len; i++) {
        size_t position = i >= o->head ? i - o->head : i + o->entries_len - o->head;
        if (position < o->count) {
            lower(&next, mqc_outbox_look(o, position, now));
        }
    }
    return next;
}

static mqc_time look_at_groups(mqc_outbox *o, size_t from, size_t to, mqc_time now)
{
    mqc_time next = MQC_NEVER;

    for (size_t i = from; i < to && i < group_count(o); i++) {
        if (now >= o->expiries[i]) {
            o->expiries[i] = look_at_entries(o, i * GROUP, (i + 1) * GROUP, now);
        }
        lower(&next, o->expiries[i]);
    }
    return next;
}

mqc_time mqc_expiry_look(mqc_outbox *o, mqc_time now)
{
    mqc_time next = MQC_NEVER;

    for (size_t i = 0; o->expiries == NULL && i < o->count; i++) {
        lower(&next, mqc_outbox_look(o, i, now));
    }
    if (o->expiries == NULL) {
        return next;
    }
    mqc_time *top = o->expiries + group_count(o);
    for (size_t i = 0; i * GROUP < group_count(o); i++) {
        if (now >= top[i]) {
            top[i] = look_at_groups(o, i * GROUP, (i + 1) * GROUP, now);
        }
        lower(&next, top[i]);
    }
    return next;
}
