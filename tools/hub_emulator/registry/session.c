#include "registry/session.h"

#include <stddef.h>

void hub_session_connect(hub_session *s, struct hub_connection *connection, bool kept, bool old_api)
{
    s->connection = connection;
    s->exists = kept;
    s->old_api = old_api;
}

void hub_session_leave(hub_session *s)
{
    s->connection = NULL;
}

void hub_session_end(hub_session *s)
{
    *s = (hub_session){ .connection = s->connection };
}

void hub_session_subscribe(hub_session *s, hub_subscription to, int qos)
{
    s->subscriptions |= to;
    if (to == HUB_SUB_C2D) {
        s->c2d_qos = qos > 0 ? 1 : 0;
    }
}

void hub_session_unsubscribe(hub_session *s, hub_subscription from)
{
    s->subscriptions &= ~(unsigned)from;
}
