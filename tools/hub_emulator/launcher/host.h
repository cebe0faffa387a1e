#ifndef HUB_HOST_H
#define HUB_HOST_H

#include "launcher/ports.h"

/**
 * Does the name lead to one of the addresses, or to any where all of them are listened on?
 * Asks the resolver of this machine, and takes an answer that takes too long for none.
 */
bool hub_host_leads_here(const char *name, const hub_addresses *a);

#endif
