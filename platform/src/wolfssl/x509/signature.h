#ifndef PLAT_WOLFSSL_SIGNATURE_H
#define PLAT_WOLFSSL_SIGNATURE_H

/**
 * @file
 * Keys and signatures of certificates: decides which of them are strong enough, and whether a key
 * has made a signature. wolfCrypt does the arithmetic.
 */

#include "platform/identity.h"
#include "wolfssl/x509/der.h"

/** The smallest keys that are accepted. */
#define PLAT_RSA_MIN_BITS   2048
#define PLAT_CURVE_MIN_BITS 256

/** The schemes of signatures. */
typedef enum plat_scheme {
    PLAT_SCHEME_UNKNOWN = 0, /* unknown or too weak: SHA-1, MD5, DSA, ... */
    PLAT_SCHEME_RSA,         /* a signature by PKCS #1 version 1.5; a key for any padding */
    PLAT_SCHEME_RSA_PSS,
    PLAT_SCHEME_ECDSA,
    PLAT_SCHEME_ED25519,
    PLAT_SCHEME_ED448
} plat_scheme;

/** The algorithm with which a certificate is signed. */
typedef struct plat_algorithm {
    plat_scheme scheme;
    /* Bits of a SHA-2 hash: 256, 384 or 512; 0: the scheme itself determines it. */
    uint16_t hash_bits;
    uint16_t salt_bytes; /* RSA_PSS only */
} plat_algorithm;

/** Reads the content of an AlgorithmIdentifier. */
plat_algorithm plat_algorithm_read(plat_der identifier);

/**
 * Checks whether a key is strong enough: RSA with 2048 bits up to what wolfSSL can compute, P-256,
 * P-384, P-521, Ed25519 or Ed448.
 * @param info  a whole SubjectPublicKeyInfo
 * @return NULL, or the reason why the key is refused: one line of static text
 */
const char *plat_key_flaw(plat_der info);

/**
 * Reads a DigestInfo with a hash of SHA-2 (RFC 8017 section 9.2). Returns false if it is not one.
 */
bool plat_digest_info_read(plat_der in, plat_der *digest);

/**
 * Returns the kind of a key; 0 if clients may not have such a key. info is a complete
 * SubjectPublicKeyInfo.
 */
plat_key_kind plat_key_kind_of(plat_der info);

/** A signature and the bytes that were signed. */
typedef struct plat_signed {
    plat_algorithm algorithm;
    plat_der bytes;     /* the signed bytes */
    plat_der signature; /* the content of the BIT STRING */
} plat_signed;

/**
 * Checks whether a key has made a signature.
 * @param key  a whole SubjectPublicKeyInfo
 * @retval PLAT_ERR_CERT_UNTRUSTED  another key has made it, or the bytes were changed
 * @retval PLAT_ERR_MEMORY          no memory is left
 */
plat_result plat_signature_verify(const plat_signed *s, plat_der key);

#endif
