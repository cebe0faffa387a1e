#ifndef HUB_HUB_INTERNAL_H
#define HUB_HUB_INTERNAL_H

/* Shared by the files of the hub itself. */

#include "hub.h"

/* NULL: nobody is logged in under this key. */
hub_connection *hub_find(const hub *h, const void *key);
/* Connected, wanted and subscribed. */
bool hub_listens(const hub_identity *id, hub_subscription s);
/* Publish at QoS 0; frees the topic. */
void hub_send_text(hub *h, const hub_identity *id, char *topic, const char *text);

#endif
