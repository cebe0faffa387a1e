#ifndef PLAT_CSR_H
#define PLAT_CSR_H

/**
 * @file
 * New private keys, and requests for certificates (PKCS #10, RFC 2986) that prove the possession of
 * such a key.  A service that issues certificates answers a request with a chain; chain and key
 * then make an identity (platform/identity.h).
 *
 *     const plat_csr_maker *maker = plat_wolfssl_csr_maker();
 *     plat_made_key key;
 *     plat_csr_config config = { .common_name = "device-1", .key = &key };
 *     plat_result r = maker->make_key(maker, PLAT_KEY_EC_P256, &key, &fault);
 *     if (r == PLAT_OK) {
 *         r = maker->make_csr(maker, &config, csr, sizeof csr, &csr_len, &fault);
 *     }
 *     ... send it, and receive a chain ...
 *     plat_identity_config made = { .chain = { chain, chain_len }, .key = { key.der, key.len } };
 *     r = plat_posix_identities()->make(plat_posix_identities(), &made, &identity, &fault);
 *     maker->erase_key(&key);
 *
 * IoT Hub and the Device Provisioning Service take the request as base64 without the lines of PEM;
 * plat_crypto.base64_encode writes this, in at most PLAT_CSR_BASE64_MAX characters.
 *
 * The functions are apart from plat_platform, so that programs which do not use them do not link
 * them.
 */

#include "platform/identity.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of the largest key that is made, in bytes: RSA with 2048 bits. */
#define PLAT_MADE_KEY_MAX 1280

/** Size of the largest request in bytes. */
#define PLAT_CSR_MAX 1536

/** Length of the base64 of the largest request. */
#define PLAT_CSR_BASE64_MAX 2048

/** A private key in the caller's memory, not encrypted. */
typedef struct plat_made_key {
    plat_key_kind kind;             /**< Its kind. */
    size_t len;                     /**< Size of der in bytes; 0: there is no key. */
    uint8_t der[PLAT_MADE_KEY_MAX]; /**< The key as DER, PKCS #1 (RSA) or SEC 1 (EC), as
                                         plat_identity_config.key takes it. */
} plat_made_key;

/** The contents of a request and who signs it: key, or signer and public_key. */
typedef struct plat_csr_config {
    /** The common name (CN) of the subject, for example the registration id: 1 to
     * PLAT_COMMON_NAME_MAX printable ASCII characters. */
    const char *common_name;

    const plat_made_key *key;  /**< The key that the request is for, and that signs it. */
    const plat_signer *signer; /**< Signs instead of key; it stays the caller's. */
    const uint8_t *public_key; /**< With signer: the public key that belongs to it, as
                                    SubjectPublicKeyInfo in DER (see plat_pkcs11_public_key). */
    size_t public_key_len;     /**< Its size in bytes. */
} plat_csr_config;

/** Makes keys and requests. */
typedef struct plat_csr_maker plat_csr_maker;

/** Functions that make keys and requests.  Any thread may call them. */
struct plat_csr_maker {
    /**
     * Makes a private key.  An EC key takes about a millisecond; an RSA key takes up to several
     * seconds, longer on a small processor.  No other copy of an EC key stays in memory; wolfCrypt
     * does not erase all the memory in which it has computed an RSA key.
     *
     * @param self        this interface
     * @param kind        the kind of the key; PLAT_KEY_RSA has 2048 bits
     * @param[out] out    the key, which the caller erases with erase_key; empty after a failure
     * @param[out] fault  after a failure: why; "" otherwise
     * @retval PLAT_ERR_ARG     the kind is unknown
     * @retval PLAT_ERR_CRYPTO  the crypto library failed, or cannot make such keys
     * @retval PLAT_ERR_MEMORY  no memory is left
     */
    plat_result (*make_key)(const plat_csr_maker *self, plat_key_kind kind, plat_made_key *out,
                            plat_identity_fault *fault);

    /**
     * Makes a request.  It is signed with SHA-256, or with SHA-384 if the key is EC P-384; RSA
     * signs by PKCS #1 1.5.  The signature is checked, so a public key that does not belong to the
     * signer is noticed.
     *
     * @param self        this interface
     * @param config      the contents of the request
     * @param[out] out    the request as DER
     * @param cap         size of out; PLAT_CSR_MAX is enough
     * @param[out] len    size of the request; 0 after a failure
     * @param[out] fault  after a failure: why; "" otherwise
     * @retval PLAT_ERR_ARG       the config contradicts itself, or the common name is not allowed
     * @retval PLAT_ERR_IDENTITY  the key cannot be used, or the public key is not that of the
     * signer
     * @retval PLAT_ERR_NO_SPACE  cap is too small
     * @retval PLAT_ERR_CRYPTO    the crypto library failed
     * @retval PLAT_ERR_MEMORY    no memory is left
     * @return a failure of the signer, too
     */
    plat_result (*make_csr)(const plat_csr_maker *self, const plat_csr_config *config, uint8_t *out,
                            size_t cap, size_t *len, plat_identity_fault *fault);

    /**
     * Erases a key, which is empty then.
     * @param key  the key
     */
    void (*erase_key)(plat_made_key *key);
};

/**
 * Returns the functions that use wolfCrypt.  Link iothub::platform_posix.
 * @return a constant; never NULL
 */
const plat_csr_maker *plat_wolfssl_csr_maker(void);

#ifdef __cplusplus
}
#endif
#endif
