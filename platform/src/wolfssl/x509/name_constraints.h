#ifndef PLAT_WOLFSSL_NAME_CONSTRAINTS_H
#define PLAT_WOLFSSL_NAME_CONSTRAINTS_H

/**
 * @file
 * Name constraints: which names a CA allows in the certificates below it (RFC 5280 section
 * 4.2.1.10).
 */

#include "wolfssl/x509/certificate.h"

/**
 * Checks all names of a certificate: its subject and its subjectAltName.  Each must be inside a
 * permitted subtree of its kind, if there is one, and outside the excluded ones.
 *
 * Host names, addresses, directory names, mailboxes and URIs are compared.  A name of any other
 * kind is refused if a constraint is of that kind.  So are a malformed name of a constrained kind,
 * and any name if the constraints are malformed.
 *
 * @param constraints   the content of NameConstraints
 * @param c             the certificate to check
 * @param[in,out] work  number of comparisons that are still allowed; each one takes 1 from it.  If
 * it reaches 0, the certificate is refused.
 * @return NULL if the names are allowed; otherwise the reason, one line of static text
 */
const char *plat_constraints_refuse(plat_der constraints, const plat_certificate *c,
                                    uint32_t *work);

#endif
