/* What happens with time, and at the end of each round of the broker. */

#include "hub/hub_tick.h"

#include <stdlib.h>

#include "base/text.h"
#include "hub/hub_c2d.h"

static void reject_expired(hub *h, int64_t now_s)
{
    for (hub_connection *c = hub_list_first(&h->connections.all); c != NULL;
         c = hub_list_next(&c->in_all)) {
        if (c->state == HUB_CONNECTION_LIVE && c->expires_s <= now_s) {
            hub_log(h, "%s: its token or certificate has expired", c->client_id);
            hub_connections_reject(&h->connections, c);
        }
    }
}

/* While a connection is closed, the broker reports its end, and possibly that of others. */
static void drop_unwanted(hub *h)
{
    hub_connection *c;

    while ((c = hub_connections_take_unwanted(&h->connections)) != NULL) {
        char *client_id = hub_strdup(c->client_id);
        h->broker.drop(h->broker.user, client_id);
        free(client_id);
    }
}

static void send_methods(hub *h, const hub_identity *id)
{
    hub_method *method;

    if (!hub_connection_listens(id, HUB_SUB_METHODS)) {
        return;
    }
    while ((method = hub_methods_waiting(&h->methods, id->client_id)) != NULL) {
        hub_send_text(h, id, hub_topic_method(method->name, method->rid), method->payload);
        hub_methods_sent(&h->methods, method, hub_up(h));
    }
}

static void send_to_ready(hub *h, int64_t up_ms)
{
    hub_identity *id;

    while ((id = hub_list_first(&h->ready)) != NULL) {
        hub_list_remove(&id->in_ready);
        hub_c2d_drop_expired(h, id, up_ms);
        send_methods(h, id);
        hub_c2d_send(h, id);
    }
}

static void sweep(hub *h, hub_clock now)
{
    reject_expired(h, now.wall_ms / 1000);
    for (size_t i = 0; i < h->registry.identities.count; i++) {
        hub_c2d_drop_expired(h, h->registry.identities.items[i], now.up_ms);
    }
}

void hub_tick(hub *h)
{
    const hub_clock now = hub_time(h);

    if (hub_take_sweep(h, now.up_ms)) {
        sweep(h, now);
    }
    drop_unwanted(h);
    send_to_ready(h, now.up_ms);
    hub_methods_expire(&h->methods, now.up_ms);
    hub_send_queued(h);
}
