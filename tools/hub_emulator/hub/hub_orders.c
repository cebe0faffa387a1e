#include "hub/hub_orders.h"

static void send_note(const hub *h, const hub_note *note)
{
    if (h->broker.order != NULL) {
        h->broker.order(h->broker.user, note);
    }
}

void hub_order(const hub *h, uint64_t number, hub_note_kind kind, uint32_t value)
{
    const hub_note note = { .number = number, .kind = kind, .value = value };

    send_note(h, &note);
}

size_t hub_order_identity(const hub *h, const hub_identity *id, hub_note_kind kind, uint32_t value)
{
    size_t count = 0;

    for (const hub_connection *c = hub_list_first(&id->connections); c != NULL;
         c = hub_list_next(&c->in_identity)) {
        hub_order(h, c->number, kind, value);
        count++;
    }
    return count;
}

void hub_order_next(const hub *h, hub_note_kind kind, uint32_t value, uint64_t count)
{
    const hub_note note = { .kind = kind, .value = value, .count = count };

    send_note(h, &note);
}
