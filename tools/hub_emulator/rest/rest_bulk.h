#ifndef HUB_REST_BULK_H
#define HUB_REST_BULK_H

#include "rest/rest_route.h"

/** Routes of requests for up to 100 identities. */
extern const rest_route rest_bulk_routes[];

#endif
