#include "rest/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/device_request.h"
#include "registry/gateway.h"
#include "rest/rest_authorities.h"
#include "rest/rest_bulk.h"
#include "rest/rest_digital_twin.h"
#include "rest/rest_dps.h"
#include "rest/rest_emulator.h"
#include "rest/rest_faults.h"
#include "rest/rest_files.h"
#include "rest/rest_query.h"
#include "rest/rest_registry.h"
#include "rest/rest_twin.h"

typedef bool (*path_matcher)(rest_request *r, const char *pattern);

/* If no route of this table fits, *path_known is set if one fits except for its method. */
static const rest_route *find_in(const rest_route *table, path_matcher matches, rest_request *r,
                                 bool *path_known)
{
    for (const rest_route *route = table; route->method != NULL; route++) {
        if (!matches(r, route->pattern)) {
            continue;
        }
        *path_known = true;
        if (strcmp(r->method, route->method) == 0) {
            return route;
        }
    }
    return NULL;
}

static const rest_route *find_route(const hub *h, rest_request *r, bool *path_known)
{
    static const rest_route *const tables[] = { rest_registry_routes,    rest_bulk_routes,
                                                rest_twin_routes,        rest_digital_twin_routes,
                                                rest_query_routes,       rest_emulator_routes,
                                                rest_authorities_routes, rest_files_routes,
                                                rest_faults_routes };
    const rest_route *found = NULL;

    *path_known = false;
    for (size_t t = 0; found == NULL && t < sizeof tables / sizeof tables[0]; t++) {
        found = find_in(tables[t], rest_request_matches, r, path_known);
    }
    if (found == NULL && h->dps != NULL) {
        found = find_in(rest_dps_routes, rest_request_matches_any_case, r, path_known);
    }
    return found;
}

#define HOSTS 3 /* names of the hub that a token may have */

static hub_result authorise_device(hub *h, const rest_request *r, const char *const *hosts,
                                   hub_fault *fault)
{
    const hub_device_request request = {
        .device = r->args[0],
        .authorization = r->authorization,
        .chain = r->chain,
        .hosts = hosts,
        .host_count = HOSTS,
    };
    return hub_device_request_check(&h->registry, &request, hub_now(h) / 1000, fault);
}

static hub_result authorise_service(hub *h, const rest_request *r, unsigned rights,
                                    const char *const *hosts, hub_fault *fault)
{
    const hub_service_access access = {
        .rights = rights, .hosts = hosts, .host_count = HOSTS, .path = r->path
    };
    return hub_login_service(&h->registry, r->authorization, &access, hub_now(h) / 1000, fault);
}

/* The token may name the hub by the host in the request, with or without its port. */
static hub_result authorise(hub *h, const rest_request *r, unsigned rights, hub_fault *fault)
{
    if (r->edge_module != NULL && (rights & HUB_RIGHT_EDGE_MODULE) != 0) {
        const hub_gateway_request request = { r->edge_module, r->authorization, r->args[0] };
        return hub_gateway_check(&h->registry, &request, hub_now(h) / 1000, fault);
    }
    char *host = hub_strdup(r->host != NULL ? r->host : "");
    char *port = strrchr(host, ':');

    if (port != NULL && strchr(port, ']') == NULL) {
        *port = '\0';
    }
    const char *hosts[HOSTS] = { "localhost", host, r->host };
    hub_result result = rights == HUB_RIGHT_DEVICE_CONNECT
                            ? authorise_device(h, r, hosts, fault)
                            : authorise_service(h, r, rights, hosts, fault);
    free(host);
    return result;
}

static bool ours(const rest_request *r)
{
    return strcmp(r->segments[0], "emulator") == 0;
}

static bool has_version(const rest_request *r, hub_fault *fault)
{
    const char *version = r->query(r, "api-version");

    if (ours(r) || (version != NULL && hub_api_version_valid(version, strlen(version)))) {
        return true;
    }
    (void)hub_fail(fault, HUB_ERR_VERSION, "api-version is missing or not a version");
    return false;
}

/* Checks everything that must be correct before the handler of the route is called. Returns the
 * route, or NULL. */
static const rest_route *check(hub *h, rest_request *r, hub_fault *fault)
{
    bool path_known;
    const rest_route *route = find_route(h, r, &path_known);

    if (authorise(h, r, route != NULL ? route->rights : 0, fault) != HUB_OK) {
        return NULL;
    }
    if (route == NULL) {
        (void)(path_known
                   ? hub_fail(fault, HUB_ERR_METHOD, "this path does not take this HTTP method")
                   : hub_fail(fault, HUB_ERR_NO_RESOURCE, "no such path"));
        return NULL;
    }
    return has_version(r, fault) && rest_request_read_body(r, fault) == HUB_OK ? route : NULL;
}

rest_outcome rest_handle(hub *h, rest_request *r, rest_handling *out)
{
    hub_fault fault;
    const rest_route *route = rest_request_split(r, &fault) == HUB_OK ? check(h, r, &fault) : NULL;

    if (route == NULL) {
        return rest_dps_is_for(h, r) ? rest_dps_fault(h, out, &fault) : rest_fault(out, &fault);
    }
    return rest_faults_refuse(h, route, out) ? REST_REPLY : route->handler(h, r, out);
}

void rest_abandon(hub *h, rest_handling *out)
{
    hub_methods_forget(&h->methods, out->method);
}
