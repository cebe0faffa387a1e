#ifndef HUB_REST_SERVICE_BOUND_H
#define HUB_REST_SERVICE_BOUND_H

/**
 * @file
 * Messages of the hub for services: feedback about cloud-to-device messages, and notifications of
 * file uploads.
 */

#include "rest/rest_route.h"

extern const rest_route rest_service_bound_routes[];

#endif
