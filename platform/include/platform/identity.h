#ifndef PLAT_IDENTITY_H
#define PLAT_IDENTITY_H

/**
 * @file
 * Client certificates, with which a device proves its identity in a TLS handshake.
 *
 * An identity is a certificate chain with the private key that belongs to it, or with a signer that
 * uses a key which never enters the process. It is made once, checked while it is made, and then
 * shared by any number of streams (see plat_stream_config.identity).
 *
 *     const plat_identities *identities = plat_posix_identities();
 *     plat_identity_config config = { .chain = { .file = "device.pem" },
 *                                     .key = { .file = "device.key" } };
 *     plat_identity_fault fault;
 *     plat_identity *identity;
 *     if (identities->make(identities, &config, &identity, &fault) != PLAT_OK) {
 *         fprintf(stderr, "%s\n", fault.text);
 *     }
 *
 * A client that logs in with an identity needs a platform that has identities; see
 * plat_posix_identities.
 *
 * References: make returns the first reference to an identity. Each stream that is made with the
 * identity has a reference of its own until its deinit. The last release frees the identity and
 * erases its key. So an owner may release an identity as soon as it has replaced it: streams that
 * still use the old identity continue to use it.
 *
 * An identity does not change after it was made, and any thread may use it.
 */

#include "platform/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A certificate chain and its key. Opaque. */
typedef struct plat_identity plat_identity;

/** The kinds of keys that an identity may have. */
typedef enum plat_key_kind {
    PLAT_KEY_RSA = 1, /**< RSA with 2048 to 4096 bits. */
    PLAT_KEY_EC_P256, /**< The curve P-256 (secp256r1, prime256v1). */
    PLAT_KEY_EC_P384  /**< The curve P-384 (secp384r1). */
} plat_key_kind;

/** Size of a line of text about a failure, with its NUL. */
#define PLAT_IDENTITY_TEXT_SIZE 200

/** The reason why an identity could not be made, or a signature could not be computed. */
typedef struct plat_identity_fault {
    /** One sentence that names the part at fault and what to do. It never contains a part of a key
     * or a passphrase. */
    char text[PLAT_IDENTITY_TEXT_SIZE];
} plat_identity_fault;

/* --- keys outside of the process --- */

/** How a digest is signed. */
typedef enum plat_sign_scheme {
    PLAT_SIGN_RSA_PKCS1 = 1, /**< RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2). The signer puts the
                                  DigestInfo of the hash in front of the digest. */
    PLAT_SIGN_RSA_PSS,       /**< RSASSA-PSS (RFC 8017 section 8.1), MGF1 with the same hash, and a
                                  salt as long as the digest, as TLS 1.3 requires. */
    PLAT_SIGN_ECDSA          /**< ECDSA; the signature is an ECDSA-Sig-Value in DER (RFC 3279
                                  section 2.2.3).  A digest that is longer than the curve's order is
                                  truncated to its leftmost bits. */
} plat_sign_scheme;

/** The largest signature: RSA with 4096 bits. */
#define PLAT_SIGNATURE_MAX 512

/** A digest to be signed. */
typedef struct plat_sign_request {
    plat_sign_scheme scheme; /**< How to sign. The scheme always fits the key of the certificate. */
    const uint8_t *digest;   /**< The digest. */
    /** Size of the digest, which shows its hash: 32 is SHA-256, 48 is SHA-384, 64 is SHA-512. */
    size_t digest_len;
} plat_sign_request;

/** Signs with a private key that is stored elsewhere, such as in a PKCS#11 token or a TPM. */
typedef struct plat_signer plat_signer;

/**
 * The functions of a signer. An implementation embeds this struct as its first member. It must
 * live until its release was called.
 */
struct plat_signer {
    /**
     * Signs a digest. The caller waits for the result inside the TLS handshake, so a slow key
     * delays everything else on its thread. Streams on several threads may call it at the same
     * time. The public key is that of the certificate; a signer need not know it.
     *
     * @param self        this signer
     * @param request     what to sign
     * @param[out] out    the signature
     * @param cap         size of out, at least PLAT_SIGNATURE_MAX
     * @param[out] len    size of the signature
     * @param[out] fault  after a failure: the reason. The text is "" before the call, and the
     * signer need not set it
     * @retval PLAT_ERR_SIGNER  the key cannot be used now; a later attempt may succeed
     * @retval PLAT_ERR_ARG     the key cannot sign by this scheme
     * @return any other failure as well
     */
    plat_result (*sign)(const plat_signer *self, const plat_sign_request *request, uint8_t *out,
                        size_t cap, size_t *len, plat_identity_fault *fault);

    /**
     * The last reference to the identity has ended, or the identity could not be made: the signer
     * is not used any more. May be NULL.
     * @param self  this signer
     */
    void (*release)(const plat_signer *self);
};

/* --- making an identity --- */

/** Bytes in memory, or a file with such bytes. If all members are zero, there is no source. */
typedef struct plat_identity_source {
    const void *data; /**< The bytes, PEM or DER; which of them is recognised.  NULL: see file. */
    /**
     * Number of the bytes. A NUL at the end of a PEM text need not be counted, and does no harm.
     */
    size_t len;
    const char *file; /**< Path of a file with such bytes, at most 1 MB; read during make only. */
} plat_identity_source;

/** Longest passphrase in bytes. */
#define PLAT_PASSPHRASE_MAX 256

