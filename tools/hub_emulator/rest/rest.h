#ifndef HUB_REST_H
#define HUB_REST_H

/**
 * @file
 * The service API without HTTP: a request that was taken apart goes in, a reply
 * comes out.  The folder server puts it on the wire.
 */

#include "hub/hub.h"
#include "rest/rest_reply.h"
#include "rest/rest_request.h"

/** Handle a request; out was prepared by rest_handling_begin. */
rest_outcome rest_handle(hub *h, rest_request *request, rest_handling *out);
/** The caller of a REST_LATER has gone: `finished` will not be called. */
void rest_abandon(hub *h, rest_handling *out);

#endif
