#ifndef HUB_LOGIN_H
#define HUB_LOGIN_H

/** @file  Who may connect: user name, client id and token. */

#include "registry/registry.h"

/** The fields of an MQTT CONNECT; user_name and password may be NULL. */
typedef struct hub_credentials {
    const char *client_id;
    const char *user_name;
    const char *password;
} hub_credentials;

typedef struct hub_login {
    hub_identity *identity;
    int64_t expires_s;
    bool old_api;           /* api-version 2016-11-14 */
    char *model_id;         /* decoded, "" without; on the heap, the caller frees it */
    const char *auth_scope; /* whose key signed: "device", "module" or "hub" */
} hub_login;

/** A date from 2015 on, as 2021-04-12 or 2025-08-01-preview. */
bool hub_api_version_valid(const char *version, size_t len);

/** After a refusal *out holds nothing that must be freed. */
hub_result hub_login_check(const hub_registry *r, const hub_credentials *c, int64_t now_s,
                           hub_login *out, hub_fault *fault);

/** A request of a service. */
typedef struct hub_service_access {
    unsigned rights;          /* the policy must have one of these permissions; 0: any policy */
    const char *const *hosts; /* the names of the hub; NULL entries are skipped */
    size_t host_count;
    const char *path; /* decoded, with its first slash, without the query */
} hub_service_access;

/**
 * A service request: a token of a policy, whose resource is a prefix, by whole segments, of the
 * host and path that are asked for.
 */
hub_result hub_login_service(const hub_registry *r, const char *authorization,
                             const hub_service_access *access, int64_t now_s, hub_fault *fault);

#endif
