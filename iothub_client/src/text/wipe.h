#ifndef IOTHUB_WIPE_H
#define IOTHUB_WIPE_H

/** @file Erases secrets from memory. */

#include <stddef.h>

/** Writes zeros. The compiler does not remove the writes, unlike those of memset. */
void iothub_wipe(void *memory, size_t len);

#endif
