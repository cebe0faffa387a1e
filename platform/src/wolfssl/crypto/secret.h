#ifndef PLAT_WOLFSSL_SECRET_H
#define PLAT_WOLFSSL_SECRET_H

/** @file Secrets in memory of wolfSSL. */

#include <stddef.h>

/** Overwrites memory of wolfSSL_Malloc and frees it. NULL does nothing. */
void plat_secret_free(void *bytes, size_t len);

#endif
