#ifndef HUB_HUB_TICK_H
#define HUB_HUB_TICK_H

/**
 * @file
 * What happens with time, and at the end of each round of the broker.
 */

#include "hub/hub.h"

/**
 * Sends what is queued, closes the connections that must end, and ends what has expired. Call it
 * often, at least ten times per second.
 */
void hub_tick(hub *h);

#endif
