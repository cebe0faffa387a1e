#ifndef LWIP_DRIVE_H
#define LWIP_DRIVE_H

#include "platform/lwip_net.h"

/* Passes received frames to lwIP and runs its timers that are due. */
void lwip_drive(plat_lwip_net *n);

/* Returns the monotonic time of lwIP's next timer. */
uint64_t lwip_drive_next(const plat_lwip_net *n);

#endif
