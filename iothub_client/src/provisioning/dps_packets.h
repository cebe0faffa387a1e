#ifndef IOTHUB_DPS_PACKETS_H
#define IOTHUB_DPS_PACKETS_H

/** @file CONNECT and the requests of an exchange as texts. */

#include "context/context.h"
#include "provisioning/request.h"

/** Bytes that the texts of a request need at most. */
typedef struct dps_sizes {
    size_t connect; /* CONNECT */
    size_t publish; /* PUBLISH of the registration and of a poll, whichever is longer */
    size_t scratch; /* both, without their frames */
} dps_sizes;

dps_sizes dps_measure(const dps_request *r, const iothub_options *o);

/** Fills *c; its texts are in scratch. The clock must be set. */
iothub_result dps_fill_connect(const dps_request *r, const iothub_context *context,
                               mqc_connect_options *c, iothub_error *error);

/** Fills topic and payload of the registration; they are in scratch. */
void dps_fill_registration(const dps_request *r, const iothub_context *context, uint32_t rid,
                           mqc_outgoing *m);
/** The same for the question how the operation goes. */
void dps_fill_poll(const iothub_context *context, const char *operation_id, uint32_t rid,
                   mqc_outgoing *m);

#endif
