#ifndef HUB_REST_DEVICE_EVENTS_H
#define HUB_REST_DEVICE_EVENTS_H

/**
 * @file
 * Telemetry that a device sends over HTTPS: one message with its properties as headers, or a batch
 * as JSON.
 */

#include "rest/rest_route.h"

extern const rest_route rest_device_events_routes[];

#endif
