#ifndef PLAT_POSIX_CLOCK_H
#define PLAT_POSIX_CLOCK_H

#include "platform/platform.h"

extern const plat_clock plat_posix_clock;

#endif
