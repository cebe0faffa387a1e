#ifndef HUB_REST_TWIN_H
#define HUB_REST_TWIN_H

#include "rest/rest_route.h"

/** Routes of twins and direct methods. */
extern const rest_route rest_twin_routes[];

#endif
