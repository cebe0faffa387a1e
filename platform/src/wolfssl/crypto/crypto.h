#ifndef PLAT_WOLFSSL_CRYPTO_H
#define PLAT_WOLFSSL_CRYPTO_H

/**
 * @file
 * plat_crypto, implemented by wolfCrypt.
 */

#include "platform/platform.h"

/** It has no state, so any thread may use it.  hmac_sha256 and base64 do not use the heap. */
extern const plat_crypto plat_wolfssl_crypto;

#endif
