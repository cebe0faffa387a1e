#ifndef X509_CASE_H
#define X509_CASE_H

/**
 * @file
 * One case of a collection: certificates, roots, a host and a time, which are passed to the judge.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge_work.h"
#include "wolfssl/x509/chain.h"

enum { X509_CASE_CERTS = 128 };

typedef struct x509_case {
    /* In the order of a handshake: the server's own certificate is the first. */
    DerBuffer *certs[X509_CASE_CERTS];
    size_t count;
    plat_roots roots;
    const char *host; /* host name or IP address; NULL: none */
    int64_t now_s;
    bool has_max_path_len;
    uint32_t max_path_len;
} x509_case;

/** Adds a certificate. The case takes ownership of it. */
void x509_case_add(x509_case *c, DerBuffer *der);

/** Adds a certificate from PEM.  Ends the program if that is not possible. */
void x509_case_add_pem(x509_case *c, const char *pem);

/**
 * Judges a case. Without a host only the path is validated, and the case must have few
 * certificates.
 */
plat_result x509_case_judge(const x509_case *c, plat_chain_verdict *out);

/**
 * Returns the most work of each kind that a single case needed. A case that needs too much ends the
 * program.
 */
judge_work x509_case_most_work(void);

void x509_case_free(x509_case *c);

#endif
