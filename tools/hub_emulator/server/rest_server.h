#ifndef HUB_REST_SERVER_H
#define HUB_REST_SERVER_H

/**
 * @file
 * HTTP in front of rest.h, with libmicrohttpd. The TLS front hands it each connection (call.h),
 * without TLS, together with the certificates of the client. Everything runs inside rest_server_run
 * on the caller's thread. Another thread only watches the sockets, and interrupts the caller's
 * sleep when there is something to do.
 */

#include "hub/hub.h"

typedef struct rest_server rest_server;

/**
 * Starts a server for the connections that arrive on the socket calls_fd, which belongs to the
 * caller. Returns NULL on failure. Call it on the thread that will call rest_server_run.
 */
rest_server *rest_server_start(hub *h, int calls_fd);
/** Serves ready connections; never blocks. */
void rest_server_run(rest_server *s);
void rest_server_stop(rest_server *s);

#endif
