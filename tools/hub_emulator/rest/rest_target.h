#ifndef HUB_REST_TARGET_H
#define HUB_REST_TARGET_H

/**
 * @file
 * Finds the identity of a request, and checks If-Match.
 */

#include "hub/hub.h"
#include "rest/rest_reply.h"
#include "rest/rest_request.h"

/**
 * Returns whether If-Match allows the request. NULL (no such header) and * allow it; quotes are
 * ignored.
 */
bool rest_etag_matches(const char *if_match, const char *etag);
/**
 * Return HUB_OK if If-Match allows it for the etag of the identity or of its twin, otherwise
 * HUB_ERR_ETAG.
 */
hub_result rest_check_identity_etag(const char *if_match, const hub_identity *id, hub_fault *fault);
hub_result rest_check_twin_etag(const char *if_match, const hub_identity *id, hub_fault *fault);
/**
 * Returns the identity that args[0] and, for a module, args[1] name. If there is none, returns NULL
 * and completes the reply.
 */
hub_identity *rest_identity(hub *h, const rest_request *r, rest_handling *out);

#endif
