#ifndef PLAT_POSIX_WAIT_H
#define PLAT_POSIX_WAIT_H

/**
 * @file
 * Sleeping with poll(2).
 */

#include "platform/platform.h"

/**
 * Implements plat_net.wait. A signal ends the sleep, so that the caller can check a flag that the
 * signal's handler has set.
 */
void plat_posix_wait(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms);

#endif
