#ifndef PLAT_WOLFSSL_CRYPTO_CALLBACK_H
#define PLAT_WOLFSSL_CRYPTO_CALLBACK_H

/**
 * @file
 * What wolfCrypt asks before it computes something for one of our connections (its "crypto
 * callback").  Here curve_tables.h is told of operations on P curves, and AES-GCM is done by the
 * library behind aes_gcm.h, if the build has one and wolfSSL does without the processor's
 * instructions; everything else is left to wolfCrypt.
 */

#include <stdbool.h>

/**
 * Registers the callback, once for the process and after wolfSSL_Init.  Returns the device id to
 * set in a WOLFSSL_CTX; INVALID_DEVID, which changes nothing, where wolfSSL has no such callbacks,
 * where all its slots for them are taken, or where a first call shows that the library was built
 * with other options than its headers say.
 */
int plat_crypto_callback_register(void);

/** Whether AES-GCM of a connection with that device id uses the processor's instructions. */
bool plat_crypto_callback_is_fast_at_aes(int device);

#endif
