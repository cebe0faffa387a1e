#ifndef PLAT_WOLFSSL_EXTENSIONS_H
#define PLAT_WOLFSSL_EXTENSIONS_H

/**
 * @file
 * The extensions of an X.509 certificate (RFC 5280 section 4.2).  All spans point into the DER that
 * they were read from; a span is empty if the certificate does not have that extension.
 */

#include "wolfssl/x509/der.h"

/** Bits of keyUsage. */
enum { PLAT_USAGE_DIGITAL_SIGNATURE = 1u << 0, PLAT_USAGE_KEY_CERT_SIGN = 1u << 5 };

typedef struct plat_extensions {
    bool is_ca;
    bool has_path_len;
    uint32_t path_len;
    bool has_usage;
    uint16_t usage;
    bool has_purposes; /* extKeyUsage */
    bool is_for_servers;
    bool has_alt_names;
    bool alt_names_are_critical;
    plat_der alt_names; /* a well-formed list of general names */
    plat_der key_id;
    plat_der authority_key_id;
    plat_der authority_issuer; /* general names */
    plat_der authority_serial;
    bool has_constraints;
    plat_der constraints; /* the content of NameConstraints, which was not parsed yet */
} plat_extensions;

/**
 * Reads the content of Extensions into *x.
 * @return  NULL, or why no path may use the certificate, as a line of static text: an extension is
 *          malformed or repeated, or it is critical and not processed.
 */
const char *plat_extensions_read(plat_extensions *x, plat_der list);

#endif
