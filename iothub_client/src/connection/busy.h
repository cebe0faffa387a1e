#ifndef IOTHUB_BUSY_H
#define IOTHUB_BUSY_H

/** @file The open work that a stop or a renewal waits for. */

#include "context/context.h"

/** The open work of the features on the connection in use. */
typedef struct session_busy {
    bool methods_open; /* a caller may still wait for an answer */
    bool deferred;     /* there are deferred messages */
    bool own_request;  /* one request in the twin's lane is the client's own */
} session_busy;

/** True while a stop must wait for requests of the application. */
bool busy_with_requests(const iothub_context *context, const session_busy *busy);

/**
 * True while there is work that was begun on the connection in use and cannot be finished on a new
 * one. A twin request could be repeated, but that would double the work of the hub.
 */
bool busy_with_connection(const iothub_context *context, const session_busy *busy);

/**
 * True while something must be acknowledged or sent before DISCONNECT. methods: open method calls
 * count, too.
 */
bool busy_with_last_messages(const iothub_context *context, const session_busy *busy, bool methods);

#endif
