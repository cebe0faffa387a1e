#include "telemetry/in_lane_table.h"

iothub_in_lane *in_lane_get(iothub_backlog *b)
{
    if (b->free != IN_LANE_NONE) {
        iothub_in_lane *t = &b->table[b->free];
        b->free = t->next;
        return t;
    }
    return b->fresh < b->table_len ? &b->table[b->fresh++] : NULL;
}

void in_lane_push(iothub_backlog *b, uint32_t *list, iothub_in_lane *t)
{
    t->next = *list;
    *list = (uint32_t)(t - b->table);
}

iothub_in_lane *in_lane_pop(iothub_backlog *b, uint32_t *list)
{
    iothub_in_lane *t = &b->table[*list];
    *list = t->next;
    return t;
}

bool in_lane_is_ended(const iothub_backlog *b, uint64_t seq)
{
    for (uint32_t i = b->ended; i != IN_LANE_NONE; i = b->table[i].next) {
        if (b->table[i].seq == seq) {
            return true;
        }
    }
    return false;
}

void in_lane_append(iothub_backlog *b, iothub_in_lane *t)
{
    uint32_t at = (uint32_t)(t - b->table);

    t->next = IN_LANE_NONE;
    if (b->untold == IN_LANE_NONE) {
        b->untold = at;
    } else {
        b->table[b->untold_last].next = at;
    }
    b->untold_last = at;
}
