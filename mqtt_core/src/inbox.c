#include "inbox.h"

static mqc_inbound *message_at(const mqc_inbox *b, size_t position)
{
    size_t i = b->head + position;
    return &b->table[i < b->cap ? i : i - b->cap];
}

void mqc_inbox_add(mqc_inbox *b, uint16_t packet_id)
{
    mqc_inbound *m = message_at(b, b->count++);

    m->packet_id = packet_id;
    m->acked = false;
}

bool mqc_inbox_ack(mqc_inbox *b, uint16_t packet_id)
{
    size_t i = b->acked;

    while (i < b->count && (message_at(b, i)->acked || message_at(b, i)->packet_id != packet_id)) {
        i++;
    }
    if (i == b->count) {
        return false;
    }
    message_at(b, i)->acked = true;
    while (b->acked < b->count && message_at(b, b->acked)->acked) {
        b->acked++;
    }
    return true;
}

void mqc_inbox_drop(mqc_inbox *b)
{
    b->head = b->head + 1 < b->cap ? b->head + 1 : 0;
    b->count--;
    b->acked--;
}
