#include "rest/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/device_request.h"
#include "registry/gateway.h"
#include "rest/rest_authorities.h"
#include "rest/rest_bulk.h"
#include "rest/rest_device_bound.h"
#include "rest/rest_device_events.h"
#include "rest/rest_digital_twin.h"
#include "rest/rest_dps.h"
#include "rest/rest_emulator.h"
#include "rest/rest_faults.h"
#include "rest/rest_files.h"
#include "rest/rest_query.h"
#include "rest/rest_registry.h"
#include "rest/rest_service_bound.h"
#include "rest/rest_twin.h"

typedef bool (*path_matcher)(rest_request *r, const char *pattern);

typedef enum body_kind {
    BODY_JSON = 0,
    BODY_BYTES /* for the handler, whatever they are */
} body_kind;

typedef struct route_table {
    const rest_route *routes;
    path_matcher matches;
    body_kind body;
} route_table;

/* The documentation and the SDKs of the vendor write the paths of messages in different case. */
static const route_table tables[] = {
    { rest_registry_routes, rest_request_matches, BODY_JSON },
    { rest_bulk_routes, rest_request_matches, BODY_JSON },
    { rest_twin_routes, rest_request_matches, BODY_JSON },
    { rest_digital_twin_routes, rest_request_matches, BODY_JSON },
    { rest_query_routes, rest_request_matches, BODY_JSON },
    { rest_emulator_routes, rest_request_matches, BODY_JSON },
    { rest_authorities_routes, rest_request_matches, BODY_JSON },
    { rest_files_routes, rest_request_matches, BODY_JSON },
    { rest_faults_routes, rest_request_matches, BODY_JSON },
    { rest_device_events_routes, rest_request_matches_any_case, BODY_BYTES },
    { rest_device_bound_routes, rest_request_matches_any_case, BODY_BYTES },
    { rest_service_bound_routes, rest_request_matches_any_case, BODY_BYTES },
    { rest_dps_routes, rest_request_matches_any_case, BODY_JSON },
};

/* What was found for a request. */
typedef struct place {
    const rest_route *route; /* NULL: none fits */
    body_kind body;
    bool path_known; /* a route fits, except possibly for its method */
} place;

static void find_in(const route_table *table, rest_request *r, place *found)
{
    for (const rest_route *route = table->routes; route->method != NULL; route++) {
        if (!table->matches(r, route->pattern)) {
            continue;
        }
        found->path_known = true;
        if (strcmp(r->method, route->method) == 0) {
            found->route = route;
            found->body = table->body;
            return;
        }
    }
}

static place find_route(const hub *h, rest_request *r)
{
    place found = { 0 };

    for (size_t t = 0; found.route == NULL && t < sizeof tables / sizeof tables[0]; t++) {
        if (tables[t].routes != rest_dps_routes || h->dps != NULL) {
            find_in(&tables[t], r, &found);
        }
    }
    return found;
}

#define HOSTS 3 /* names of the hub that a token may have */

static hub_result authorise_device(hub *h, rest_request *r, const char *const *hosts,
                                   hub_fault *fault)
{
    const hub_device_request request = {
        .device = r->args[0],
        .authorization = r->authorization,
        .chain = r->chain,
        .hosts = hosts,
        .host_count = HOSTS,
    };
    hub_device_proof proof = { 0 };
    const hub_result result =
        hub_device_request_check(&h->registry, &request, hub_now(h) / 1000, &proof, fault);

    rest_request_set_login(r, proof.auth_scope, proof.auth_type);
    return result;
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
static hub_result authorise(hub *h, rest_request *r, unsigned rights, hub_fault *fault)
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
    const place found = find_route(h, r);
    const rest_route *route = found.route;

    if (authorise(h, r, route != NULL ? route->rights : 0, fault) != HUB_OK) {
        return NULL;
    }
    if (route == NULL) {
        (void)(found.path_known
                   ? hub_fail(fault, HUB_ERR_METHOD, "this path does not take this HTTP method")
                   : hub_fail(fault, HUB_ERR_NO_RESOURCE, "no such path"));
        return NULL;
    }
    if (!has_version(r, fault) ||
        (found.body == BODY_JSON && rest_request_read_body(r, fault) != HUB_OK)) {
        return NULL;
    }
    return route;
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
