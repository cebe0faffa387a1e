#ifndef PLAT_WOLFSSL_CERTIFICATE_H
#define PLAT_WOLFSSL_CERTIFICATE_H

/**
 * @file
 * An X.509 certificate, read once into a checked struct (RFC 5280 section 4).  All spans point
 * into the DER that it was read from.
 */

#include "wolfssl/x509/extensions.h"
#include "wolfssl/x509/name.h"
#include "wolfssl/x509/signature.h"

typedef struct plat_certificate {
    plat_der whole;
    plat_signed proof; /* what the issuer signed, how, and the signature */
    plat_der key;      /* SubjectPublicKeyInfo */
    plat_der serial;
    plat_der issuer; /* distinguished names, as in name.h */
    plat_der subject;
    uint32_t issuer_hash;
    uint32_t subject_hash;
    int64_t not_before; /* seconds since 1970; both are inside the validity */
    int64_t not_after;
    uint8_t version; /* 1 to 3 */

    plat_extensions extensions;

    /**
     * Why no path may use it, although it can be read, as a line of static text: a malformed or
     * repeated extension, a critical one that is not processed, or one against RFC 5280.
     */
    const char *flaw;
} plat_certificate;

/** False when it is no certificate, or its fields outside the extensions are malformed. */
bool plat_certificate_read(plat_certificate *c, plat_der der);

/** Issuer and subject have the same name, as in the two certificates of a key roll-over. */
bool plat_certificate_is_self_issued(const plat_certificate *c);

/**
 * Whether parent may have issued child, as far as names and key identifiers say, as OpenSSL
 * decides it: an identifier counts when both have it.
 */
bool plat_certificate_names_issuer(const plat_certificate *child, const plat_certificate *parent);

#endif
