#ifndef HUB_REST_QUERY_H
#define HUB_REST_QUERY_H

#include "rest/rest_route.h"

/** Routes of queries. */
extern const rest_route rest_query_routes[];

#endif
