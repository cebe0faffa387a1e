#ifndef HUB_REST_H
#define HUB_REST_H

/**
 * @file
 * The service API without HTTP: its input is a parsed request, its output is a reply. The folder
 * `server` connects it to HTTP.
 */

#include "hub/hub.h"
#include "rest/rest_reply.h"
#include "rest/rest_request.h"

/** Handles a request; rest_handling_begin must have prepared out. */
rest_outcome rest_handle(hub *h, rest_request *request, rest_handling *out);
/**
 * Call it if the caller of a request that returned REST_LATER has disconnected: `finished` will not
 * be called.
 */
void rest_abandon(hub *h, rest_handling *out);

#endif
