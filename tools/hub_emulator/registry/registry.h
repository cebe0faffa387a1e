#ifndef HUB_REGISTRY_H
#define HUB_REGISTRY_H

/**
 * @file All identities and the shared access policies of the hub, and their files. Every change is
 * written to disk before it changes the memory and before the call returns.
 */

#include "registry/identities.h"
#include "registry/policies.h"

typedef struct hub_registry {
    hub_store store;
    hub_policies policies;
    hub_identities identities;
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

/** module NULL: the device itself. Returns NULL if there is none. */
static inline hub_identity *hub_registry_find(const hub_registry *r, const char *device,
                                              const char *module)
{
    return hub_identities_find(&r->identities, device, module);
}

static inline hub_identity *hub_registry_find_client(const hub_registry *r, const char *client_id)
{
    return hub_identities_find_client(&r->identities, client_id);
}

/** A set of changes that are applied together; a NULL member changes nothing. */
typedef struct hub_change {
    const cJSON *identity; /* as in a PUT of the identity */
    const cJSON *twin;     /* as in a PATCH of the twin, or a PUT */
    hub_twin_mode mode;    /* which of them */
    const cJSON *reported; /* as the device reports; not together with twin */
    const char *model;     /* what a login announced */
    bool purge;            /* drop the waiting messages; they are not read back after a restart */
    cJSON *notify; /* out: the desired change that is sent to the device; the caller frees it */
} hub_change;

/** The caller has sent the notification. */
void hub_change_forget_notice(hub_change *c);

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
