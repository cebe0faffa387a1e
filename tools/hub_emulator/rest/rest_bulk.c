/* Up to 100 identities in one request: POST /devices with an array of ExportImportDevice, as
 * RegistryManager.*Devices2Async of the vendor's SDKs send it. Each entry is handled by the
 * functions of PUT, DELETE and PATCH; a failed entry does not stop the others. */

#include "rest/rest_bulk.h"

#include <string.h>
#include <strings.h>

#include "rest/rest_target.h"

#define ENTRIES_MAX 100

typedef enum bulk_action {
    BULK_CREATE,
    BULK_UPDATE,
    BULK_EITHER,
    BULK_DELETE,
    BULK_TWIN
} bulk_action;

typedef struct bulk_mode {
    const char *name; /* compared without regard to case, because the SDKs differ */
    bulk_action action;
    bool match;      /* eTag (for a twin also twinETag) must be the current one */
    bool match_twin; /* twinETag must be the current one if it is given */
} bulk_mode;

static const bulk_mode modes[] = {
    { "create", BULK_CREATE, false, false },
    { "update", BULK_UPDATE, false, false },
    { "updateIfMatchETag", BULK_UPDATE, true, true },
    { "createOrUpdate", BULK_EITHER, false, true },
    { "createOrUpdateIfMatchETag", BULK_EITHER, true, true },
    { "delete", BULK_DELETE, false, false },
    { "deleteIfMatchETag", BULK_DELETE, true, false },
    { "updateTwin", BULK_TWIN, false, false },
    { "updateTwinIfMatchETag", BULK_TWIN, true, false },
};

/* The change that one entry of the list requests. */
typedef struct bulk_entry {
    const cJSON *json;
    const char *device;
    const char *module; /* id of the module; NULL for a device */
    bulk_mode mode;
    const char *etag;      /* required etag of the identity, or NULL */
    const char *twin_etag; /* required etag of the twin, or NULL */
} bulk_entry;

/* The real hub compares names of members without regard to case, and one SDK writes "etag". */
static const char *text_of(const cJSON *json, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(json, name));
}

static bool find_mode(const char *name, bulk_mode *mode)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcasecmp(modes[i].name, name) == 0) {
            *mode = modes[i];
            return true;
        }
    }
    return false;
}

static bool text_or_absent(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    return item == NULL || cJSON_IsNull(item) || cJSON_IsString(item);
}

/* Without a mode, the hub creates or updates the identity. */
static hub_result read_entry(const cJSON *json, bulk_entry *e, hub_fault *fault)
{
    const char *mode = text_of(json, "importMode");

    *e = (bulk_entry){
        .json = json,
        .device = text_of(json, "id"),
        .module = text_of(json, "moduleId"),
        .etag = text_of(json, "eTag"),
        .twin_etag = text_of(json, "twinETag"),
    };
    if (e->device == NULL || !hub_id_valid(e->device)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "id is missing or not a device id");
    }
    if (!text_or_absent(json, "moduleId") || (e->module != NULL && !hub_id_valid(e->module))) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "moduleId is not a module id");
    }
    if (!text_or_absent(json, "importMode") ||
        !find_mode(mode != NULL ? mode : "createOrUpdate", &e->mode)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "importMode %.60s is not known",
                        mode != NULL ? mode : "");
    }
    return HUB_OK;
}

/* --- one entry --------------------------------------------------------- */

static bool has_twin(const bulk_entry *e)
{
    return cJSON_GetObjectItemCaseSensitive(e->json, "tags") != NULL ||
           cJSON_GetObjectItemCaseSensitive(e->json, "properties") != NULL;
}

static hub_result create(hub *h, const bulk_entry *e, hub_fault *fault)
{
    hub_change change = { .identity = e->json, .twin = has_twin(e) ? e->json : NULL };
    hub_identity *id;

    return hub_registry_create(&h->registry, e->device, e->module, &change, hub_now(h), &id, fault);
}

/* Returns the etag that must match. A mode that requires a match fails if an entry has no etag. */
static const char *wanted(bool match, const char *etag)
{
    return !match ? NULL : etag != NULL ? etag : "";
}

static hub_result update(hub *h, const bulk_entry *e, hub_identity *id, hub_fault *fault)
{
    hub_change change = { .identity = e->json, .twin = has_twin(e) ? e->json : NULL };

    hub_result r = rest_check_identity_etag(wanted(e->mode.match, e->etag), id, fault);
    if (r == HUB_OK && e->mode.match_twin) {
        r = rest_check_twin_etag(e->twin_etag, id, fault);
    }
    return r == HUB_OK ? hub_apply(h, id, &change, fault) : r;
}

