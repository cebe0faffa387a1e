#ifndef PLAT_POSIX_PROCESSOR_H
#define PLAT_POSIX_PROCESSOR_H

/** @file Which instructions the processor has. */

#include <stdbool.h>

/**
 * Whether the processor has instructions for AES and for the multiplication in GCM that the
 * libraries used here can use: on x86-64, and on Linux with 64-bit Arm.  False on all others.
 */
bool plat_processor_has_aes(void);

#endif
