#ifndef PLAT_POSIX_CLOCK_H
#define PLAT_POSIX_CLOCK_H

/**
 * @file
 * The clocks of the system.
 */

#include "platform/platform.h"

/** Its monotonic_ms goes on while the system is suspended, if there is CLOCK_BOOTTIME. */
extern const plat_clock plat_posix_clock;

#endif
