#ifndef PLAT_WOLFSSL_SECRET_H
#define PLAT_WOLFSSL_SECRET_H

/** @file Erases secrets, which a compiler must not leave out. */

#include <stddef.h>

/** Overwrites bytes with zeros, also if nothing reads them afterwards. */
void plat_wipe(void *bytes, size_t len);

/** Overwrites memory of wolfSSL_Malloc and frees it.  NULL: nothing happens. */
void plat_secret_free(void *bytes, size_t len);

#endif
