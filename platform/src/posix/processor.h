#ifndef PLAT_POSIX_PROCESSOR_H
#define PLAT_POSIX_PROCESSOR_H

/**
 * @file
 * Finds out which instructions the processor has.
 */

#include <stdbool.h>

/**
 * Returns whether the processor has instructions for AES and for the multiplication in GCM that the
 * libraries used here can use. It knows them on x86-64, and on Linux with 64-bit Arm; on all other
 * processors it returns false.
 */
bool plat_processor_has_aes(void);

#endif
