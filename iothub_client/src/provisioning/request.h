#ifndef IOTHUB_PROVISIONING_REQUEST_H
#define IOTHUB_PROVISIONING_REQUEST_H

/** @file What a device asks the Device Provisioning Service: the application's options, checked and
 * copied. */

#include "iothub/provisioning.h"
#include "provisioning/room.h"

typedef struct dps_request {
    iothub_provisioning_options options; /* texts are in the memory of the request */
    mqc_span id_scope;
    mqc_span registration_id;
    mqc_span key;                 /* of the device; empty: it has a certificate */
    iothub_credential credential; /* the certificate, or kind IOTHUB_CREDENTIAL_NONE */
    mqc_span payload;             /* borrowed; empty: none */
} dps_request;

/**
 * Checks and copies the options; the error names the first invalid one. If the room is too small,
 * r is of no use, and the room knows how many bytes are needed.
 */
iothub_result dps_request_take(dps_request *r, const iothub_provisioning_options *p,
                               const plat_platform *platform, dps_room *room, iothub_error *error);

/** The certificate that the device presents in the TLS handshake; NULL: none. */
static inline plat_identity *dps_request_identity(const dps_request *r)
{
    return r->credential.kind == IOTHUB_CREDENTIAL_X509 ? r->credential.as.identity : NULL;
}

#endif
