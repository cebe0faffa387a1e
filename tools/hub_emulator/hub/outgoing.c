#include "hub/outgoing.h"

#include <stdlib.h>

#include "base/text.h"

void hub_outgoing_add(hub_outgoing *o, char *topic, const void *payload, size_t len)
{
    hub_outgoing_item *item = hub_calloc(1, sizeof *item);

    item->topic = topic;
    item->payload = hub_memdup(payload, len);
    item->len = len;
    if (o->last != NULL) {
        o->last->next = item;
    } else {
        o->first = item;
    }
    o->last = item;
}

hub_outgoing_item *hub_outgoing_take(hub_outgoing *o)
{
    hub_outgoing_item *item = o->first;

    if (item != NULL) {
        o->first = item->next;
        o->last = o->first != NULL ? o->last : NULL;
    }
    return item;
}

void hub_outgoing_item_free(hub_outgoing_item *item)
{
    free(item->topic);
    free(item->payload);
    free(item);
}

void hub_outgoing_free(hub_outgoing *o)
{
    hub_outgoing_item *item;

    while ((item = hub_outgoing_take(o)) != NULL) {
        hub_outgoing_item_free(item);
    }
}
