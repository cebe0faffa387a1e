#ifndef HUB_IDENTITIES_H
#define HUB_IDENTITIES_H

/** @file  All devices and modules, in the order of their client ids. */

#include "registry/identity.h"

/** A list; { 0 } is an empty one. */
typedef struct hub_identities {
    hub_identity **items; /* sorted by client id */
    size_t count;
    size_t capacity;
    unsigned last_number; /* the highest number that was ever assigned */
} hub_identities;

/** Adds an identity. The list takes ownership of it. */
void hub_identities_insert(hub_identities *l, hub_identity *id);
/** Removes the identity from the list; the caller owns it then. */
void hub_identities_take_out(hub_identities *l, const hub_identity *id);
/**
 * Call it for a file that still exists with this number, so that the number is not assigned again.
 */
void hub_identities_note_number(hub_identities *l, unsigned number);
void hub_identities_free(hub_identities *l);

/** Finds a module or, if module is NULL, the device itself. Returns NULL if there is none. */
hub_identity *hub_identities_find(const hub_identities *l, const char *device, const char *module);
hub_identity *hub_identities_find_client(const hub_identities *l, const char *client_id);
/** Returns the modules of a device, which are adjacent; valid until the list changes. */
hub_identity *const *hub_identities_modules(const hub_identities *l, const char *device,
                                            size_t *count);
/** Returns the index in items of the first client id that is greater than this one. */
size_t hub_identities_after(const hub_identities *l, const char *client_id);

#endif
