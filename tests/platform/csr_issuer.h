#ifndef TEST_CSR_ISSUER_H
#define TEST_CSR_ISSUER_H

/** @file Reads certificate requests and issues certificates for them with GnuTLS, as a service
 * does. */

#include <stddef.h>
#include <stdint.h>

#include <gnutls/x509.h>

/**
 * Reads a request and checks its signature and common name.
 * @return the caller calls gnutls_x509_crq_deinit
 */
gnutls_x509_crq_t csr_read(const uint8_t *der, size_t len, const char *common_name);

/**
 * Issues a certificate for a request by device_ca.
 * @param[out] out  the certificate and that of the CA, as DER
 * @return the number of bytes
 */
size_t csr_issue(gnutls_x509_crq_t crq, uint8_t *out, size_t cap);

#endif
