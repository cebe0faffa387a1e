#ifndef HUB_REST_EMULATOR_H
#define HUB_REST_EMULATOR_H

#include "rest/rest_route.h"

/** Routes of messages to devices, telemetry and faults, which the real hub offers by other
 * protocols. */
extern const rest_route rest_emulator_routes[];

#endif
