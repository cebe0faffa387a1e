#ifndef HUB_REST_REGISTRY_H
#define HUB_REST_REGISTRY_H

#include "rest/rest_route.h"

/** Routes of devices, modules and their counts. */
extern const rest_route rest_registry_routes[];

#endif
