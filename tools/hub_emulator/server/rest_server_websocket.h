#ifndef HUB_REST_SERVER_WEBSOCKET_H
#define HUB_REST_SERVER_WEBSOCKET_H

/**
 * @file Refuses AMQP clients that connect by WebSocket to the port of the REST service, with
 * amqp_refusal.h. The vendor's service SDKs would retry for minutes after any other answer.
 */

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

/** The clients that were upgraded to WebSocket; initialise it with { 0 }. */
typedef struct rest_websockets {
    struct rest_websocket *first;
    unsigned count;
} rest_websockets;

/** Returns true if the request asks for an AMQP connection. */
bool rest_websocket_wanted(struct MHD_Connection *connection, const char *method, const char *path);
/** Answers the request with status 101. MHD_NO closes the connection. */
enum MHD_Result rest_websocket_upgrade(rest_websockets *w, struct MHD_Connection *connection);
/** Serves the connected clients. Returns true if the HTTP daemons have more work. */
bool rest_websockets_run(rest_websockets *w, int64_t now_ms);
/** Closes all connections, before the daemons stop. */
void rest_websockets_stop(rest_websockets *w);

#endif
