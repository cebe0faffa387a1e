#ifndef HUB_REGISTRY_LOAD_H
#define HUB_REGISTRY_LOAD_H

/* What is on disk at the start.  Shared with registry.c only. */

#include "registry/registry.h"

/* Fill an empty registry; sets aside what is damaged, removes what a deletion left behind. */
hub_result hub_registry_load(hub_registry *r, hub_fault *fault);

void hub_registry_insert(hub_registry *r, hub_identity *id);
/* Out of the list; the identity itself stays. */
void hub_registry_take_out(hub_registry *r, const hub_identity *id);

#endif
