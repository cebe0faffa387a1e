#ifndef PLAT_WIPE_MEMORY_H
#define PLAT_WIPE_MEMORY_H

/**
 * @file
 * Erases secrets in a way that a compiler must not leave out.
 */

#include <stddef.h>

/** Overwrites bytes with zeros, even if nothing reads them afterwards. */
void plat_wipe(void *bytes, size_t len);

#endif
