#ifndef HUB_DIGITAL_TWIN_H
#define HUB_DIGITAL_TWIN_H

/**
 * @file The digital twin of IoT Plug and Play: a view of the device twin by components. Like the
 * hub, the emulator has no models: a component is recognised by the marker "__t":"c" in desired or
 * reported properties.
 */

#include "registry/identity.h"

/** Returns the digital twin as GET /digitaltwins/{device} shows it. */
cJSON *hub_digital_twin_view(const hub_identity *id);

/**
 * Desired properties as they are after a JSON Patch (RFC 6902: add, replace and remove of a
 * property, of a component, or of a component's property); the twin itself is not changed.
 * HUB_ERR_ARGUMENT names the operation at fault.
 */
hub_result hub_digital_twin_patch(const hub_twin *t, const cJSON *operations, cJSON **desired,
                                  hub_fault *fault);

#endif
