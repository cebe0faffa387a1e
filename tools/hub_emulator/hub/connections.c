#include "hub/connections.h"

#include <search.h>
#include <stdlib.h>

#include "base/text.h"

static int compare(const void *a, const void *b)
{
    const uintptr_t one = (uintptr_t)((const hub_connection *)a)->key;
    const uintptr_t other = (uintptr_t)((const hub_connection *)b)->key;

    return one < other ? -1 : one > other;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t one = ((const hub_connection *)a)->number;
    const uint64_t other = ((const hub_connection *)b)->number;

    return one < other ? -1 : one > other;
}

const hub_connection *hub_connections_current(const hub_connections *cs, uint64_t number)
{
    const hub_connection wanted = { .number = number };
    void *node = number != 0 ? tfind(&wanted, &cs->by_number, compare_numbers) : NULL;
    const hub_connection *c = node != NULL ? *(hub_connection **)node : NULL;

    return c != NULL && c->identity != NULL && c->identity->session.connection == c ? c : NULL;
}

hub_connection *hub_connections_find(const hub_connections *cs, const void *key)
{
    const hub_connection wanted = { .key = key };
    void *node = tfind(&wanted, &cs->by_key, compare);

    /* tsearch(3) keeps the pointer as the first member of a node. */
    return node != NULL ? *(hub_connection **)node : NULL;
}

hub_connection *hub_connections_add(hub_connections *cs, const hub_connection_login *login)
{
    hub_connection *c = hub_calloc(1, sizeof *c);

    c->key = login->key;
    c->identity = login->identity;
    c->provisioning = login->provisioning;
    c->client_id = hub_strdup(login->client_id);
    c->number = login->number;
    c->expires_s = login->expires_s;
    c->resumed = login->resumed;
    hub_list_push(&cs->all, &c->in_all, c);
    if (c->identity != NULL) {
        hub_list_push(&c->identity->connections, &c->in_identity, c);
    }
    cs->count += c->provisioning == NULL ? 1 : 0;
    if (tsearch(c, &cs->by_key, compare) == NULL ||
        (c->number != 0 && tsearch(c, &cs->by_number, compare_numbers) == NULL)) {
        hub_out_of_memory();
    }
    return c;
}

void hub_connections_remove(hub_connections *cs, hub_connection *c)
{
    (void)tdelete(c, &cs->by_key, compare);
    if (c->number != 0) {
        (void)tdelete(c, &cs->by_number, compare_numbers);
    }
    hub_list_remove(&c->in_identity);
    hub_list_remove(&c->in_unwanted);
    hub_list_remove(&c->in_sending);
    hub_list_remove(&c->in_all);
    hub_outgoing_free(&c->outgoing);
    cs->count -= c->provisioning == NULL ? 1 : 0;
    dps_session_free(c->provisioning);
    free(c->client_id);
    free(c);
}

void hub_connections_forget(hub_identity *id)
{
    hub_connection *c;

    while ((c = hub_list_first(&id->connections)) != NULL) {
        hub_list_remove(&c->in_identity);
        c->identity = NULL;
    }
}

void hub_connections_send(hub_connections *cs, hub_connection *c, char *topic, const void *payload,
                          size_t len)
{
    hub_outgoing_add(&c->outgoing, topic, payload, len);
    hub_list_push(&cs->sending, &c->in_sending, c);
}

hub_connection *hub_connections_take_sending(hub_connections *cs)
{
    hub_connection *c = hub_list_first(&cs->sending);

    if (c != NULL) {
        hub_list_remove(&c->in_sending);
    }
    return c;
}

void hub_connections_reject(hub_connections *cs, hub_connection *c)
{
    if (c->state == HUB_CONNECTION_LIVE) {
        c->state = HUB_CONNECTION_UNWANTED;
        hub_list_push(&cs->unwanted, &c->in_unwanted, c);
    }
}

hub_connection *hub_connections_take_unwanted(hub_connections *cs)
{
    hub_connection *c = hub_list_first(&cs->unwanted);

    if (c != NULL) {
        hub_list_remove(&c->in_unwanted);
        c->state = HUB_CONNECTION_DROPPED;
    }
    return c;
}

bool hub_connection_listens(const hub_identity *id, hub_subscription s)
{
    const hub_connection *c = id->session.connection;
    return c != NULL && c->state == HUB_CONNECTION_LIVE && (id->session.subscriptions & s) != 0;
}
