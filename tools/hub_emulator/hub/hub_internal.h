#ifndef HUB_HUB_INTERNAL_H
#define HUB_HUB_INTERNAL_H

/* Shared by the files of the hub itself. */

#include "hub/hub.h"

/* NULL: nobody is logged in under this key. */
hub_connection *hub_find(const hub *h, const void *key);
/* Takes ownership of a connection made by calloc, with key, identity and client id set. */
void hub_connection_add(hub *h, hub_connection *c);
void hub_connection_remove(hub *h, hub_connection *c);
/* Marks a connection to be dropped at the next tick. Returns the next of these, marked as
 * dropped, or NULL. */
void hub_reject(hub *h, hub_connection *c);
hub_connection *hub_take_unwanted(hub *h);
/* Removes the identity from the lists; its connections then have no identity. */
void hub_unready(hub_identity *id);
void hub_forget_identity(hub_identity *id);
/* Connected, wanted and subscribed. */
bool hub_listens(const hub_identity *id, hub_subscription s);
/* Publish at QoS 0; frees the topic. */
void hub_send_text(hub *h, const hub_identity *id, char *topic, const char *text);

#endif
