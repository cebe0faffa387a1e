#ifndef PLAT_WOLFSSL_CRYPTO_H
#define PLAT_WOLFSSL_CRYPTO_H

#include "platform/platform.h"

/** wolfCrypt behind plat_crypto: stateless, any thread.  hmac_sha256 and base64 use no heap. */
extern const plat_crypto plat_wolfssl_crypto;

#endif
