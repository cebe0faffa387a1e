#ifndef HUB_REST_EMULATOR_H
#define HUB_REST_EMULATOR_H

#include "rest/rest_route.h"

/**
 * Routes of messages to devices, telemetry and simulated faults, which the real hub does not offer
 * over HTTP.
 */
extern const rest_route rest_emulator_routes[];

#endif
