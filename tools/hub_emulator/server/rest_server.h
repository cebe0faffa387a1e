#ifndef HUB_REST_SERVER_H
#define HUB_REST_SERVER_H

/**
 * @file
 * HTTPS in front of rest.h, with libmicrohttpd. Everything runs inside rest_server_run on the
 * caller's thread. Another thread only watches the sockets, and interrupts the caller's sleep when
 * there is something to do.
 */

#include "hub/hub.h"

typedef struct rest_server rest_server;

#define REST_SOCKETS_MAX 2

typedef struct rest_server_config {
    const char *certificate_file;  /* PEM */
    const char *key_file;          /* PEM */
    int sockets[REST_SOCKETS_MAX]; /* listening sockets; -1: unused */
} rest_server_config;

/** Returns NULL on failure. Call it on the thread that will call rest_server_run. */
rest_server *rest_server_start(hub *h, const rest_server_config *config);
/** Serves ready connections; never blocks. */
void rest_server_run(rest_server *s);
void rest_server_stop(rest_server *s);

#endif
