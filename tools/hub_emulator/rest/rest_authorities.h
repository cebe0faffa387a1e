#ifndef HUB_REST_AUTHORITIES_H
#define HUB_REST_AUTHORITIES_H

#include "rest/rest_route.h"

/**
 * The routes for the CAs of certificates of devices. The real hub has them in its management API.
 */
extern const rest_route rest_authorities_routes[];

#endif
