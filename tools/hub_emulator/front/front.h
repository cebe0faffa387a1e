#ifndef HUB_FRONT_H
#define HUB_FRONT_H

/**
 * @file
 * The TLS front, to which devices connect. It ends TLS, asks for a client certificate, and forwards
 * the bytes of each device to the broker, which listens on a Unix socket and accepts only clients
 * of the front. The CONNECT that it forwards carries what the front knows (envelope.h).
 *
 * The front has its own thread, which never waits for a client or for the broker.
 */

#include "front/front_client.h"

typedef struct hub_front hub_front;

typedef struct hub_front_config {
    int listening[2];        /* listening sockets, which the front closes; -1: none */
    const char *state_dir;   /* contains server.crt, server.key and the socket of the broker */
    const char *broker_name; /* name of the Unix socket in it */
    const char *secret;      /* belongs to the caller */
    int refusals; /* socket on which the hub reports refusals (front_refusal.h); -1: none */
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