static hub_result update_twin(hub *h, const bulk_entry *e, hub_identity *id, hub_fault *fault)
{
    hub_change change = { .twin = e->json };

    hub_result r = rest_check_twin_etag(wanted(e->mode.match, e->twin_etag), id, fault);
    return r == HUB_OK ? hub_apply(h, id, &change, fault) : r;
}

static hub_result delete_one(hub *h, const bulk_entry *e, hub_identity *id, hub_fault *fault)
{
    hub_result r = rest_check_identity_etag(wanted(e->mode.match, e->etag), id, fault);
    return r == HUB_OK ? hub_delete(h, id, fault) : r;
}

static hub_result missing(const hub *h, const bulk_entry *e, hub_fault *fault)
{
    if (hub_registry_find(&h->registry, e->device, NULL) == NULL) {
        return hub_fail(fault, HUB_ERR_NO_DEVICE, "no device %s", e->device);
    }
    return hub_fail(fault, HUB_ERR_NO_MODULE, "no module %s", e->module);
}

static hub_result act(hub *h, const bulk_entry *e, hub_fault *fault)
{
    hub_identity *id = hub_registry_find(&h->registry, e->device, e->module);

    if (e->mode.action == BULK_CREATE || (e->mode.action == BULK_EITHER && id == NULL)) {
        return create(h, e, fault);
    }
    if (id == NULL) {
        return missing(h, e, fault);
    }
    switch (e->mode.action) {
    case BULK_CREATE: break; /* done above */
    case BULK_UPDATE:
    case BULK_EITHER: return update(h, e, id, fault);
    case BULK_DELETE: return delete_one(h, e, id, fault);
    case BULK_TWIN: return update_twin(h, e, id, fault);
    }
    return HUB_OK;
}

/* --- all of them ------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Returns whether an identity is in the list twice; then none of its entries is applied. */
static bool stands_twice(const cJSON *list, const bulk_entry *e)
{
    const cJSON *other;

    cJSON_ArrayForEach(other, list)
    {
        if (other != e->json && same_text(text_of(other, "id"), e->device) &&
            same_text(text_of(other, "moduleId"), e->module)) {
            return true;
        }
    }
    return false;
}

static hub_result take_entry(hub *h, const cJSON *list, const cJSON *json, hub_fault *fault)
{
    bulk_entry e;

    hub_result r = read_entry(json, &e, fault);
    if (r == HUB_OK && stands_twice(list, &e)) {
        r = hub_fail(fault, HUB_ERR_TWICE, "%s is in the list twice", e.device);
    }
    return r == HUB_OK ? act(h, &e, fault) : r;
}

/* Returns names that the SDKs know, because one of them throws an exception at any other. */
static const char *error_code(hub_result r)
{
    return r == HUB_ERR_TOO_LARGE ? "GenericRequestEntityTooLarge" : hub_result_name(r);
}

static void add_error(cJSON *errors, const cJSON *json, const hub_fault *fault)
{
    cJSON *error = cJSON_CreateObject();
    const char *module = text_of(json, "moduleId");

    hub_json_add_text(error, "deviceId", text_of(json, "id"));
    if (module != NULL) {
        hub_json_add_text(error, "moduleId", module);
    }
    hub_json_add_text(error, "errorCode", error_code(fault->code));
    hub_json_add_text(error, "errorStatus", fault->text);
    (void)cJSON_AddItemToArray(errors, error);
}

static rest_outcome bulk(hub *h, rest_request *r, rest_handling *out)
{
    const cJSON *json;

    if (!cJSON_IsArray(r->json) || cJSON_GetArraySize(r->json) > ENTRIES_MAX) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "the body is not an array of up to 100 entries");
    }
    cJSON *errors = cJSON_CreateArray();
    cJSON_ArrayForEach(json, r->json)
    {
        hub_fault fault;
        if (take_entry(h, r->json, json, &fault) != HUB_OK) {
            add_error(errors, json, &fault);
        }
    }
    bool all = errors->child == NULL;
    cJSON *result = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(result, "isSuccessful", all);
    (void)cJSON_AddItemToObject(result, "errors", errors);
    (void)cJSON_AddItemToObject(result, "warnings", cJSON_CreateArray());
    rest_set_code(out, all ? NULL : "BulkRegistryOperationFailure");
    return rest_json(out, all ? 200 : 400, result);
}

const rest_route rest_bulk_routes[] = {
    { "POST", "devices", HUB_RIGHT_REGISTRY_WRITE, bulk },
    { NULL, NULL, 0, NULL },
};
