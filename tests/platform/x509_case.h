#ifndef X509_CASE_H
#define X509_CASE_H

/** @file One case of a collection: certificates, roots, a host and a time, put to the judge. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge_work.h"
#include "wolfssl/x509/chain.h"

enum { X509_CASE_CERTS = 128 };

typedef struct x509_case {
    DerBuffer *certs[X509_CASE_CERTS]; /* as a server presents them, its own first */
    size_t count;
    plat_roots roots;
    const char *host; /* name or address; NULL: none */
    int64_t now_s;
    bool has_max_path_len;
    uint32_t max_path_len;
} x509_case;

/** Adds a certificate, which the case then owns. */
void x509_case_add(x509_case *c, DerBuffer *der);

/** Adds a certificate from PEM.  Ends the program if that is not possible. */
void x509_case_add_pem(x509_case *c, const char *pem);

/** A case without a host is judged by its path alone; it has few certificates. */
plat_result x509_case_judge(const x509_case *c, plat_chain_verdict *out);

/** The most that a single case needed of each.  A case that needs too much ends the program. */
judge_work x509_case_most_work(void);

void x509_case_free(x509_case *c);

#endif
