#ifndef HUB_DEVICE_REQUEST_H
#define HUB_DEVICE_REQUEST_H

/** @file Decides whether a device may make a request over HTTPS. */

#include "registry/login.h"

typedef struct hub_device_request {
    const char *device;            /* its id, from the path */
    const char *authorization;     /* NULL: no such header */
    const hub_client_chain *chain; /* certificates that the client has shown; NULL: none */
    const char *const *hosts;      /* names of the hub; NULL entries are skipped */
    size_t host_count;
} hub_device_request;

/** How the device has proved its identity, as in hub_login. */
typedef struct hub_device_proof {
    const char *auth_scope;
    const char *auth_type;
} hub_device_proof;

/**
 * Checks the token or the certificate by the rules of hub_login_check. HUB_ERR_UNAUTHORIZED
 * otherwise.
 */
hub_result hub_device_request_check(const hub_registry *r, const hub_device_request *request,
                                    int64_t now_s, hub_device_proof *proof, hub_fault *fault);

#endif
