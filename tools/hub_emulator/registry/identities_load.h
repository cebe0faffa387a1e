#ifndef HUB_IDENTITIES_LOAD_H
#define HUB_IDENTITIES_LOAD_H

#include "registry/identities.h"

/**
 * Fills an empty list from disk. Renames damaged files, and removes what an interrupted deletion
 * has left.
 */
hub_result hub_identities_load(hub_identities *l, const hub_store *store, hub_fault *fault);

#endif
