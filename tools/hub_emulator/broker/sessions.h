#ifndef HUB_SESSIONS_H
#define HUB_SESSIONS_H

/**
 * @file
 * Ends a session that the broker keeps for a client that is not connected.
 *
 * Mosquitto offers no function for this to plugins. But in MQTT, a login with the same client id
 * and a clean session ends the earlier session. So the plugin makes such a login itself, over a
 * Unix socket in the state directory. It never waits: the broker runs on the same thread and
 * handles the packets of the socket in its next round.
 */

#include <stdbool.h>
#include <stddef.h>

/** Where the broker listens for these logins, in its working directory. */
#define HUB_SESSIONS_SOCKET "broker.sock"

typedef struct hub_sessions {
    char secret[65]; /* password of these logins */
    char **pending;  /* client ids */
    size_t pending_count;
    int *fds; /* sockets of logins in progress */
    size_t fd_count;
} hub_sessions;

void hub_sessions_init(hub_sessions *s);
void hub_sessions_free(hub_sessions *s);
/** Requests the end of the session, which happens in one of the next calls of hub_sessions_run. */
void hub_sessions_end(hub_sessions *s, const char *client_id);
/** Returns true if this login was made by these functions. */
bool hub_sessions_owns(const hub_sessions *s, const char *user_name, const char *password);
/** Often. */
void hub_sessions_run(hub_sessions *s);

#endif