/**
 * Returns the passphrase of an encrypted key. It is called at most once during make, and only if
 * the key is encrypted.
 *
 * @param user      plat_identity_config.passphrase_user
 * @param[out] out  the passphrase, without a NUL; the caller erases it after use
 * @param cap       size of out: PLAT_PASSPHRASE_MAX
 * @return the length of the passphrase; more than cap: there is none, and make fails with
 *         PLAT_ERR_PASSPHRASE
 */
typedef size_t (*plat_passphrase_fn)(void *user, char *out, size_t cap);

/** What an identity is made from. It is needed during make only, except for the signer. */
typedef struct plat_identity_config {
    /**
     * The device's own certificate, followed by the intermediate certificates, each by its issuer.
     * PEM: one text with all of them; other PEM blocks and text between them are skipped. DER: the
     * certificates one directly after another. The root may be left out. At most 9 certificates
     * and 16 KB of DER.
     */
    plat_identity_source chain;

    /**
     * The private key: PEM or DER, as PKCS #1 (RSA), SEC 1 (EC) or PKCS #8. An encrypted key is
     * PKCS #8 (PBES1 or PBES2, PEM or DER) or the traditional form of OpenSSL ("Proc-Type:
     * 4,ENCRYPTED"). All zero: the key is in the PEM text of the chain, unless there is a signer.
     */
    plat_identity_source key;

    const plat_signer *signer; /**< Signs in place of the key; NULL: the key signs. */
    /** Function that returns the passphrase of an encrypted key; NULL: there is no passphrase. */
    plat_passphrase_fn passphrase;
    void *passphrase_user; /**< Passed to passphrase. */
} plat_identity_config;

/** Longest common name in plat_identity_info, in bytes: that of a registration id. */
#define PLAT_COMMON_NAME_MAX 128

/** The description of an identity. */
typedef struct plat_identity_info {
    plat_key_kind key;     /**< The kind of its key. */
    size_t certificates;   /**< The number of certificates in the chain, at least 1. */
    int64_t not_before_s;  /**< The first second (since 1970) in which the device's own certificate
                              is valid. */
    int64_t not_after_s;   /**< The last second in which it is valid. */
    int64_t chain_until_s; /**< The first expiry of all certificates of the chain. */
    uint8_t sha256[32];    /**< Fingerprint of the device's own certificate: SHA-256 of its DER. */
    /** The last common name (CN) of the subject of the device's own certificate, as UTF-8 with a
     * NUL; "" if there is none, or if it is longer or contains control characters. */
    char common_name[PLAT_COMMON_NAME_MAX + 1];
} plat_identity_info;

/** The parts of an identity, for another TLS library. They are in the memory of the identity. */
typedef struct plat_identity_parts {
    const void *chain_pem; /**< The certificates as PEM, the device's own first. */
    size_t chain_len;      /**< Size of chain_pem in bytes. */
    const void *key_der;   /**< The private key as DER, not encrypted: PKCS #1, SEC 1 or PKCS #8. */
    size_t key_len;        /**< Size of key_der in bytes. */
} plat_identity_parts;

/** Makes identities. */
typedef struct plat_identities plat_identities;

/** Functions that make and share identities. Any thread may call them. */
struct plat_identities {
    /**
     * Makes an identity and checks it: the key belongs to the first certificate (a test signature
     * proves it, also for a signer), each certificate was issued by the next one, and key and sizes
     * are acceptable. The dates are not checked, because the clock may not be set yet; see
     * describe. This may take up to a second for an encrypted key, and as long as the signer
     * takes.
     *
     * @param self        this interface
     * @param config      what to make it from
     * @param[out] out    the identity with one reference; NULL after a failure
     * @param[out] fault  after a failure: the reason; otherwise its text is ""
     * @retval PLAT_ERR_IDENTITY    the certificates or the key cannot be used
     * @retval PLAT_ERR_PASSPHRASE  the key is encrypted, and the passphrase is wrong or missing
     * @retval PLAT_ERR_SIGNER      the signer failed
     * @retval PLAT_ERR_ARG         the config contradicts itself
     * @retval PLAT_ERR_MEMORY      no memory is left
     * @retval PLAT_ERR_CRYPTO      the crypto library cannot be initialised, or lacks what is
     * needed
     */
    plat_result (*make)(const plat_identities *self, const plat_identity_config *config,
                        plat_identity **out, plat_identity_fault *fault);

    /**
     * Describes an identity.
     * @param identity  the identity
     * @param[out] out  its description
     */
    void (*describe)(const plat_identity *identity, plat_identity_info *out);

    /**
     * Adds a reference.
     * @param identity  the identity
     * @return the same identity
     */
    plat_identity *(*hold)(plat_identity *identity);

    /**
     * Ends a reference. The last one frees the identity and erases its key.
     * @param identity  the identity; NULL: nothing happens
     */
    void (*release)(plat_identity *identity);

    /**
     * Shows the parts of an identity to another TLS library of the process. They are valid as long
     * as the caller has a reference, and must not be changed. This function may be NULL.
     * @param identity  the identity
     * @param[out] out  its parts
     * @return false if the key is not in the process, because a signer uses it
     */
    bool (*show)(const plat_identity *identity, plat_identity_parts *out);
};

#ifdef __cplusplus
}
#endif
#endif
