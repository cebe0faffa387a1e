#ifndef HUB_CONNECTIONS_H
#define HUB_CONNECTIONS_H

/**
 * @file
 * The connected clients, which are found by the broker's key, and those that must be disconnected.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "dps/dps_session.h"
#include "hub/outgoing.h"
#include "registry/identity.h"

typedef enum hub_connection_state {
    HUB_CONNECTION_LIVE = 0,
    HUB_CONNECTION_UNWANTED, /* will be closed at the next tick */
    HUB_CONNECTION_DROPPED   /* the broker was asked to close it */
} hub_connection_state;

/** A connected client; `key` is the pointer by which the broker identifies the connection. */
typedef struct hub_connection {
    const void *key;
    /* NULL after the identity was deleted; what the client sends is then ignored. */
    hub_identity *identity;
    dps_session *provisioning; /* NULL if it is connected to the hub */
    char *client_id;
    uint64_t number;   /* number of the connection at the TLS front; 0: none */
    int64_t expires_s; /* expiry of its token */
    hub_connection_state state;
    bool resumed; /* if true, the session that the broker has kept belongs to this identity */
    hub_outgoing outgoing; /* publishes to be sent at the next tick */
    hub_link in_all;
    hub_link in_unwanted;
    hub_link in_sending;
    hub_link in_identity;
} hub_connection;

/** All connections; initialise it with { 0 }. It must not be moved in memory. */
typedef struct hub_connections {
    hub_list all;
    size_t count;      /* number of connections to the hub */
    void *by_number;   /* tree of the connections that have a number, sorted by it */
    void *by_key;      /* tree of the connections, sorted by key */
    hub_list unwanted; /* connections to close at the next tick */
    hub_list sending;  /* connections with something in outgoing */
} hub_connections;

/** A login that was accepted; client_id is copied. */
typedef struct hub_connection_login {
    const void *key;
    hub_identity *identity;    /* NULL for a client of the provisioning service */
    dps_session *provisioning; /* NULL for a client of the hub; the connection becomes its owner */
    const char *client_id;
    uint64_t number; /* number of the connection at the TLS front; 0: none */
    int64_t expires_s;
    bool resumed;
} hub_connection_login;

hub_connection *hub_connections_add(hub_connections *cs, const hub_connection_login *login);
/** Returns NULL if there is none, or if another connection of the same client has replaced it. */
const hub_connection *hub_connections_current(const hub_connections *cs, uint64_t number);
void hub_connections_remove(hub_connections *cs, hub_connection *c);
/** Returns the connection with this key, or NULL if there is none. */
hub_connection *hub_connections_find(const hub_connections *cs, const void *key);

/**
 * Queues a publish for the next tick. The queue becomes the owner of the topic, which is on the
 * heap.
 */
void hub_connections_send(hub_connections *cs, hub_connection *c, char *topic, const void *payload,
                          size_t len);
/** Returns a connection with queued publishes, which it takes out of the list; NULL: none. */
hub_connection *hub_connections_take_sending(hub_connections *cs);

/** Marks the connection to be closed at the next tick. */
void hub_connections_reject(hub_connections *cs, hub_connection *c);
/** Returns the next connection to close and marks it as dropped; NULL: there is none. */
hub_connection *hub_connections_take_unwanted(hub_connections *cs);

/** Call it when the identity is deleted: its connections no longer refer to it. */
void hub_connections_forget(hub_identity *id);

/** Returns whether the client is connected, is not to be closed, and has this subscription. */
bool hub_connection_listens(const hub_identity *id, hub_subscription s);

#endif
