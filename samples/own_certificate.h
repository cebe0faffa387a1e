#ifndef OWN_CERTIFICATE_H
#define OWN_CERTIFICATE_H

/**
 * @file A certificate that a service has issued for a key of this device. Both are saved in a
 * key-value store for the next run.
 */

#include <stdbool.h>

#include <iothub/provisioning.h>
#include <platform/csr.h>

typedef struct own_certificate {
    const plat_platform *platform;
    plat_kv *cache;               /* NULL: nothing is saved */
    plat_made_key key;            /* the key of the request */
    plat_identity *identity;      /* NULL: there is no certificate yet */
    iothub_credential credential; /* the certificate as a credential of the client */
    char request[PLAT_CSR_BASE64_MAX + 1];
} own_certificate;

/**
 * Uses the saved certificate. Returns false if there is none, or if less than a fifth of its life
 * is left.
 */
bool own_certificate_load(own_certificate *o);

/** Makes a key and a request for a certificate of this name. Returns false after a failure. */
bool own_certificate_request(own_certificate *o, const char *name);

/** Uses the certificate that was issued, and saves it. Returns false if it cannot be used. */
bool own_certificate_accept(own_certificate *o, const iothub_assignment *a);

/** Releases the certificate and erases the key. */
void own_certificate_end(own_certificate *o);

#endif
