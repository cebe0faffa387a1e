#ifndef HUB_GATEWAY_H
#define HUB_GATEWAY_H

/**
 * @file
 * Requests that a module of an Edge device makes by HTTPS at the gateway, which is the module
 * $edgeHub in the real product. The emulator is both hub and gateway.
 */

#include "registry/registry.h"

typedef struct hub_gateway_request {
    const char *caller;        /* value of the header x-ms-edge-moduleId: "device/module" */
    const char *authorization; /* a token that the module has signed; may be NULL */
    const char *target;        /* the device whose method, or whose module's method, is called */
} hub_gateway_request;

/**
 * Checks that the caller is a module of an Edge device, that it has signed the token for itself,
 * and that the target is this Edge device or one of its children.
 */
hub_result hub_gateway_check(const hub_registry *r, const hub_gateway_request *request,
                             int64_t now_s, hub_fault *fault);

#endif
