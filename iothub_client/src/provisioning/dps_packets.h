#ifndef IOTHUB_DPS_PACKETS_H
#define IOTHUB_DPS_PACKETS_H

/**
 * @file
 * Writes the texts of CONNECT and of the requests of an exchange.
 */

#include "context/context.h"
#include "provisioning/request.h"

/** The largest numbers of bytes that the texts of requests need. */
typedef struct dps_sizes {
    size_t connect; /* CONNECT */
    size_t publish; /* the longer one of the PUBLISH packets of the registration and of a poll */
    size_t scratch; /* the texts of both, without their frames */
} dps_sizes;

dps_sizes dps_measure(const dps_request *r, const iothub_options *o);

/** Fills *c, whose texts are in the scratch buffer. The clock must be set. */
iothub_result dps_fill_connect(const dps_request *r, const iothub_context *context,
                               mqc_connect_options *c, iothub_error *error);

/** Fills topic and payload of the registration, which are in the scratch buffer. */
void dps_fill_registration(const dps_request *r, const iothub_context *context, uint32_t rid,
                           mqc_outgoing *m);
/** Fills the same for a poll, which asks for the state of the operation. */
void dps_fill_poll(const iothub_context *context, const char *operation_id, uint32_t rid,
                   mqc_outgoing *m);

#endif
