#ifndef HUB_IDENTITIES_LOAD_H
#define HUB_IDENTITIES_LOAD_H

#include "registry/identities.h"

/** Fill an empty list from disk; sets aside what is damaged, removes what a deletion left behind.
 */
hub_result hub_identities_load(hub_identities *l, const hub_store *store, hub_fault *fault);

#endif
