/* Devices and modules, as in the vendor's service API. */

#include <stdlib.h>
#include <string.h>

#include "rest.h"

static rest_outcome show(rest_handling *out, const hub_identity *id)
{
    out->reply.etag = hub_identity_etag(id);
    return rest_json(out, 200, hub_identity_view(id));
}

static rest_outcome get_one(hub *h, rest_request *r, rest_handling *out)
{
    const hub_identity *id = rest_identity(h, r, out);
    return id != NULL ? show(out, id) : REST_REPLY;
}

/* Ids in the body must be those in the path. */
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
    hub_fault fault;

    hub_result result =
        hub_registry_create(&h->registry, r->args[0], r->args[1], r->json, hub_now(h), &id, &fault);
    return result == HUB_OK ? show(out, id) : rest_fault(out, &fault);
}

static rest_outcome update(hub *h, rest_request *r, hub_identity *id, rest_handling *out)
{
    hub_fault fault;
    char *etag = hub_identity_etag(id);
    bool fits = rest_etag_matches(r, etag);

    free(etag);
    if (!fits) {
        return rest_fail(out, HUB_ERR_ETAG, "the identity has changed");
    }
    if (hub_registry_update(&h->registry, id, r->json, hub_now(h), &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    if (!id->enabled) {
        hub_kick(h, id);
    }
    return show(out, id);
}

/* Without If-Match a PUT creates, with it it updates. */
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

    if (id == NULL) {
        return REST_REPLY;
    }
    char *etag = hub_identity_etag(id);
    bool fits = rest_etag_matches(r, etag);
    free(etag);
    if (!fits) {
        return rest_fail(out, HUB_ERR_ETAG, "the identity has changed");
    }
    hub_delete(h, id);
    return rest_empty(out, 204);
}

static rest_outcome list_devices(hub *h, rest_request *r, rest_handling *out)
{
    int64_t top = 1000;

    if (!rest_query_number(r, "top", 1000, &top)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "top is not a number up to 1000");
    }
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < h->registry.count && top > 0; i++) {
        if (h->registry.items[i]->module == NULL) {
            (void)cJSON_AddItemToArray(list, hub_identity_view(h->registry.items[i]));
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
    hub_identity *const *modules = hub_registry_modules(&h->registry, r->args[0], &count);
    for (size_t i = 0; i < count; i++) {
        (void)cJSON_AddItemToArray(list, hub_identity_view(modules[i]));
    }
    return rest_json(out, 200, list);
}

/* --- many at once ------------------------------------------------------ */

static hub_result bulk_existing(hub *h, hub_identity *id, const char *mode, const cJSON *item,
                                hub_fault *fault)
{
    if (strncmp(mode, "delete", 6) == 0) {
        hub_delete(h, id);
        return HUB_OK;
    }
    if (strncmp(mode, "update", 6) == 0 || strcmp(mode, "createOrUpdate") == 0) {
        return hub_registry_update(&h->registry, id, item, hub_now(h), fault);
    }
    return hub_fail(fault, HUB_ERR_EXISTS, "%s is registered already", id->device);
}

static hub_result bulk_one(hub *h, const cJSON *item, hub_fault *fault)
{
    const char *device = hub_json_string(item, "id");
    const char *mode = hub_json_string(item, "importMode");

    if (device == NULL || mode == NULL) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "an entry has no id or no importMode");
    }
    hub_identity *id = hub_registry_find(&h->registry, device, NULL);
    if (id != NULL) {
        return bulk_existing(h, id, mode, item, fault);
    }
    if (strncmp(mode, "create", 6) != 0) {
        return hub_fail(fault, HUB_ERR_NO_DEVICE, "no device %.140s", device);
    }
    return hub_registry_create(&h->registry, device, NULL, item, hub_now(h), &id, fault);
}

static void bulk_error(cJSON *errors, const cJSON *item, const hub_fault *fault)
{
    cJSON *error = cJSON_CreateObject();

    hub_json_add_text(error, "deviceId", hub_json_string(item, "id"));
    hub_json_add_text(error, "errorCode", hub_result_name(fault->code));
    hub_json_add_text(error, "errorStatus", fault->text);
    (void)cJSON_AddItemToArray(errors, error);
}

static rest_outcome bulk(hub *h, rest_request *r, rest_handling *out)
{
    const cJSON *item;

    if (!cJSON_IsArray(r->json) || cJSON_GetArraySize(r->json) > 100) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "the body is not an array of up to 100 entries");
    }
    cJSON *errors = cJSON_CreateArray();
    cJSON_ArrayForEach(item, r->json)
    {
        hub_fault fault;
        if (bulk_one(h, item, &fault) != HUB_OK) {
            bulk_error(errors, item, &fault);
        }
    }
    bool all = cJSON_GetArraySize(errors) == 0;
    cJSON *json = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(json, "isSuccessful", all);
    (void)cJSON_AddItemToObject(json, "errors", errors);
    (void)cJSON_AddItemToObject(json, "warnings", cJSON_CreateArray());
    return rest_json(out, all ? 200 : 400, json);
}

/* --- counts ------------------------------------------------------------ */

static rest_outcome count_devices(hub *h, rest_request *r, rest_handling *out)
{
    double total = 0;
    double enabled = 0;

    (void)r;
    for (size_t i = 0; i < h->registry.count; i++) {
        if (h->registry.items[i]->module == NULL) {
            total++;
            enabled += h->registry.items[i]->enabled ? 1 : 0;
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
    (void)cJSON_AddNumberToObject(json, "connectedDeviceCount", (double)h->connection_count);
    return rest_json(out, 200, json);
}

const rest_route rest_registry_routes[] = {
    { "GET", "devices", HUB_RIGHT_REGISTRY_READ, list_devices },
    { "POST", "devices", HUB_RIGHT_REGISTRY_WRITE, bulk },
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
