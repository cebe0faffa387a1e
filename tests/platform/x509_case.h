#ifndef X509_CASE_H
#define X509_CASE_H

/** @file One case of a collection: certificates, roots, a host and a time, put to the judge. */

#include <stddef.h>
#include <stdint.h>

#include "wolfssl/chain.h"

enum { X509_CASE_CERTS = 128 };

typedef struct x509_case {
    DerBuffer *certs[X509_CASE_CERTS]; /* as a server presents them, its own first */
    size_t count;
    plat_roots roots;
    const char *host; /* name or address */
    int64_t now_s;
} x509_case;

/** Adds a certificate from PEM, or from DER.  Ends the program if that is not possible. */
void x509_case_add_pem(x509_case *c, const char *pem);
void x509_case_add_der(x509_case *c, const void *der, size_t len);

plat_result x509_case_judge(const x509_case *c, plat_chain_verdict *out);

void x509_case_free(x509_case *c);

#endif
