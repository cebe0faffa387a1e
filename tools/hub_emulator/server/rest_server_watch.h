#ifndef HUB_REST_SERVER_WATCH_H
#define HUB_REST_SERVER_WATCH_H

/** @file The clients of the HTTP server that watch telemetry. */

#include <stdbool.h>

#include <microhttpd.h>

#include "hub/hub.h"
#include "rest/rest_watch.h"

typedef struct rest_watchers {
    hub *hub;
    struct rest_watcher *first;
    uint64_t announced; /* sequence number up to which watchers have been woken */
} rest_watchers;

void rest_watchers_init(rest_watchers *ws, hub *h);
/** Answers the request with the events of *watch, of which it takes ownership. */
enum MHD_Result rest_watchers_add(rest_watchers *ws, struct MHD_Connection *connection,
                                  const rest_watch *watch);
/** Continues those for which there is something to send. Returns whether there was one. */
bool rest_watchers_wake(rest_watchers *ws);
/** Ends those whose client has closed its connection. Returns whether there was one. */
bool rest_watchers_drop_leavers(rest_watchers *ws);
/** Ends all of them. */
void rest_watchers_end(rest_watchers *ws);

/**
 * Returns whether the client has closed its connection. libmicrohttpd does not notice it while a
 * connection is suspended.
 */
bool rest_connection_has_left(struct MHD_Connection *connection);

#endif
