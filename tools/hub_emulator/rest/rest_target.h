#ifndef HUB_REST_TARGET_H
#define HUB_REST_TARGET_H

/** @file  Whom a request is about, and whether If-Match allows it. */

#include "hub/hub.h"
#include "rest/rest_reply.h"
#include "rest/rest_request.h"

/** Does If-Match allow it?  Absent (NULL) and * do; quotes do not matter. */
bool rest_etag_matches(const char *if_match, const char *etag);
/** The same for the etag of the identity or of its twin; otherwise HUB_ERR_ETAG. */
hub_result rest_check_identity_etag(const char *if_match, const hub_identity *id, hub_fault *fault);
hub_result rest_check_twin_etag(const char *if_match, const hub_identity *id, hub_fault *fault);
/** The identity that args[0] and, for a module, args[1] name; NULL with a complete reply. */
hub_identity *rest_identity(hub *h, const rest_request *r, rest_handling *out);

#endif
