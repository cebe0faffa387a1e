#include "expiry.h"

#include <assert.h>

#include "time_math.h"

enum { GROUP = MQC_EXPIRY_GROUP };

static size_t group_count(size_t entries_len)
{
    return (entries_len + GROUP - 1) / GROUP;
}

void mqc_expiry_init(mqc_expiry *x, const mqc_lane_memory *m)
{
    const size_t needed = MQC_EXPIRIES(m->entries_len);

    x->next = MQC_NEVER;
    x->groups = m->expiries_len >= needed ? m->expiries : NULL;
    for (size_t i = 0; x->groups != NULL && i < needed; i++) {
        x->groups[i] = MQC_NEVER;
    }
}

static void lower(mqc_time *t, mqc_time to)
{
    *t = mqc_earlier(*t, to);
}

void mqc_expiry_note(mqc_expiry *x, size_t entries_len, size_t index, mqc_time expires)
{
    lower(&x->next, expires);
    if (x->groups != NULL) {
        mqc_time *top = x->groups + group_count(entries_len);
        lower(&x->groups[index / GROUP], expires);
        lower(&top[index / (GROUP * GROUP)], expires);
    }
}

bool mqc_expiry_due(const mqc_expiry *x, size_t entries_len, mqc_time now, mqc_expiry_group *g)
{
    const size_t count = group_count(entries_len);

    if (x->groups == NULL) {
        g->from = 0;
        g->to = entries_len;
        return g->number == 0;
    }
    const mqc_time *top = x->groups + count;
    while (g->number < count) {
        if (now < top[g->number / GROUP]) {
            g->number = (g->number / GROUP + 1) * GROUP;
        } else if (now < x->groups[g->number]) {
            g->number++;
        } else {
            g->from = g->number * GROUP;
            g->to = g->from + GROUP < entries_len ? g->from + GROUP : entries_len;
            return true;
        }
    }
    return false;
}

void mqc_expiry_looked(mqc_expiry *x, mqc_expiry_group *g, mqc_time next)
{
    if (x->groups == NULL) {
        x->next = next;
    } else {
        x->groups[g->number] = next;
    }
    g->number++;
}

/* Returns the earliest time of the groups that one entry of the top level stands for. */
static mqc_time earliest_below(const mqc_expiry *x, size_t count, size_t top)
{
    mqc_time t = MQC_NEVER;

    for (size_t i = top * GROUP; i < (top + 1) * GROUP && i < count; i++) {
        lower(&t, x->groups[i]);
    }
    return t;
}

void mqc_expiry_finish(mqc_expiry *x, size_t entries_len, mqc_time now)
{
    const size_t count = group_count(entries_len);

    if (x->groups == NULL) {
        return;
    }
    mqc_time *top = x->groups + count;
    x->next = MQC_NEVER;
    for (size_t i = 0; i * GROUP < count; i++) {
        if (now >= top[i]) {
            top[i] = earliest_below(x, count, i);
        }
        lower(&x->next, top[i]);
    }
    assert(mqc_expiry_valid(x, entries_len));
}

#ifndef NDEBUG

bool mqc_expiry_valid(const mqc_expiry *x, size_t entries_len)
{
    enum { WALK_MAX = 64 };
    const size_t count = group_count(entries_len);

    for (size_t i = 0; x->groups != NULL && i < count && i < WALK_MAX; i++) {
        if (x->groups[i] < x->groups[count + i / GROUP]) {
            return false;
        }
    }
    return true;
}

#endif
