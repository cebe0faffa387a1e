#ifndef HUB_CLIENTS_H
#define HUB_CLIENTS_H

/**
 * @file
 * Requests of MQTT clients before it is known whether they are clients of the hub or of the Device
 * Provisioning Service, which share one port. The functions correspond to those of hub.h and
 * hub_publish.h.
 */

#include "hub/hub.h"
#include "hub/hub_publish.h"

hub_result hub_client_connect(hub *h, const void *key, const hub_credentials *c, bool clean_session,
                              hub_fault *fault);
hub_result hub_client_subscribe(hub *h, const void *key, const char *filter, int qos,
                                hub_fault *fault);
void hub_client_unsubscribe(hub *h, const void *key, const char *filter);
hub_result hub_client_check_publish(hub *h, const void *key, const hub_publish *p,
                                    hub_fault *fault);
/** Call it often, at least ten times per second. */
void hub_client_tick(hub *h);
hub_result hub_client_accept_publish(hub *h, const void *key, const hub_publish *p);

#endif
