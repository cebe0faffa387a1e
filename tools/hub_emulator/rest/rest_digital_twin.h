#ifndef HUB_REST_DIGITAL_TWIN_H
#define HUB_REST_DIGITAL_TWIN_H

#include "rest/rest_route.h"

/** Routes of digital twins and their commands. */
extern const rest_route rest_digital_twin_routes[];

#endif
