#ifndef PLAT_POSIX_PROCESSOR_H
#define PLAT_POSIX_PROCESSOR_H

/** @file What the processor can do. */

#include <stdbool.h>

/**
 * Whether it has instructions for AES and for the multiplication in GCM, and the libraries that are
 * used here know them: x86-64, and Linux on 64-bit Arm.  False for all others.
 */
bool plat_processor_has_aes(void);

#endif
