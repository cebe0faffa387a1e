#ifndef PLAT_WOLFSSL_START_H
#define PLAT_WOLFSSL_START_H

/**
 * @file
 * Initialises wolfSSL once in a process.
 */

#include <stdbool.h>

/**
 * Initialises wolfSSL and registers the crypto callback, unless an earlier call has done so. Any
 * thread may call it. wolfSSL stays initialised until the process ends.
 * @param[out] device  device id of the crypto callback, or INVALID_DEVID; may be NULL
 * @return false if wolfSSL cannot be initialised
 */
bool plat_wolfssl_start(int *device);

#endif
