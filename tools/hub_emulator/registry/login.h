#ifndef HUB_LOGIN_H
#define HUB_LOGIN_H

/**
 * @file
 * Decides who may connect, by user name, client id and token.
 */

#include "registry/client_chain.h"
#include "registry/registry.h"

/** The fields of an MQTT CONNECT, and what is known about its sender. */
typedef struct hub_credentials {
    const char *client_id;
    const char *user_name; /* may be NULL, like all members below */
    const char *password;
    const hub_client_chain *chain; /* the certificates of the client; NULL: none */
    const char *peer;              /* its address and port, for the log */
    uint64_t number;               /* number of its connection at the TLS front; 0: none */
} hub_credentials;

typedef struct hub_login {
    hub_identity *identity;
    int64_t expires_s;
    bool old_api;           /* api-version 2016-11-14 */
    char *model_id;         /* decoded; "" without one; on the heap, the caller frees it */
    const char *auth_scope; /* whose key signed the token: "device", "module" or "hub" */
    const char *auth_type;  /* "sas" or "x509" */
} hub_login;

/** Returns whether the version is a date from 2015 on, such as 2021-04-12 or 2025-08-01-preview. */
bool hub_api_version_valid(const char *version, size_t len);

/** Checks a login. After a refusal *out holds nothing that must be freed. */
hub_result hub_login_check(const hub_registry *r, const hub_credentials *c, int64_t now_s,
                           hub_login *out, hub_fault *fault);

/** The parts of a service request that decide about access. */
typedef struct hub_service_access {
    unsigned rights; /* permissions of which the policy must have one; 0: any policy is enough */
    const char *const *hosts; /* the names of the hub; NULL entries are skipped */
    size_t host_count;
    const char *path; /* decoded, with the first slash, without the query */
} hub_service_access;

/**
 * Checks the token of a service request. It must be a token of a policy, whose resource is a
 * prefix, by whole segments, of the requested host and path.
 */
hub_result hub_login_service(const hub_registry *r, const char *authorization,
                             const hub_service_access *access, int64_t now_s, hub_fault *fault);

#endif
