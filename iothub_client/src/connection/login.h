#ifndef IOTHUB_LOGIN_H
#define IOTHUB_LOGIN_H

/**
 * @file
 * The packet CONNECT: client id, user name and password.
 */

#include "connection/credential_type.h"

/** The most memory that a login needs. */
typedef struct login_size {
    /* Largest length of CONNECT; the token of a connection string is not included. */
    size_t connect;
    size_t scratch;
} login_size;

/** Returns the memory that a login with any of these credentials needs. */
login_size login_measure(const iothub_context *context, const iothub_credential *list,
                         size_t count);

/** Queues CONNECT. reports_flow is passed on: see mqc_connect_options. */
iothub_result login_queue(const iothub_context *context, const iothub_credential *c,
                          bool reports_flow, mqc_time now, iothub_error *error);

#endif
