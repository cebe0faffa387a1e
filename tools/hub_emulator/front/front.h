#ifndef HUB_FRONT_H
#define HUB_FRONT_H

/**
 * @file
 * The TLS front, to which devices and services connect. It ends TLS and asks for a client
 * certificate. The bytes of MQTT, which arrive on the MQTT port or by WebSocket on the HTTPS port,
 * go to the broker, which listens on a Unix socket and accepts only clients of the front; the
 * CONNECT that it forwards carries what the front knows (envelope.h). Every other connection of the
 * HTTPS port is handed to the HTTP server (call.h).
 *
 * It runs on a thread of its own, which never waits for a client or for the broker, but for a
 * moment for the hub while the link is full.
 */

#include "front/front_client.h"

typedef struct hub_front hub_front;

/** IPv4 and IPv6. */
#define HUB_FRONT_FAMILIES 2

typedef struct hub_front_config {
    /* Listening sockets; -1: none. The front closes them. */
    int listening[HUB_FRONT_SERVICES][HUB_FRONT_FAMILIES];
    const char *state_dir;   /* folder of server.crt and server.key, and of the broker's socket */
    const char *broker_name; /* name of the Unix socket in it */
    const char *secret;      /* belongs to the caller */
    int notes;               /* socket to the hub (note.h), which the front closes; -1: none */
    int calls;               /* socket to the HTTP server, which the front closes; -1: none */
    hub_front_timing timing;
    hub_front_log log; /* called on the thread of the front; may be NULL */
    void *user;
} hub_front_config;

/** The usual times: 30 seconds for a login, 2 seconds of lingering. */
#define HUB_FRONT_TIMING ((hub_front_timing){ .login_ms = 30000, .linger_ms = 2000 })

/** Starts a front. After a failure the sockets still belong to the caller. */
hub_result hub_front_start(hub_front **out, const hub_front_config *config, hub_fault *fault);
/** Closes all connections and ends the thread. f may be NULL. */
void hub_front_stop(hub_front *f);

#endif
