#ifndef HUB_IDENTITIES_H
#define HUB_IDENTITIES_H

/** @file  All devices and modules, in the order of their client ids. */

#include "registry/identity.h"

/** Start with { 0 }. */
typedef struct hub_identities {
    hub_identity **items; /* ordered by client id */
    size_t count;
    size_t capacity;
    unsigned last_number; /* the highest that was ever given away */
} hub_identities;

/** The list owns the identity from here on. */
void hub_identities_insert(hub_identities *l, hub_identity *id);
/** The identity itself stays, and belongs to the caller. */
void hub_identities_take_out(hub_identities *l, const hub_identity *id);
/** A file that is still there has this number: it is not given away again. */
void hub_identities_note_number(hub_identities *l, unsigned number);
void hub_identities_free(hub_identities *l);

/** module NULL: the device itself. Returns NULL if there is none. */
hub_identity *hub_identities_find(const hub_identities *l, const char *device, const char *module);
hub_identity *hub_identities_find_client(const hub_identities *l, const char *client_id);
/** Returns the modules of a device, which are adjacent; valid until the list changes. */
hub_identity *const *hub_identities_modules(const hub_identities *l, const char *device,
                                            size_t *count);
/** Index in items of the first whose client id sorts behind this one. */
size_t hub_identities_after(const hub_identities *l, const char *client_id);

#endif
