#ifndef NETWORK_H
#define NETWORK_H

/**
 * @file
 * The network and the platform of the programs whose sizes are measured. They are never run. Their
 * code is not counted.
 */

#include <stddef.h>

#include "platform/platform.h"

size_t network_receive(void *data, size_t cap);
size_t network_send(const void *data, size_t len);
unsigned long long network_time(void);

extern const plat_platform no_platform;

#endif
