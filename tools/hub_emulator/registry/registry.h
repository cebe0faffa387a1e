#ifndef HUB_REGISTRY_H
#define HUB_REGISTRY_H

/**
 * @file All identities and the shared access policies of the hub, and their files. Every change is
 * written to disk before it changes the memory and before the call returns.
 */

#include "registry/identity.h"

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

/**
 * Read the directory; a new one gets its policies and keys.  A damaged file is set aside and
 * reported, and the rest is served.  notice may be NULL.  The waiting messages have no deadline
 * before hub_registry_start.
 */
hub_result hub_registry_open(hub_registry *r, const char *dir, hub_notice notice, void *user,
                             hub_fault *fault);
/** From here on messages expire. */
void hub_registry_start(hub_registry *r, hub_clock now);
void hub_registry_close(hub_registry *r);

const hub_policy *hub_registry_policy(const hub_registry *r, const char *name);
/** HostName=..;SharedAccessKeyName=iothubowner;SharedAccessKey=.., on the heap. */
char *hub_registry_connection_string(const hub_registry *r, const char *host);

/** module NULL: the device.  NULL when there is none. */
hub_identity *hub_registry_find(const hub_registry *r, const char *device, const char *module);
hub_identity *hub_registry_find_client(const hub_registry *r, const char *client_id);
/** Returns the modules of a device, which are adjacent; valid until the registry changes. */
hub_identity *const *hub_registry_modules(const hub_registry *r, const char *device, size_t *count);
/** Index in items of the first whose client id sorts behind this one. */
size_t hub_registry_after(const hub_registry *r, const char *client_id);

/** A set of changes that are applied together; a NULL member changes nothing. */
typedef struct hub_change {
    const cJSON *identity; /* as in a PUT of the identity */
    const cJSON *twin;     /* as in a PATCH of the twin, or a PUT */
    hub_twin_mode mode;    /* which of them */
    const cJSON *reported; /* as the device reports; not together with twin */
    const char *model;     /* what a login announced */
    bool purge;            /* drop the waiting messages; they are not read back after a restart */
    cJSON *notify;         /* out: what the device is told of the twin; the caller frees it */
} hub_change;

/** c may be NULL, and has no reported and no purge.  *out belongs to the registry. */
hub_result hub_registry_create(hub_registry *r, const char *device, const char *module,
                               hub_change *c, int64_t now_ms, hub_identity **out, hub_fault *fault);
/** A failure changes nothing, neither in memory nor on disk. */
hub_result hub_registry_change(hub_registry *r, hub_identity *id, hub_change *c, int64_t now_ms,
                               hub_fault *fault);
/**
 * The first half of a deletion: removes the file of the identity. From then on the identity is
 * deleted; a failure changes nothing. Its other files (modules of a device, messages) are removed
 * by the second half, or by hub_registry_open at the next start.
 */
hub_result hub_registry_remove_file(hub_registry *r, const hub_identity *id, hub_fault *fault);
/** The second half: the identity goes from memory, and its messages from disk. */
void hub_registry_forget(hub_registry *r, hub_identity *id);

#endif
