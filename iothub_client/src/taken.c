#include "taken.h"

iothub_taken *taken_get(iothub_backlog *b)
{
    if (b->free != TAKEN_NONE) {
        iothub_taken *t = &b->table[b->free];
        b->free = t->next;
        return t;
    }
    return b->fresh < b->table_len ? &b->table[b->fresh++] : NULL;
}

void taken_push(iothub_backlog *b, uint32_t *list, iothub_taken *t)
{
    t->next = *list;
    *list = (uint32_t)(t - b->table);
}

iothub_taken *taken_pop(iothub_backlog *b, uint32_t *list)
{
    iothub_taken *t = &b->table[*list];
    *list = t->next;
    return t;
}

bool taken_is_ended(const iothub_backlog *b, uint64_t seq)
{
    for (uint32_t i = b->ended; i != TAKEN_NONE; i = b->table[i].next) {
        if (b->table[i].seq == seq) {
            return true;
        }
    }
    return false;
}

void taken_append(iothub_backlog *b, iothub_taken *t)
{
    uint32_t at = (uint32_t)(t - b->table);

    t->next = TAKEN_NONE;
    if (b->untold == TAKEN_NONE) {
        b->untold = at;
    } else {
        b->table[b->untold_last].next = at;
    }
    b->untold_last = at;
}
