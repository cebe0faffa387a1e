/* Devices and modules, as in the vendor's service API. */

#include "rest/rest_registry.h"

#include <stdlib.h>
#include <string.h>

#include "rest/rest_target.h"

static rest_outcome show(rest_handling *out, const hub_identity *id)
{
    rest_set_etag(out, hub_identity_etag(id));
    return rest_json(out, 200, hub_identity_view(id));
}

static rest_outcome get_one(hub *h, rest_request *r, rest_handling *out)
{
    const hub_identity *id = rest_identity(h, r, out);
    return id != NULL ? show(out, id) : REST_REPLY;
}

/* Returns whether ids in the body are the same as in the path. */
static bool body_fits(const rest_request *r)
{
    const char *device = hub_json_string(r->json, "deviceId");
    const char *module = hub_json_string(r->json, "moduleId");

    return cJSON_IsObject(r->json) && (device == NULL || strcmp(device, r->args[0]) == 0) &&
           (module == NULL || (r->args[1] != NULL && strcmp(module, r->args[1]) == 0));
}

static rest_outcome create(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id;
    hub_change change = { .identity = r->json };
    hub_fault fault;

    hub_result result =
        hub_registry_create(&h->registry, r->args[0], r->args[1], &change, hub_now(h), &id, &fault);
    return result == HUB_OK ? show(out, id) : rest_fault(out, &fault);
}

static rest_outcome update(hub *h, rest_request *r, hub_identity *id, rest_handling *out)
{
    hub_change change = { .identity = r->json };
    hub_fault fault;

    if (rest_check_identity_etag(r->if_match, id, &fault) != HUB_OK ||
        hub_apply(h, id, &change, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    return show(out, id);
}

/* A PUT without If-Match creates an identity, one with If-Match updates it. */
static rest_outcome put_one(hub *h, rest_request *r, rest_handling *out)
{
    if (!body_fits(r)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "the body does not describe this identity");
    }
    if (r->if_match == NULL) {
        return create(h, r, out);
    }
    hub_identity *id = rest_identity(h, r, out);
    return id != NULL ? update(h, r, id, out) : REST_REPLY;
}

static rest_outcome delete_one(hub *h, rest_request *r, rest_handling *out)
{
    hub_identity *id = rest_identity(h, r, out);
    hub_fault fault;

    if (id == NULL) {
        return REST_REPLY;
    }
    if (rest_check_identity_etag(r->if_match, id, &fault) != HUB_OK ||
        hub_delete(h, id, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    return rest_empty(out, 204);
}

static rest_outcome list_devices(hub *h, rest_request *r, rest_handling *out)
{
    int64_t top = 1000;

    if (!rest_query_number(r, "top", 1000, &top)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "top is not a number up to 1000");
    }
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < h->registry.identities.count && top > 0; i++) {
        if (h->registry.identities.items[i]->module == NULL) {
            (void)cJSON_AddItemToArray(list, hub_identity_view(h->registry.identities.items[i]));
            top--;
        }
    }
    return rest_json(out, 200, list);
}

static rest_outcome list_modules(hub *h, rest_request *r, rest_handling *out)
{
    if (rest_identity(h, r, out) == NULL) {
        return REST_REPLY;
    }
    cJSON *list = cJSON_CreateArray();
    size_t count;
    hub_identity *const *modules =
        hub_identities_modules(&h->registry.identities, r->args[0], &count);
    for (size_t i = 0; i < count; i++) {
        (void)cJSON_AddItemToArray(list, hub_identity_view(modules[i]));
    }
    return rest_json(out, 200, list);
}

/* --- counts ------------------------------------------------------------ */

static rest_outcome count_devices(hub *h, rest_request *r, rest_handling *out)
{
    double total = 0;
    double enabled = 0;

    (void)r;
    for (size_t i = 0; i < h->registry.identities.count; i++) {
        if (h->registry.identities.items[i]->module == NULL) {
            total++;
            enabled += h->registry.identities.items[i]->enabled ? 1 : 0;
        }
    }
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddNumberToObject(json, "totalDeviceCount", total);
    (void)cJSON_AddNumberToObject(json, "enabledDeviceCount", enabled);
    (void)cJSON_AddNumberToObject(json, "disabledDeviceCount", total - enabled);
    return rest_json(out, 200, json);
}

static rest_outcome count_connections(hub *h, rest_request *r, rest_handling *out)
{
    cJSON *json = cJSON_CreateObject();

    (void)r;
    (void)cJSON_AddNumberToObject(json, "connectedDeviceCount", (double)h->connections.count);
    return rest_json(out, 200, json);
}

const rest_route rest_registry_routes[] = {
    { "GET", "devices", HUB_RIGHT_REGISTRY_READ, list_devices },
    { "GET", "devices/{}", HUB_RIGHT_REGISTRY_READ, get_one },
    { "PUT", "devices/{}", HUB_RIGHT_REGISTRY_WRITE, put_one },
    { "DELETE", "devices/{}", HUB_RIGHT_REGISTRY_WRITE, delete_one },
    { "GET", "devices/{}/modules", HUB_RIGHT_REGISTRY_READ, list_modules },
    { "GET", "devices/{}/modules/{}", HUB_RIGHT_REGISTRY_READ, get_one },
    { "PUT", "devices/{}/modules/{}", HUB_RIGHT_REGISTRY_WRITE, put_one },
    { "DELETE", "devices/{}/modules/{}", HUB_RIGHT_REGISTRY_WRITE, delete_one },
    { "GET", "statistics/devices", HUB_RIGHT_REGISTRY_READ, count_devices },
    { "GET", "statistics/service", HUB_RIGHT_SERVICE_CONNECT, count_connections },
    { NULL, NULL, 0, NULL },
};
