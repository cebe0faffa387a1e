#ifndef IOTHUB_NAMES_H
#define IOTHUB_NAMES_H

/**
 * @file
 * The names of a client, and the secret of its connection string.
 */

#include "iothub/connection_string.h"

/** Spans and text point into the client's memory. A name that was not given is empty. */
typedef struct hub_names {
    mqc_span host_name;
    mqc_span gateway_host_name;
    mqc_span device_id;
    mqc_span module_id;
    mqc_span key;
    mqc_span policy_name;
    char *token; /* memory for a ready-made token, NUL-terminated; NULL: there was no token */
} hub_names;

/** Returns the names of a connection string, without its token. */
static inline hub_names hub_names_of_string(const iothub_connection_string *cs)
{
    return (hub_names){
        .host_name = cs->host_name,
        .gateway_host_name = cs->gateway_host_name,
        .device_id = cs->device_id,
        .module_id = cs->module_id,
        .key = cs->key,
        .policy_name = cs->policy_name,
    };
}

/** Returns the same names for the functions of iothub/sas.h. */
static inline iothub_connection_string hub_names_as_string(const hub_names *n)
{
    return (iothub_connection_string){
        .kind = n->module_id.len > 0 ? IOTHUB_IDENTITY_MODULE : IOTHUB_IDENTITY_DEVICE,
        .host_name = n->host_name,
        .gateway_host_name = n->gateway_host_name,
        .device_id = n->device_id,
        .module_id = n->module_id,
        .policy_name = n->policy_name,
        .key = n->key,
    };
}

#endif
