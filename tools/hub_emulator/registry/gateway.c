#include "registry/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/token.h"

static hub_result refuse(hub_fault *fault, const char *why)
{
    return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "%s", why);
}

static bool signed_by(const hub_token *token, const hub_identity *module)
{
    return token->policy == NULL && (hub_token_signed_by(token, module->primary_key) ||
                                     hub_token_signed_by(token, module->secondary_key));
}

/* Returns whether the token belongs to the module. Any host is accepted, because the token names
 * the hub, but the request goes to the gateway. */
static bool is_for(const hub_token *token, const hub_identity *module)
{
    char *resource = hub_format("%.*s/devices/%s/modules/%s", (int)strcspn(token->resource, "/"),
                                token->resource, module->device, module->module);
    const bool covers = hub_token_covers(token, resource);

    free(resource);
    return covers;
}

static hub_result check_token(const hub_identity *module, const char *authorization, int64_t now_s,
                              hub_fault *fault)
{
    hub_token token;

    if (authorization == NULL) {
        return refuse(fault, "no Authorization header");
    }
    hub_result result = hub_token_parse(authorization, &token, fault);
    if (result != HUB_OK) {
        return result;
    }
    if (!signed_by(&token, module)) {
        result = refuse(fault, "the token is not signed with a key of the calling module");
    } else if (!is_for(&token, module)) {
        result = refuse(fault, "the token is for another resource than the calling module");
    } else if (token.expiry_s <= now_s) {
        result = refuse(fault, "the token has expired");
    }
    hub_token_free(&token);
    return result;
}

/* Returns whether the caller may reach the target. It returns true for an unknown target, which
 * the route reports as for other callers. */
static bool may_reach(const hub_registry *r, const hub_identity *edge, const char *target)
{
    const hub_identity *device = hub_registry_find(r, target, NULL);

    return device == NULL || device == edge ||
           (device->device_scope != NULL && edge->device_scope != NULL &&
            strcmp(device->device_scope, edge->device_scope) == 0);
}

hub_result hub_gateway_check(const hub_registry *r, const hub_gateway_request *request,
                             int64_t now_s, hub_fault *fault)
{
    const hub_identity *module = hub_registry_find_client(r, request->caller);

    if (module == NULL || module->module == NULL || !module->enabled) {
        return refuse(fault, "x-ms-edge-moduleId names no module");
    }
    const hub_identity *edge = hub_registry_find(r, module->device, NULL);
    if (edge == NULL || !edge->edge || !edge->enabled) {
        return refuse(fault, "the calling module belongs to no Edge device");
    }
    hub_result result = check_token(module, request->authorization, now_s, fault);
    if (result != HUB_OK) {
        return result;
    }
    return may_reach(r, edge, request->target)
               ? HUB_OK
               : refuse(fault, "the target is no child of the Edge device of the calling module");
}
