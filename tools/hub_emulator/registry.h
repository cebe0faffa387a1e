#ifndef HUB_REGISTRY_H
#define HUB_REGISTRY_H

/**
 * @file
 * All identities and the shared access policies of the hub, with their place on
 * disk.  Every change is on disk before the call returns.
 */

#include "identity.h"

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

typedef struct hub_registry {
    hub_store store;
    hub_policy policies[HUB_POLICY_COUNT];
    hub_identity **items; /* ordered by client id */
    size_t count;
    size_t capacity;
    unsigned last_number;
} hub_registry;

/** Read the directory; a new one gets its policies and keys. */
hub_result hub_registry_open(hub_registry *r, const char *dir, hub_fault *fault);
void hub_registry_close(hub_registry *r);

const hub_policy *hub_registry_policy(const hub_registry *r, const char *name);
/** HostName=..;SharedAccessKeyName=iothubowner;SharedAccessKey=.., on the heap. */
char *hub_registry_connection_string(const hub_registry *r, const char *host);

/** module NULL: the device.  NULL when there is none. */
hub_identity *hub_registry_find(const hub_registry *r, const char *device, const char *module);
hub_identity *hub_registry_find_client(const hub_registry *r, const char *client_id);
/** The modules of a device, which stand together; valid until the registry changes. */
hub_identity *const *hub_registry_modules(const hub_registry *r, const char *device, size_t *count);
/** Index in items of the first whose client id sorts behind this one. */
size_t hub_registry_after(const hub_registry *r, const char *client_id);

/** body may be NULL.  *out belongs to the registry. */
hub_result hub_registry_create(hub_registry *r, const char *device, const char *module,
                               const cJSON *body, int64_t now_ms, hub_identity **out,
                               hub_fault *fault);
hub_result hub_registry_update(hub_registry *r, hub_identity *id, const cJSON *body, int64_t now_ms,
                               hub_fault *fault);
hub_result hub_registry_save(hub_registry *r, const hub_identity *id, hub_fault *fault);
/** Keep the model that a login announced.  A failure changes nothing. */
hub_result hub_registry_set_model(hub_registry *r, hub_identity *id, const char *model,
                                  hub_fault *fault);
/** Remove from memory and disk. */
void hub_registry_remove(hub_registry *r, hub_identity *id);

#endif
