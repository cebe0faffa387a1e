#ifndef PLAT_WOLFSSL_SIGNATURE_H
#define PLAT_WOLFSSL_SIGNATURE_H

/**
 * @file
 * The keys and signatures of certificates: which are strong enough to be believed, and whether
 * one made the other.  The arithmetic is wolfCrypt's.
 */

#include "platform/result.h"
#include "wolfssl/x509/der.h"

typedef enum plat_scheme {
    PLAT_SCHEME_UNKNOWN = 0, /* or too weak: SHA-1, MD5, DSA, ... */
    PLAT_SCHEME_RSA,         /* PKCS #1 version 1.5; of a key: for any padding */
    PLAT_SCHEME_RSA_PSS,
    PLAT_SCHEME_ECDSA,
    PLAT_SCHEME_ED25519,
    PLAT_SCHEME_ED448
} plat_scheme;

/** How a certificate is signed. */
typedef struct plat_algorithm {
    plat_scheme scheme;
    uint16_t hash_bits;  /* 256, 384 or 512 of SHA-2; 0 where the scheme decides */
    uint16_t salt_bytes; /* of RSA_PSS */
} plat_algorithm;

/** identifier: the content of an AlgorithmIdentifier. */
plat_algorithm plat_algorithm_read(plat_der identifier);

/**
 * Why a key is not to be believed, as a line of static text; NULL for RSA of 2048 bits up to what
 * wolfSSL can compute, P-256, P-384, P-521, Ed25519 and Ed448.
 * info: a whole SubjectPublicKeyInfo.
 */
const char *plat_key_flaw(plat_der info);

typedef struct plat_signed {
    plat_algorithm algorithm;
    plat_der bytes;     /* what was signed */
    plat_der signature; /* the content of the BIT STRING */
} plat_signed;

/** PLAT_OK, PLAT_ERR_CERT_UNTRUSTED when another key made the signature, PLAT_ERR_MEMORY. */
plat_result plat_signature_verify(const plat_signed *s, plat_der key);

#endif
