#ifndef HUB_REST_DEVICE_BOUND_H
#define HUB_REST_DEVICE_BOUND_H

/**
 * @file
 * Cloud-to-device messages that a device receives over HTTPS, under a lock.
 */

#include "rest/rest_route.h"

extern const rest_route rest_device_bound_routes[];

#endif
