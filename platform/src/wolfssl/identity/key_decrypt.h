#ifndef PLAT_WOLFSSL_KEY_DECRYPT_H
#define PLAT_WOLFSSL_KEY_DECRYPT_H

/**
 * @file
 * Decrypts private keys: PKCS #8 (RFC 5208, with PBES1 or PBES2 of RFC 8018), and the traditional
 * form of OpenSSL, in which the PEM headers name the cipher and the IV, and MD5 derives the key.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/identity.h"
#include "wolfssl/identity/pem.h"

/** A passphrase. Only key_decrypt.c writes it. */
typedef struct plat_passphrase {
    char text[PLAT_PASSPHRASE_MAX];
    size_t len;
} plat_passphrase;

/**
 * Asks the application for the passphrase.
 * @param ask  NULL if there is no passphrase
 * @param[out] p  the passphrase; the caller erases all of it, also after a failure
 * @retval PLAT_ERR_PASSPHRASE  there is no passphrase
 */
plat_result plat_passphrase_ask(plat_passphrase *p, plat_passphrase_fn ask, void *user,
                                plat_identity_fault *fault);

/** Returns whether bytes have the form of an encrypted PKCS #8 key. */
bool plat_pkcs8_is_encrypted(const uint8_t *der, size_t len);

/**
 * Decrypts an encrypted PKCS #8 key in place.
 * @param[in,out] len  its size, then that of the decrypted key
 * @retval PLAT_ERR_IDENTITY    the kind of encryption is not supported
 * @retval PLAT_ERR_PASSPHRASE  the passphrase is wrong, or the key is damaged
 * @retval PLAT_ERR_MEMORY      no memory is left
 */
plat_result plat_pkcs8_decrypt(uint8_t *der, size_t *len, const plat_passphrase *passphrase,
                               plat_identity_fault *fault);

/** Returns whether the headers of a block say that it is encrypted. */
bool plat_pem_is_encrypted(const plat_pem_block *block);

/** Decrypts the decoded content of such a block; the results are those of plat_pkcs8_decrypt. */
plat_result plat_pem_decrypt(const plat_pem_block *block, uint8_t *der, size_t *len,
                             const plat_passphrase *passphrase, plat_identity_fault *fault);

#endif
