#ifndef HUB_POLICIES_H
#define HUB_POLICIES_H

/** @file  The shared access policies of the hub: what their names allow, and their keys. */

#include "base/result.h"
#include "state/store.h"

/** Permissions of the hub; values are bits of one set. */
typedef enum hub_right {
    HUB_RIGHT_REGISTRY_READ = 1,
    HUB_RIGHT_REGISTRY_WRITE = 2,
    HUB_RIGHT_SERVICE_CONNECT = 4,
    HUB_RIGHT_DEVICE_CONNECT = 8
} hub_right;

typedef struct hub_policy {
    const char *name;
    unsigned rights;
    char *primary_key;
    char *secondary_key;
} hub_policy;

#define HUB_POLICY_COUNT 5

typedef struct hub_policies {
    hub_policy items[HUB_POLICY_COUNT];
} hub_policies;

/** Read the keys from the state directory; a new one gets new keys. */
hub_result hub_policies_open(hub_policies *p, const hub_store *store, hub_fault *fault);
void hub_policies_free(hub_policies *p);
/** NULL when there is no policy of that name. */
const hub_policy *hub_policies_find(const hub_policies *p, const char *name);
/** HostName=..;SharedAccessKeyName=iothubowner;SharedAccessKey=.., on the heap. */
char *hub_policies_connection_string(const hub_policies *p, const char *host);

#endif
