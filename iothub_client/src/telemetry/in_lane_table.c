#include "telemetry/in_lane_table.h"

#include <assert.h>

void in_lane_init(in_lane_table *t, void *memory, size_t len)
{
    t->slots = memory;
    t->len = (uint32_t)(len / sizeof *t->slots);
    t->fresh = 0;
    t->free = IN_LANE_NONE;
    t->ended = IN_LANE_NONE;
    t->dropped = IN_LANE_NONE;
    t->dropped_last = IN_LANE_NONE;
}

static uint32_t index_of(const in_lane_table *t, const in_lane *slot)
{
    return (uint32_t)(slot - t->slots);
}

static void push(in_lane_table *t, uint32_t *list, in_lane *slot)
{
    slot->next = *list;
    *list = index_of(t, slot);
}

/* Removes and returns the first slot of a list, which must not be empty. */
static in_lane *pop(in_lane_table *t, uint32_t *list)
{
    in_lane *slot = &t->slots[*list];

    *list = slot->next;
    return slot;
}

in_lane *in_lane_take(in_lane_table *t, const in_lane *record)
{
    in_lane *slot = NULL;

    assert(in_lane_valid(t));
    if (t->free != IN_LANE_NONE) {
        slot = pop(t, &t->free);
    } else if (t->fresh < t->len) {
        slot = &t->slots[t->fresh++];
    }
    if (slot != NULL) {
        *slot = *record;
    }
    return slot;
}

void in_lane_mark_removed(in_lane *slot)
{
    slot->seq = 0;
}

void in_lane_free(in_lane_table *t, in_lane *slot)
{
    push(t, &t->free, slot);
    assert(in_lane_valid(t));
}

void in_lane_end(in_lane_table *t, in_lane *slot)
{
    push(t, &t->ended, slot);
    assert(in_lane_valid(t));
}

bool in_lane_next_ended(const in_lane_table *t, uint64_t *seq)
{
    if (t->ended == IN_LANE_NONE) {
        return false;
    }
    *seq = t->slots[t->ended].seq;
    return true;
}

void in_lane_free_ended(in_lane_table *t)
{
    in_lane_free(t, pop(t, &t->ended));
}

bool in_lane_is_ended(const in_lane_table *t, uint64_t seq)
{
    for (uint32_t i = t->ended; i != IN_LANE_NONE; i = t->slots[i].next) {
        if (t->slots[i].seq == seq) {
            return true;
        }
    }
    return false;
}

void in_lane_drop(in_lane_table *t, in_lane *slot)
{
    const uint32_t at = index_of(t, slot);

    slot->next = IN_LANE_NONE;
    if (t->dropped == IN_LANE_NONE) {
        t->dropped = at;
    } else {
        t->slots[t->dropped_last].next = at;
    }
    t->dropped_last = at;
    assert(in_lane_valid(t));
}

bool in_lane_next_dropped(in_lane_table *t, in_lane *out)
{
    if (t->dropped == IN_LANE_NONE) {
        return false;
    }
    in_lane *slot = pop(t, &t->dropped);
    *out = *slot;
    in_lane_free(t, slot);
    return true;
}

#ifndef NDEBUG
/* If the table is longer, its lists are not walked, so that the check does not cost more than
 * what it checks. */
enum { WALK_MAX = 64 };

static bool is_index(const in_lane_table *t, uint32_t index)
{
    return index == IN_LANE_NONE || index < t->fresh;
}

/* Returns the number of slots in a list, or WALK_MAX + 1 if the list is longer than that. */
static uint32_t length_of(const in_lane_table *t, uint32_t list)
{
    uint32_t n = 0;

    for (; list != IN_LANE_NONE && n <= WALK_MAX; list = t->slots[list].next) {
        if (!is_index(t, list)) {
            return WALK_MAX + 1;
        }
        n++;
    }
    return n;
}

bool in_lane_valid(const in_lane_table *t)
{
    if (t->fresh > t->len || !is_index(t, t->free) || !is_index(t, t->ended) ||
        !is_index(t, t->dropped)) {
        return false;
    }
    /* The youngest dropped record must be the last of its list. */
    if (t->dropped != IN_LANE_NONE &&
        (t->dropped_last >= t->fresh || t->slots[t->dropped_last].next != IN_LANE_NONE)) {
        return false;
    }
    /* No slot may be in two lists. */
    return t->fresh > WALK_MAX ||
           length_of(t, t->free) + length_of(t, t->ended) + length_of(t, t->dropped) <= t->fresh;
}
#endif
