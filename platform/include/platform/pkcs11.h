#ifndef PLAT_PKCS11_H
#define PLAT_PKCS11_H

/**
 * @file
 * Private keys that stay in a PKCS #11 token: a secure element, a TPM, a smart card, an HSM.  Link
 * iothub::platform_pkcs11, which uses p11-kit.
 *
 *     const plat_pkcs11_config where = {
 *         .uri = "pkcs11:token=device;object=tls?module-path=/usr/lib/tpm2.so&pin-source=/etc/pin"
 *     };
 *     plat_identity_config config = { .chain = { .file = "device.pem" } };
 *     plat_identity_fault fault;
 *     plat_signer *signer;
 *     plat_result r = plat_pkcs11_signer_new(&where, &signer, &fault);
 *     config.signer = signer;
 *     if (r == PLAT_OK) {
 *         r = plat_posix_identities()->make(plat_posix_identities(), &config, &id, &fault);
 *     }
 *
 * The URI (RFC 7512) names module, token and object:
 *
 * - module-path=: the file of the module.  Without it, every module that p11-kit is configured with
 *   is searched, or the one with module-name=.
 * - token=, manufacturer=, model=, serial=, slot-id= and so on: the token.  Exactly one token with
 *   such attributes must be present.
 * - object=, id=: label and id of the object.  Exactly one object of the wanted kind must have
 *   them.  type= may be left out; then one URI names the private key, the public key and the
 *   certificate.
 * - pin-value=, or pin-source= with the path of a file that contains the PIN (a line break at its
 *   end does not count; "file:" in front of the path is allowed).  A URI with pin-value is a
 * secret.
 *
 * No text of this module contains a PIN or the URI.  A PIN that the token has refused is not tried
 * again, because tokens lock themselves after a few attempts: the signer then fails until it is
 * made again.
 */

#include "platform/identity.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Longest PIN in bytes. */
#define PLAT_PKCS11_PIN_MAX 255

/** The largest SubjectPublicKeyInfo: RSA with 4096 bits. */
#define PLAT_PUBLIC_KEY_MAX 560

/** Longest URI in bytes, without its NUL. */
#define PLAT_PKCS11_URI_MAX 4096

/**
 * Returns the PIN of a token.  It is called for each login: when the signer is made, and each time
 * that the token was removed and has come back.  It may be called by any thread that signs.
 * It runs while the signer is locked, so it must not use that signer.
 *
 * @param user      plat_pkcs11_config.pin_user
 * @param token     the label of the token, with a NUL
 * @param[out] out  the PIN, without a NUL; it is erased after use
 * @param cap       size of out: PLAT_PKCS11_PIN_MAX
 * @return the length of the PIN; more than cap: there is none
 */
typedef size_t (*plat_pkcs11_pin_fn)(void *user, const char *token, char *out, size_t cap);

/** The place of an object in a token. */
typedef struct plat_pkcs11_config {
    const char *uri;        /**< The URI, as described above; it is needed during the call only. */
    plat_pkcs11_pin_fn pin; /**< Called if the URI contains no PIN; NULL: there is no callback. */
    void *pin_user;         /**< Passed to pin. */
} plat_pkcs11_config;

/**
 * Makes a signer for a private key in a token: loads the module, logs in and finds the key, which
 * must be RSA, EC P-256 or EC P-384.
 *
 * The signer keeps a session with the token.  If the token was removed, signing fails with
 * PLAT_ERR_SIGNER; once the token is back, the next signature opens a new session and logs in
 * again.  Any thread may use the signer; it signs one digest at a time.  It must not be used in a
 * child process after fork.
 *
 * The signer's release ends the session, erases the PIN and frees the signer.  An identity that is
 * made with the signer calls it (see plat_signer.release); otherwise the caller does.
 *
 * @param config      where the key is, and its PIN
 * @param[out] out    the signer; NULL after a failure
 * @param[out] fault  after a failure: one sentence that names the cause and what to do
 * @retval PLAT_ERR_ARG         the URI is missing, malformed, or names another kind of object
 * @retval PLAT_ERR_IDENTITY    there is no such key, more than one, or it is of another kind
 * @retval PLAT_ERR_PASSPHRASE  the PIN is wrong, missing, expired or locked
 * @retval PLAT_ERR_SIGNER      module or token cannot be used now; a later attempt may succeed
 * @retval PLAT_ERR_MEMORY      no memory is left
 */
plat_result plat_pkcs11_signer_new(const plat_pkcs11_config *config, plat_signer **out,
                                   plat_identity_fault *fault);

/**
 * Reads a certificate from a token.  The token is not logged in to, so the certificate must be a
 * public object, as it usually is.
 *
 * @param config      where the certificate is; no PIN is asked for
 * @param[out] out    the certificate as DER, as plat_identity_config.chain takes it; intermediate
 *                    certificates are appended by the caller
 * @param cap         size of out
 * @param[out] len    size of the certificate
 * @param[out] fault  after a failure: why
 * @retval PLAT_ERR_NO_SPACE  cap is too small; *len is the size that is needed
 * @retval PLAT_ERR_IDENTITY  there is no such certificate, or more than one
 * @return the other failures of plat_pkcs11_signer_new, too
 */
plat_result plat_pkcs11_certificate(const plat_pkcs11_config *config, uint8_t *out, size_t cap,
                                    size_t *len, plat_identity_fault *fault);

/**
 * Reads a public key from a token, for a certificate request (platform/csr.h).  The token is not
 * logged in to, so the public key must be a public object, as it usually is.
 *
 * @param config      where the public key is; no PIN is asked for
 * @param[out] out    the key as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) in DER
 * @param cap         size of out; PLAT_PUBLIC_KEY_MAX is enough
 * @param[out] len    size of the key
 * @param[out] fault  after a failure: why
 * @retval PLAT_ERR_NO_SPACE  cap is too small
 * @retval PLAT_ERR_IDENTITY  there is no such key, more than one, or it is of another kind
 * @return the other failures of plat_pkcs11_signer_new, too
 */
plat_result plat_pkcs11_public_key(const plat_pkcs11_config *config, uint8_t *out, size_t cap,
                                   size_t *len, plat_identity_fault *fault);

#ifdef __cplusplus
}
#endif
#endif
