#ifndef PLAT_WOLFSSL_CRYPTO_CALLBACK_H
#define PLAT_WOLFSSL_CRYPTO_CALLBACK_H

/**
 * @file
 * What wolfCrypt asks before it computes something for one of our connections.
 */

/**
 * Register the callback, once for the process and after wolfSSL_Init.  Returns the device id to set
 * in a WOLFSSL_CTX; INVALID_DEVID, which changes nothing, where wolfSSL has no such callbacks or
 * disagrees with its own headers about them.
 */
int plat_crypto_callback_register(void);

#endif
