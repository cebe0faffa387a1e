#include "lwip/lwip_drive.h"

#include <lwip/timeouts.h>

void lwip_drive(plat_lwip_net *n)
{
    n->receive(n->user);
    sys_check_timeouts();
}

uint64_t lwip_drive_next(const plat_lwip_net *n)
{
    return n->clock->monotonic_ms(n->clock) + sys_timeouts_sleeptime();
}
