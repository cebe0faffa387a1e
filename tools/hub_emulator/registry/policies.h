#ifndef HUB_POLICIES_H
#define HUB_POLICIES_H

/**
 * @file
 * The shared access policies of the hub and of its Device Provisioning Service: the rights that
 * belong to their names, and their keys.
 */

#include "base/result.h"
#include "state/store.h"

/** Permissions of the hub; the values are bits of a set. */
typedef enum hub_right {
    HUB_RIGHT_REGISTRY_READ = 1,
    HUB_RIGHT_REGISTRY_WRITE = 2,
    HUB_RIGHT_SERVICE_CONNECT = 4,
    HUB_RIGHT_DEVICE_CONNECT = 8,
    /* rights in the Device Provisioning Service */
    HUB_RIGHT_ENROLLMENT_READ = 16,
    HUB_RIGHT_ENROLLMENT_WRITE = 32,
    HUB_RIGHT_REGISTRATION_READ = 64,
    HUB_RIGHT_REGISTRATION_WRITE = 128,
    /* No policy has this right. It marks a route that a module of an Edge device may use; see
     * gateway.h. */
    HUB_RIGHT_EDGE_MODULE = 256
} hub_right;

typedef struct hub_policy {
    const char *name;
    unsigned rights;
    char *primary_key;
    char *secondary_key;
} hub_policy;

#define HUB_POLICY_COUNT 8

typedef struct hub_policies {
    hub_policy items[HUB_POLICY_COUNT];
} hub_policies;

/**
 * Reads the keys from the state directory. In a new directory new keys are made, as for a policy
 * that an earlier version did not have.
 */
hub_result hub_policies_open(hub_policies *p, const hub_store *store, hub_fault *fault);
void hub_policies_free(hub_policies *p);
/** Returns the policy, or NULL if there is none with that name. */
const hub_policy *hub_policies_find(const hub_policies *p, const char *name);
/** Returns HostName=..;SharedAccessKeyName=iothubowner;SharedAccessKey=.., on the heap. */
char *hub_policies_connection_string(const hub_policies *p, const char *host);
/** Does the same with the policy provisioningserviceowner. */
char *hub_policies_dps_connection_string(const hub_policies *p, const char *host);

#endif
