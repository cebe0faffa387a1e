#ifndef HUB_DPS_H
#define HUB_DPS_H

/**
 * @file
 * The connections and messages of the Device Provisioning Service at the broker, and its
 * assignments, which become identities of this hub.
 */

#include "hub/hub.h"
#include "hub/hub_publish.h"

/**
 * With the number of the connection and a space, may precede the client id of a login to the
 * service, so that the broker does not confuse it with the login of the same device to the hub, nor
 * with an earlier one to the service. No valid id contains a space.
 */
#define HUB_DPS_CLIENT_PREFIX "dps "

/** Returns whether the service exists and this is a login to it. */
bool hub_dps_wants(const hub *h, const hub_credentials *c);

/* These functions do for connections to the service what those in hub.h do for connections to
 * the hub. */

hub_result hub_dps_connect(hub *h, const void *key, const hub_credentials *c, hub_fault *fault);
hub_result hub_dps_subscribe(hub_connection *c, const char *filter, hub_fault *fault);
void hub_dps_unsubscribe(hub_connection *c, const char *filter);
hub_result hub_dps_check_publish(const hub_publish *p, hub_fault *fault);
void hub_dps_accept_publish(hub *h, hub_connection *c, const hub_publish *p);

#endif
