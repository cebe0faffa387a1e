#ifndef PLAT_WOLFSSL_CERTIFICATE_H
#define PLAT_WOLFSSL_CERTIFICATE_H

/**
 * @file
 * An X.509 certificate, parsed once into a checked struct (RFC 5280 section 4).  All spans point
 * into the DER that it was read from.
 */

#include "wolfssl/x509/extensions.h"
#include "wolfssl/x509/name.h"
#include "wolfssl/x509/signature.h"

/** A certificate. Only certificate.c writes its members. */
typedef struct plat_certificate {
    plat_der whole;
    plat_signed proof; /* the signed bytes, the algorithm and the signature */
    plat_der key;      /* SubjectPublicKeyInfo */
    plat_der serial;
    plat_der issuer; /* issuer and subject are distinguished names, see name.h */
    plat_der subject;
    uint32_t issuer_hash;
    uint32_t subject_hash;
    int64_t not_before; /* the first second (since 1970) in which the certificate is valid */
    int64_t not_after;  /* the last second in which the certificate is valid */
    uint8_t version;    /* 1 to 3 */

    plat_extensions extensions;

    /**
     * The reason why no path may use the certificate although it can be read, one line of static
     * text; NULL: there is none. For example, an extension is malformed or repeated, is critical
     * and not processed, or contradicts RFC 5280.
     */
    const char *flaw;
} plat_certificate;

/**
 * Reads a certificate. Returns false if it is not one, or if a field outside the extensions is
 * malformed.
 */
bool plat_certificate_read(plat_certificate *c, plat_der der);

/**
 * Returns whether issuer and subject have the same name, as in certificates that announce a CA's
 * new key.
 */
bool plat_certificate_is_self_issued(const plat_certificate *c);

/**
 * Returns whether parent may have issued child, judging by their names and key identifiers. As in
 * OpenSSL, a key identifier counts only if both certificates have it. Signatures are not checked.
 */
bool plat_certificate_names_issuer(const plat_certificate *child, const plat_certificate *parent);

#endif
