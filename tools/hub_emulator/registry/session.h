#ifndef HUB_SESSION_H
#define HUB_SESSION_H

/** @file  The broker's state of a client; it is lost with the broker. */

#include <stdbool.h>

#include "messages/topics.h"

struct hub_connection;

/** Start with { 0 }. */
typedef struct hub_session {
    struct hub_connection *connection; /* NULL while away */
    bool exists;                       /* the broker keeps a session */
    bool old_api;                      /* api-version 2016-11-14 */
    int c2d_qos;                       /* as granted */
    unsigned subscriptions;            /* set of hub_subscription */
} hub_session;

/** A login. kept: the session outlives the connection. */
void hub_session_connect(hub_session *s, struct hub_connection *connection, bool kept,
                         bool old_api);
/** The connection has ended; the session goes on if it is kept. */
void hub_session_leave(hub_session *s);
/** No session any more: nothing is subscribed.  The connection stays. */
void hub_session_end(hub_session *s);
void hub_session_subscribe(hub_session *s, hub_subscription to, int qos);
void hub_session_unsubscribe(hub_session *s, hub_subscription from);

#endif
