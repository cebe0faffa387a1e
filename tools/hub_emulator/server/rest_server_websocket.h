#ifndef HUB_REST_SERVER_WEBSOCKET_H
#define HUB_REST_SERVER_WEBSOCKET_H

/**
 * @file
 * AMQP clients that come by WebSocket to the port of the REST service: they are told
 * that AMQP is not there, as amqp_refusal.h does it, since the vendor's service SDKs try
 * again for minutes after any other answer.
 */

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

/** Clients that were upgraded; start with { 0 }. */
typedef struct rest_websockets {
    struct rest_websocket *first;
    unsigned count;
} rest_websockets;

/** Does the request want to become an AMQP connection? */
bool rest_websocket_wanted(struct MHD_Connection *connection, const char *method, const char *path);
/** Answer it with 101.  MHD_NO closes the connection. */
enum MHD_Result rest_websocket_upgrade(rest_websockets *w, struct MHD_Connection *connection);
/** Serve who is there; true when the daemons have something to pass on. */
bool rest_websockets_run(rest_websockets *w, int64_t now_ms);
/** Hang up on all, before the daemons stop. */
void rest_websockets_stop(rest_websockets *w);

#endif
