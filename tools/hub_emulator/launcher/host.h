#ifndef HUB_HOST_H
#define HUB_HOST_H

#include "launcher/ports.h"

/**
 * Returns true if the name resolves to one of the addresses, or to any address if the emulator
 * listens on all. It uses the resolver of this machine; a late answer counts as none.
 */
bool hub_host_leads_here(const char *name, const hub_addresses *a);

#endif
