#ifndef IOTHUB_BUSY_H
#define IOTHUB_BUSY_H

/** @file The open work that a stop or a renewal waits for. */

#include "context/context.h"

/** Open work of the features on the connection in use. */
typedef struct session_busy {
    bool methods_open; /* a caller may still wait for an answer */
    bool deferred;     /* there are deferred messages */
    bool own_request;  /* the client's own GET is one of the requests in the twin's lane */
} session_busy;

/** Returns true while a stop must wait for requests of the application. */
bool busy_with_requests(const iothub_context *context, const session_busy *busy);

/**
 * Returns true while there is work that was begun on the connection in use and cannot be finished
 * on a new one. A twin request could be repeated, but that would double the work of the hub.
 */
bool busy_with_connection(const iothub_context *context, const session_busy *busy);

/**
 * Returns true while something must be acknowledged or sent before DISCONNECT. If methods is true,
 * open method calls count, too.
 */
bool busy_with_last_messages(const iothub_context *context, const session_busy *busy, bool methods);

#endif
