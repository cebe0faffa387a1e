#ifndef MADE_CERTIFICATES_H
#define MADE_CERTIFICATES_H

/**
 * @file
 * Makes certificates, each with its own key, for a test. A failure aborts the program.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

typedef struct made_certificate {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
} made_certificate;

typedef struct made_plan {
    const char *name;               /* common name; NULL: none */
    const made_certificate *issuer; /* NULL if the certificate signs itself */
    int64_t not_before_s;
    int64_t not_after_s;
    bool is_ca;
    int path_len; /* path length of a CA; -1: no limit */
    bool rsa;     /* an RSA key, which takes longer to make; otherwise a key on the curve P-256 */
} made_plan;

void made_init(made_certificate *m, const made_plan *plan);
void made_deinit(made_certificate *m);

/** The DER in base64, on the heap. */
char *made_text(const made_certificate *m);
/** Returns the certificate as PEM, on the heap. */
char *made_pem(const made_certificate *m);
char *made_key_pem(const made_certificate *m);

#endif
