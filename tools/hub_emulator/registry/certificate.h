#ifndef HUB_CERTIFICATE_H
#define HUB_CERTIFICATE_H

/** @file One X.509 certificate, parsed with GnuTLS: what the hub reads in it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

struct gnutls_x509_crt_int;

/** Its members do not change after it was read. */
typedef struct hub_certificate {
    struct gnutls_x509_crt_int *crt; /* a gnutls_x509_crt_t */
    char *name;                      /* the common name of the subject; "" without one */
    char *subject;                   /* the whole names, as in RFC 4514 */
    char *issuer;
    char *serial;     /* hexadecimal digits */
    char *thumbprint; /* SHA-1 and SHA-256 in upper-case hexadecimal digits */
    char *thumbprint256;
    int64_t not_before_s; /* seconds since 1970 */
    int64_t not_after_s;
    int version;
    bool is_ca;
} hub_certificate;

/** Reads DER. HUB_ERR_ARGUMENT: it is not a certificate; then *out is NULL. */
hub_result hub_certificate_from_der(hub_certificate **out, const void *der, size_t len,
                                    hub_fault *fault);
/** Reads the first certificate of a PEM text, or DER in base64 as the service API has it. */
hub_result hub_certificate_from_text(hub_certificate **out, const char *text, hub_fault *fault);
/** c may be NULL. */
void hub_certificate_free(hub_certificate *c);

/** The DER in base64, on the heap. */
char *hub_certificate_to_text(const hub_certificate *c);

/** Returns HUB_ERR_UNAUTHORIZED if the certificate is not valid at this time. */
hub_result hub_certificate_check_dates(const hub_certificate *c, int64_t now_s, hub_fault *fault);

/** Returns whether it consists of 40 (SHA-1) or 64 (SHA-256) hexadecimal digits. */
bool hub_thumbprint_valid(const char *thumbprint);
/**
 * Returns whether this is the thumbprint of the certificate; the case of letters does not matter.
 */
bool hub_certificate_has_thumbprint(const hub_certificate *c, const char *thumbprint);

#endif
