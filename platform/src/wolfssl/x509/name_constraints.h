#ifndef PLAT_WOLFSSL_NAME_CONSTRAINTS_H
#define PLAT_WOLFSSL_NAME_CONSTRAINTS_H

/**
 * @file
 * What a CA's nameConstraints say of the certificates below it (RFC 5280 section 4.2.1.10).
 */

#include "wolfssl/x509/certificate.h"

/**
 * Whether the names of a certificate, its subject and its subjectAltName, are all inside the
 * permitted subtrees of their kind, if there are any, and outside the excluded ones.
 *
 * Host names, addresses, directory names, mailboxes and URIs are compared.  A name of any other
 * kind is refused if a constraint is of that kind; so is a malformed name of a constrained kind,
 * and any name below constraints that are malformed.
 *
 * constraints: the content of NameConstraints.  Each comparison takes one from *work; when it is
 * 0, the answer is that there were too many.  Returns NULL when all is well, otherwise a line of
 * static text.
 */
const char *plat_constraints_refuse(plat_der constraints, const plat_certificate *c,
                                    uint32_t *work);

#endif
