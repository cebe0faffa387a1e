#ifndef IOTHUB_PROVISIONING_REQUEST_H
#define IOTHUB_PROVISIONING_REQUEST_H

/**
 * @file
 * The application's options for the Device Provisioning Service, checked and copied.
 */

#include <stdbool.h>

#include "iothub/provisioning.h"
#include "provisioning/room.h"

typedef struct dps_request {
    iothub_provisioning_options options; /* their texts are in the memory of the request */
    mqc_span id_scope;
    mqc_span registration_id;
    mqc_span key; /* key of the device; empty if it has a certificate */
    /* The certificate; its kind is IOTHUB_CREDENTIAL_NONE if there is none. */
    iothub_credential credential;
    mqc_span payload; /* borrowed from the application; empty: none */
    mqc_span csr; /* borrowed from the application or from its iothub_certificate; empty: none */
    bool renews;  /* an iothub_certificate makes a csr for each registration */
} dps_request;

/**
 * Checks and copies the options; the error names the first invalid one. If the room is too small, r
 * must not be used, and the room has counted the needed bytes.
 */
iothub_result dps_request_take(dps_request *r, const iothub_provisioning_options *p,
                               const plat_platform *platform, dps_room *room, iothub_error *error);

/**
 * Prepares the request for the csr of an iothub_certificate, which dps_request_set_csr sets before
 * each registration. Until then csr has the length of the longest one.
 */
iothub_result dps_request_expect_csr(dps_request *r, iothub_error *error);
/** Sets the csr of the next registration; empty: none. */
void dps_request_set_csr(dps_request *r, mqc_span csr);

/** Returns the certificate that the device presents in the TLS handshake, or NULL. */
static inline plat_identity *dps_request_identity(const dps_request *r)
{
    return r->credential.kind == IOTHUB_CREDENTIAL_X509 ? r->credential.as.identity : NULL;
}

#endif
