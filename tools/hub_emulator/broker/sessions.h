#ifndef HUB_SESSIONS_H
#define HUB_SESSIONS_H

/**
 * @file
 * Ends a session that the broker keeps for a client that is not connected.
 *
 * Mosquitto offers its plugins nothing for that, but MQTT does: whoever logs in under a client id
 * with a clean session ends the one before.  So the plugin does it, over a Unix socket in the state
 * directory.  It never waits: the broker, which is this very thread, takes the packets from the
 * socket at its next round.
 */

#include <stdbool.h>
#include <stddef.h>

/** Where the broker listens for it, in its working directory. */
#define HUB_SESSIONS_SOCKET "broker.sock"

typedef struct hub_sessions {
    char secret[65]; /* the password of these logins */
    char **pending;  /* client ids */
    size_t pending_count;
    int *fds; /* logins on their way */
    size_t fd_count;
} hub_sessions;

void hub_sessions_init(hub_sessions *s);
void hub_sessions_free(hub_sessions *s);
/** Ends the session in one of the next calls of hub_sessions_run. */
void hub_sessions_end(hub_sessions *s, const char *client_id);
/** True if this login is one of those of this part. */
bool hub_sessions_owns(const hub_sessions *s, const char *user_name, const char *password);
/** Often. */
void hub_sessions_run(hub_sessions *s);

#endif
