#ifndef HUB_REST_BULK_H
#define HUB_REST_BULK_H

#include "rest/rest_route.h"

/** Routes of up to 100 identities in one request. */
extern const rest_route rest_bulk_routes[];

#endif
