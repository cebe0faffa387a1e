#ifndef HUB_SESSION_H
#define HUB_SESSION_H

/**
 * @file
 * The broker's state of a client; it is lost with the broker.
 */

#include <stdbool.h>

#include "messages/topics.h"

struct hub_connection;

/** A session; initialise it with { 0 }. */
typedef struct hub_session {
    struct hub_connection *connection; /* NULL while the client is not connected */
    bool exists;                       /* true if the broker keeps a session */
    bool old_api;                      /* api-version 2016-11-14 */
    int c2d_qos;                       /* QoS that was granted for cloud-to-device messages */
    unsigned subscriptions;            /* a set of hub_subscription bits */
} hub_session;

/** Call it at a login. kept means that the session outlives the connection. */
void hub_session_connect(hub_session *s, struct hub_connection *connection, bool kept,
                         bool old_api);
/** Call it when the connection has ended; a kept session remains. */
void hub_session_leave(hub_session *s);
/**
 * Call it when the broker has no session any more: all subscriptions are gone. The connection
 * remains.
 */
void hub_session_end(hub_session *s);
void hub_session_subscribe(hub_session *s, hub_subscription to, int qos);
void hub_session_unsubscribe(hub_session *s, hub_subscription from);

#endif
