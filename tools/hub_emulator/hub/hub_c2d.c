/* Cloud-to-device messages: when they are passed to the broker, and when they end. */

#include "hub/hub_c2d.h"

#include <stdlib.h>

void hub_c2d_on_wire(hub *h, const char *client_id, uint16_t packet_id)
{
    hub_identity *id = hub_registry_find_client(&h->registry, client_id);

    if (id != NULL) {
        hub_c2d_sent(&id->c2d, packet_id);
    }
}

void hub_c2d_on_ack(hub *h, const char *client_id, uint16_t packet_id)
{
    hub_identity *id = hub_registry_find_client(&h->registry, client_id);

    if (id != NULL && hub_c2d_acknowledged(&id->c2d, &h->registry.store, packet_id)) {
        hub_wake(h, id);
    }
}

void hub_c2d_send(hub *h, hub_identity *id)
{
    hub_c2d_message *m;

    if (id->module != NULL || !hub_connection_listens(id, HUB_SUB_C2D)) {
        return;
    }
    while ((m = hub_c2d_next(&id->c2d)) != NULL) {
        char *topic = hub_topic_c2d(id->device, m->bag);
        h->broker.publish(h->broker.user, id->client_id, topic, m->body, m->body_len,
                          id->session.c2d_qos);
        free(topic);
        hub_c2d_handed(m);
        if (id->session.c2d_qos == 0) { /* with QoS 0 no acknowledgement will arrive */
            hub_c2d_sent(&id->c2d, 0);
            (void)hub_c2d_acknowledged(&id->c2d, &h->registry.store, 0);
        }
    }
}

void hub_c2d_drop_expired(hub *h, hub_identity *id, int64_t up_ms)
{
    size_t dropped = hub_c2d_expire(&id->c2d, &h->registry.store, up_ms);

    if (dropped > 0) {
        hub_log(h, "%s: %zu messages have expired", id->client_id, dropped);
    }
}

hub_result hub_purge(hub *h, hub_identity *id, size_t *dropped, hub_fault *fault)
{
    hub_change change = { .purge = true };

    *dropped = 0;
    if (id->c2d.count == 0) {
        return HUB_OK;
    }
    hub_result r = hub_registry_change(&h->registry, id, &change, hub_now(h), fault);
    if (r == HUB_OK) {
        *dropped = hub_c2d_drop_all(&id->c2d, &h->registry.store);
    }
    return r;
}
