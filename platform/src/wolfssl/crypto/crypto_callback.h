#ifndef PLAT_WOLFSSL_CRYPTO_CALLBACK_H
#define PLAT_WOLFSSL_CRYPTO_CALLBACK_H

/**
 * @file
 * The "crypto callback" that wolfCrypt calls before it computes something for one of our
 * connections. Before an operation on a P curve, the callback tidies the tables of curve_tables.h.
 * It computes AES-GCM by aes_gcm.h, if the build contains that and wolfSSL does not use the
 * processor's AES instructions itself. It leaves everything else to wolfCrypt.
 */

#include <stdbool.h>

/**
 * Registers the callback.  Call it once for the process, after wolfSSL_Init.
 * @return the device id to set in a WOLFSSL_CTX.  INVALID_DEVID, which changes nothing: wolfSSL has
 * no such callbacks, all its slots for them are taken, or a first call has shown that the library
 *         was built with other options than its headers say.
 */
int plat_crypto_callback_register(void);

/**
 * Returns whether AES-GCM of a connection with that device id uses the processor's instructions.
 */
bool plat_crypto_callback_is_fast_at_aes(int device);

#endif
