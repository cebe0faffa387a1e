#ifndef HUB_WORLD_H
#define HUB_WORLD_H

/* A hub with everything that can be lost: device1, connected under world_client; the device a
 * with a module, a twin and three messages; two events. */

#include "hub_exchange.h"

extern const int world_client;

hub_fixture *world_make(void);
void world_end(hub_fixture *f);
/* Returns everything that the hub must keep, as text on the heap. */
char *world_describe(const hub *h);

#endif
