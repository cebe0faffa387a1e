#ifndef HUB_CERTIFICATE_REQUEST_H
#define HUB_CERTIFICATE_REQUEST_H

/** @file A certificate signing request of a device (PKCS #10), parsed with GnuTLS. */

#include <stddef.h>

#include "base/result.h"

struct gnutls_x509_crq_int;

/** Longest request as text; the service documents 8 KB. */
#define HUB_CERTIFICATE_REQUEST_MAX 8192

/**
 * Reads a request (DER in base64, or PEM) and checks that it is one of this device: its signature,
 * its common name, and the kind of its key (EC on P-256 or P-384, RSA of 2048 bits or more).
 * Otherwise the result is HUB_ERR_ARGUMENT and *out is NULL. Free *out with gnutls_x509_crq_deinit.
 */
hub_result hub_certificate_request_read(struct gnutls_x509_crq_int **out, const char *text,
                                        const char *name, hub_fault *fault);

#endif
