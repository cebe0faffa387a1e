#ifndef HUB_SCOPES_H
#define HUB_SCOPES_H

/**
 * @file
 * Parents of devices (deviceScope and parentScopes), by the rules of IoT Edge. An edge device has a
 * scope of its own, ms-azure-iot-edge://{deviceId}-{generationId}, which the hub makes and never
 * changes; its parentScopes name its parent edge device. The deviceScope of any other device is the
 * scope of its parent, and parentScopes repeats it. A device has at most one parent.
 */

#include "registry/identities.h"

/**
 * Sets the scopes of a changed copy from the body of a PUT. A missing member keeps the old value;
 * null, "" or [] removes it. was is the identity before the change, or NULL for a new one.
 * HUB_ERR_SCOPE means that the value is not the scope of a registered edge device, or that it would
 * make a circle.
 */
hub_result hub_scopes_apply(const hub_identities *all, const hub_identity *was, hub_identity *next,
                            const cJSON *body, hub_fault *fault);

#endif
