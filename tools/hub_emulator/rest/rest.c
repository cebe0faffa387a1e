#include "rest/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rest/rest_bulk.h"
#include "rest/rest_digital_twin.h"
#include "rest/rest_emulator.h"
#include "rest/rest_query.h"
#include "rest/rest_registry.h"
#include "rest/rest_twin.h"

static const rest_route *find_route(rest_request *r, bool *path_known)
{
    static const rest_route *const tables[] = { rest_registry_routes, rest_bulk_routes,
                                                rest_twin_routes,     rest_digital_twin_routes,
                                                rest_query_routes,    rest_emulator_routes };

    *path_known = false;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const rest_route *route = tables[t]; route->method != NULL; route++) {
            if (!rest_request_matches(r, route->pattern)) {
                continue;
            }
            *path_known = true;
            if (strcmp(r->method, route->method) == 0) {
                return route;
            }
        }
    }
    return NULL;
}

/* The token may name the hub by the host in the request, with or without its port. */
static hub_result authorise(hub *h, const rest_request *r, unsigned rights, hub_fault *fault)
{
    char *host = hub_strdup(r->host != NULL ? r->host : "");
    char *port = strrchr(host, ':');

    if (port != NULL && strchr(port, ']') == NULL) {
        *port = '\0';
    }
    const char *hosts[] = { "localhost", host, r->host };
    const hub_service_access access = {
        .rights = rights, .hosts = hosts, .host_count = 3, .path = r->path
    };
    hub_result result =
        hub_login_service(&h->registry, r->authorization, &access, hub_now(h) / 1000, fault);
    free(host);
    return result;
}

static bool ours(const rest_request *r)
{
    return strcmp(r->segments[0], "emulator") == 0;
}

rest_outcome rest_handle(hub *h, rest_request *r, rest_handling *out)
{
    hub_fault fault;
    bool path_known = false;

    if (rest_request_split(r, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    const rest_route *route = find_route(r, &path_known);
    hub_result result = authorise(h, r, route != NULL ? route->rights : 0, &fault);
    if (result != HUB_OK) {
        return rest_fault(out, &fault);
    }
    if (route == NULL) {
        return path_known
                   ? rest_fail(out, HUB_ERR_METHOD, "this path does not take this HTTP method")
                   : rest_fail(out, HUB_ERR_NO_RESOURCE, "no such path");
    }
    const char *version = r->query(r, "api-version");
    if (!ours(r) && (version == NULL || !hub_api_version_valid(version, strlen(version)))) {
        return rest_fail(out, HUB_ERR_VERSION, "api-version is missing or not a version");
    }
    if (rest_request_read_body(r, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    return route->handler(h, r, out);
}

void rest_abandon(hub *h, rest_handling *out)
{
    hub_methods_forget(&h->methods, out->method);
}
