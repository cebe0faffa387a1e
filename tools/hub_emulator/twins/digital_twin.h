#ifndef HUB_DIGITAL_TWIN_H
#define HUB_DIGITAL_TWIN_H

/**
 * @file The digital twin of IoT Plug and Play: a view of the device twin by components. Like the
 * hub, the emulator has no models: a component is recognised by the marker "__t":"c" in desired or
 * reported properties.
 */

#include "twins/twin.h"

/** Returns the digital twin as GET /digitaltwins/{device} shows it. */
cJSON *hub_digital_twin_view(const char *device, const char *model_id, const hub_twin *t);

/** Returns whether value is a component: an object with the member "__t":"c". NULL is not one. */
bool hub_is_component(const cJSON *value);

#endif
