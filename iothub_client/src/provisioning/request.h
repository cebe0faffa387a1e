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
    mqc_span key;     /* of the device */
    mqc_span payload; /* borrowed; empty: none */
} dps_request;

/**
 * Checks and copies the options; the error names the first invalid one. If the room is too small,
 * r is of no use, and the room knows how many bytes are needed.
 */
iothub_result dps_request_take(dps_request *r, const iothub_provisioning_options *p,
                               const plat_crypto *crypto, dps_room *room, iothub_error *error);

#endif
