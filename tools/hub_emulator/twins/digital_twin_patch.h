#ifndef HUB_DIGITAL_TWIN_PATCH_H
#define HUB_DIGITAL_TWIN_PATCH_H

#include "twins/twin.h"

/**
 * Computes the desired properties after a JSON Patch (RFC 6902: add, replace and remove of a
 * property, a component, or a property of a component); the twin itself is not changed.
 * HUB_ERR_ARGUMENT names the operation at fault.
 */
hub_result hub_digital_twin_patch(const hub_twin *t, const cJSON *operations, cJSON **desired,
                                  hub_fault *fault);

#endif
