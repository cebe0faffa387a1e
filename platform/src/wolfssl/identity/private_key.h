#ifndef PLAT_WOLFSSL_PRIVATE_KEY_H
#define PLAT_WOLFSSL_PRIVATE_KEY_H

/**
 * @file
 * A private key in memory. It is read from PEM or DER, decrypted if necessary, and signs digests.
 * It is kept as DER, because wolfCrypt's own objects are large and must not be shared by threads.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/identity.h"

/** A private key. Only private_key.c writes it. */
typedef struct plat_private_key {
    plat_key_kind kind;
    uint8_t *der; /* PKCS #1, SEC 1 or PKCS #8; allocated with wolfSSL_Malloc */
    size_t len;
} plat_private_key;

/** The source of a private key. */
typedef struct plat_key_input {
    const uint8_t *bytes; /* PEM or DER */
    size_t len;
    plat_passphrase_fn passphrase; /* NULL if there is no passphrase */
    void *passphrase_user;
} plat_key_input;

/**
 * Reads a key.
 * @param[out] k  the key, to be freed with plat_private_key_free; empty after a failure
 * @retval PLAT_ERR_IDENTITY  there is no key, or it cannot be used
 * @retval PLAT_ERR_PASSPHRASE  the passphrase is wrong or missing
 * @retval PLAT_ERR_MEMORY  no memory is left
 */
plat_result plat_private_key_read(plat_private_key *k, const plat_key_input *input,
                                  plat_identity_fault *fault);

/** Signs as plat_signer.sign does. */
plat_result plat_private_key_sign(const plat_private_key *k, const plat_sign_request *request,
                                  uint8_t *out, size_t cap, size_t *len,
                                  plat_identity_fault *fault);

/**
 * Writes the public key as SubjectPublicKeyInfo.
 * @retval PLAT_ERR_CRYPTO  cap is too small, or wolfCrypt failed
 * @retval PLAT_ERR_MEMORY  no memory is left
 */
plat_result plat_private_key_public(const plat_private_key *k, uint8_t *out, size_t cap,
                                    size_t *len, plat_identity_fault *fault);

/** Erases and frees a key. Afterwards k is empty. */
void plat_private_key_free(plat_private_key *k);

/** Returns a few words such as "RSA" or "EC P-256". */
const char *plat_key_kind_str(plat_key_kind kind);

#endif
