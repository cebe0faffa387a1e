/* The connected clients, found by the broker's key; those that must be disconnected; those for
 * which something waits. */

#include <search.h>
#include <stdint.h>
#include <stdlib.h>

#include "hub/hub_internal.h"

/* --- all of them ------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const uintptr_t one = (uintptr_t)((const hub_connection *)a)->key;
    const uintptr_t other = (uintptr_t)((const hub_connection *)b)->key;

    return one < other ? -1 : one > other;
}

hub_connection *hub_find(const hub *h, const void *key)
{
    const hub_connection wanted = { .key = key };
    void *node = tfind(&wanted, &h->by_key, compare);

    return node != NULL ? *(hub_connection **)node : NULL; /* tsearch(3): the pointer comes first */
}

void hub_connection_add(hub *h, hub_connection *c)
{
    hub_identity *id = c->identity;

    c->next = h->connections;
    c->at = &h->connections;
    if (c->next != NULL) {
        c->next->at = &c->next;
    }
    h->connections = c;
    h->connection_count++;
    c->next_of_identity = id->connections;
    id->connections = c;
    if (tsearch(c, &h->by_key, compare) == NULL) {
        hub_out_of_memory();
    }
}

/* An identity has one connection, or two while the second replaces the first. */
static void leave_identity(hub_connection *c)
{
    hub_connection **at = c->identity != NULL ? &c->identity->connections : NULL;

    while (at != NULL && *at != c) {
        at = &(*at)->next_of_identity;
    }
    if (at != NULL) {
        *at = c->next_of_identity;
    }
}

static void leave_unwanted(hub_connection *c)
{
    if (c->unwanted_at != NULL) {
        *c->unwanted_at = c->next_unwanted;
        if (c->next_unwanted != NULL) {
            c->next_unwanted->unwanted_at = c->unwanted_at;
        }
        c->unwanted_at = NULL;
    }
}

void hub_connection_remove(hub *h, hub_connection *c)
{
    (void)tdelete(c, &h->by_key, compare);
    leave_identity(c);
    leave_unwanted(c);
    *c->at = c->next;
    if (c->next != NULL) {
        c->next->at = c->at;
    }
    h->connection_count--;
    free(c->client_id);
    free(c);
}

void hub_forget_identity(hub_identity *id)
{
    while (id->connections != NULL) {
        hub_connection *c = id->connections;
        id->connections = c->next_of_identity;
        c->identity = NULL;
    }
    hub_unready(id);
}

/* --- to be dropped ----------------------------------------------------- */

void hub_reject(hub *h, hub_connection *c)
{
    if (c->state != HUB_CONNECTION_LIVE) {
        return;
    }
    c->state = HUB_CONNECTION_UNWANTED;
    c->next_unwanted = h->unwanted;
    c->unwanted_at = &h->unwanted;
    if (c->next_unwanted != NULL) {
        c->next_unwanted->unwanted_at = &c->next_unwanted;
    }
    h->unwanted = c;
    h->work = true;
}

hub_connection *hub_take_unwanted(hub *h)
{
    hub_connection *c = h->unwanted;

    if (c != NULL) {
        leave_unwanted(c);
        c->state = HUB_CONNECTION_DROPPED;
    }
    return c;
}

/* --- something to send ------------------------------------------------- */

void hub_wake(hub *h, hub_identity *id)
{
    h->work = true;
    if (id->ready_at != NULL) {
        return;
    }
    id->next_ready = h->ready;
    id->ready_at = &h->ready;
    if (id->next_ready != NULL) {
        id->next_ready->ready_at = &id->next_ready;
    }
    h->ready = id;
}

void hub_unready(hub_identity *id)
{
    if (id->ready_at != NULL) {
        *id->ready_at = id->next_ready;
        if (id->next_ready != NULL) {
            id->next_ready->ready_at = id->ready_at;
        }
        id->ready_at = NULL;
    }
}
