#ifndef IOTHUB_BUSY_H
#define IOTHUB_BUSY_H

/**
 * @file
 * The work that a stop or a planned change of the connection waits for.
 */

#include "context/context.h"

/** What the features have under way on the connection in use. */
typedef struct session_busy {
    bool methods_open; /* somebody may still wait for an answer */
    bool deferred;     /* messages that are to be accepted later */
    bool own_request;  /* of the twin's lane, one is the client's own */
} session_busy;

/** True while requests of the application have not ended that a stop waits for. */
bool busy_with_requests(const iothub_context *context, const session_busy *busy);

/**
 * True while there is work that the connection in use began and a new one cannot end.  A twin
 * request could be asked again, but that is twice the work for the hub.
 */
bool busy_with_connection(const iothub_context *context, const session_busy *busy);

/** True while something has to be acknowledged, or sent, before DISCONNECT.  methods: open ones
 * count as well. */
bool busy_with_last_messages(const iothub_context *context, const session_busy *busy, bool methods);

#endif
