#include "hub/hub_clients.h"

#include "hub/hub_dps.h"
#include "hub/hub_issue.h"
#include "hub/hub_tick.h"

/* Returns the connection if it is one to the provisioning service; otherwise NULL. */
static hub_connection *provisioning(const hub *h, const void *key)
{
    hub_connection *c = hub_connections_find(&h->connections, key);
    return c != NULL && c->provisioning != NULL ? c : NULL;
}

hub_result hub_client_connect(hub *h, const void *key, const hub_credentials *c, bool clean_session,
                              hub_fault *fault)
{
    return hub_dps_wants(h, c) ? hub_dps_connect(h, key, c, fault)
                               : hub_connect(h, key, c, clean_session, fault);
}

hub_result hub_client_subscribe(hub *h, const void *key, const char *filter, int qos,
                                hub_fault *fault)
{
    hub_connection *c = provisioning(h, key);
    return c != NULL ? hub_dps_subscribe(c, filter, fault)
                     : hub_subscribe(h, key, filter, qos, fault);
}

void hub_client_unsubscribe(hub *h, const void *key, const char *filter)
{
    hub_connection *c = provisioning(h, key);

    if (c != NULL) {
        hub_dps_unsubscribe(c, filter);
    } else {
        hub_unsubscribe(h, key, filter);
    }
}

hub_result hub_client_check_publish(hub *h, const void *key, const hub_publish *p, hub_fault *fault)
{
    return provisioning(h, key) != NULL ? hub_dps_check_publish(p, fault)
                                        : hub_check_publish(h, key, p, fault);
}

void hub_client_tick(hub *h)
{
    hub_issue_tick(h);
    hub_tick(h); /* last, because it sends what the other function has queued */
}

hub_result hub_client_accept_publish(hub *h, const void *key, const hub_publish *p)
{
    hub_connection *c = provisioning(h, key);

    if (c == NULL) {
        return hub_accept_publish(h, key, p);
    }
    hub_dps_accept_publish(h, c, p);
    return HUB_OK;
}
