#ifndef PLAT_WOLFSSL_FAULT_H
#define PLAT_WOLFSSL_FAULT_H

/** @file Writes the text of a plat_identity_fault. */

#include "platform/identity.h"

#if defined(__GNUC__)
#define PLAT_FAULT_FORMAT __attribute__((format(printf, 3, 4)))
#else
#define PLAT_FAULT_FORMAT
#endif

/** Sets the text of a fault, cut to its size, and returns r. */
plat_result plat_fault_set(plat_identity_fault *fault, plat_result r, const char *format,
                           ...) PLAT_FAULT_FORMAT;

/** Sets the text for a lack of memory and returns PLAT_ERR_MEMORY. */
plat_result plat_fault_memory(plat_identity_fault *fault);

#endif
