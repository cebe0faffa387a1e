#ifndef PLAT_WOLFSSL_SECRET_H
#define PLAT_WOLFSSL_SECRET_H

/**
 * @file
 * Erases secrets in a way that a compiler must not leave out.
 */

#include <stddef.h>

/** Overwrites bytes with zeros, even if nothing reads them afterwards. */
void plat_wipe(void *bytes, size_t len);

/** Overwrites memory of wolfSSL_Malloc and frees it. NULL does nothing. */
void plat_secret_free(void *bytes, size_t len);

#endif
