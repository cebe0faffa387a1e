#ifndef HUB_REGISTRY_H
#define HUB_REGISTRY_H

/**
 * @file All identities and the shared access policies of the hub, and their files. Every change is
 * written to disk before it changes the memory and before the call returns.
 */

#include "registry/authorities.h"
#include "registry/identities.h"
#include "registry/policies.h"

typedef struct hub_registry {
    hub_store store;
    hub_policies policies;
    hub_authorities authorities;
    hub_identities identities;
} hub_registry;

/**
 * Opens the directory; a new one gets its policies and keys. A damaged file is renamed and
 * reported, and the rest is served. notice may be NULL. Waiting messages have no deadline until
 * hub_registry_start is called.
 */
hub_result hub_registry_open(hub_registry *r, const char *dir, hub_notice notice, void *user,
                             hub_fault *fault);
/** From this call on messages expire. */
void hub_registry_start(hub_registry *r, hub_clock now);
void hub_registry_close(hub_registry *r);

/** Finds a module or, if module is NULL, the device itself. Returns NULL if there is none. */
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
    const cJSON *identity; /* new identity, like the body of a PUT */
    const cJSON *twin;     /* new twin, like the body of a PATCH or a PUT */
    hub_twin_mode mode;    /* decides whether twin is a PATCH or a PUT */
    const cJSON *reported; /* a change by the device; not allowed together with twin */
    const char *model;     /* model id that a login has announced */
    bool purge;            /* drop the waiting messages; they are not read back after a restart */
    cJSON *notify; /* result: the desired change to send to the device; the caller frees it */
} hub_change;

/** Call it when the notification was sent. */
void hub_change_forget_notice(hub_change *c);

/**
 * Makes an identity. c may be NULL, and has no reported and no purge. *out belongs to the registry.
 */
hub_result hub_registry_create(hub_registry *r, const char *device, const char *module,
                               hub_change *c, int64_t now_ms, hub_identity **out, hub_fault *fault);
/** Changes an identity. A failure changes nothing, neither in memory nor on disk. */
hub_result hub_registry_change(hub_registry *r, hub_identity *id, hub_change *c, int64_t now_ms,
                               hub_fault *fault);
/**
 * The first half of a deletion: removes the file of the identity. From then on the identity is
 * deleted; a failure changes nothing. Its other files (modules of a device, messages) are removed
 * by the second half, or by hub_registry_open at the next start.
 */
hub_result hub_registry_remove_file(hub_registry *r, const hub_identity *id, hub_fault *fault);
/** The second half of a deletion: removes the identity from memory and its messages from disk. */
void hub_registry_forget(hub_registry *r, hub_identity *id);

#endif
