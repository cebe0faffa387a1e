#ifndef HUB_CONNECTIONS_H
#define HUB_CONNECTIONS_H

/**
 * @file
 * The connected clients, found by the broker's key, and those that must be disconnected.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "dps/dps_session.h"
#include "registry/identity.h"

typedef enum hub_connection_state {
    HUB_CONNECTION_LIVE = 0,
    HUB_CONNECTION_UNWANTED, /* to be dropped at the next tick */
    HUB_CONNECTION_DROPPED   /* the broker was asked to close it */
} hub_connection_state;

/** A connected client; key is the broker's name for the connection. */
typedef struct hub_connection {
    const void *key;
    hub_identity *identity; /* NULL after it was deleted; what the client sends is then ignored */
    dps_session *provisioning; /* NULL: it is connected to the hub */
    char *client_id;
    int64_t expires_s; /* of its token */
    hub_connection_state state;
    bool resumed; /* the kept session of the broker belongs to this identity */
    hub_link in_all;
    hub_link in_unwanted;
    hub_link in_identity;
} hub_connection;

/** Start with { 0 }; must stay where it is. */
typedef struct hub_connections {
    hub_list all;
    size_t count;      /* those of the hub */
    void *by_key;      /* tree of the connections */
    hub_list unwanted; /* to be dropped at the next tick */
} hub_connections;

/** A login that was accepted; client_id is copied. */
typedef struct hub_connection_login {
    const void *key;
    hub_identity *identity;    /* NULL for a client of the provisioning service */
    dps_session *provisioning; /* NULL for a client of the hub; the connection takes it over */
    const char *client_id;
    int64_t expires_s;
    bool resumed;
} hub_connection_login;

hub_connection *hub_connections_add(hub_connections *cs, const hub_connection_login *login);
void hub_connections_remove(hub_connections *cs, hub_connection *c);
/** NULL: nobody is logged in under this key. */
hub_connection *hub_connections_find(const hub_connections *cs, const void *key);

/** To be dropped at the next tick. */
void hub_connections_reject(hub_connections *cs, hub_connection *c);
/** The next one to be dropped, marked as dropped; NULL: there is none. */
hub_connection *hub_connections_take_unwanted(hub_connections *cs);

/** The identity is deleted: its connections have none any more. */
void hub_connections_forget(hub_identity *id);

/** Connected, wanted and subscribed. */
bool hub_connection_listens(const hub_identity *id, hub_subscription s);

#endif
