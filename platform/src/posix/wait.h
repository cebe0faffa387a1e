#ifndef PLAT_POSIX_WAIT_H
#define PLAT_POSIX_WAIT_H

#include "platform/platform.h"

/** plat_net.wait with poll(2).  A signal ends it early, so that its handler's flag is seen. */
void plat_posix_wait(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms);

#endif
