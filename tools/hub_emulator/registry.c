#include "registry.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "text.h"

#define HUB_FILE "hub.json"
#define FORMAT   "iothub-hub-emulator-1"

static const struct {
    const char *name;
    unsigned rights;
} policy_table[HUB_POLICY_COUNT] = {
    { "iothubowner", HUB_RIGHT_REGISTRY_READ | HUB_RIGHT_REGISTRY_WRITE |
                         HUB_RIGHT_SERVICE_CONNECT | HUB_RIGHT_DEVICE_CONNECT },
    { "service", HUB_RIGHT_SERVICE_CONNECT },
    { "device", HUB_RIGHT_DEVICE_CONNECT },
    { "registryRead", HUB_RIGHT_REGISTRY_READ },
    { "registryReadWrite", HUB_RIGHT_REGISTRY_READ | HUB_RIGHT_REGISTRY_WRITE },
};

static void init_policies(hub_registry *r)
{
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        r->policies[i] = (hub_policy){
            .name = policy_table[i].name,
            .rights = policy_table[i].rights,
            .primary_key = hub_random_key(),
            .secondary_key = hub_random_key(),
        };
    }
}

static hub_result save_policies(const hub_registry *r, hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "format", FORMAT);
    cJSON *policies = cJSON_AddObjectToObject(json, "policies");
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        cJSON *policy = cJSON_AddObjectToObject(policies, r->policies[i].name);
        hub_json_add_text(policy, "primaryKey", r->policies[i].primary_key);
        hub_json_add_text(policy, "secondaryKey", r->policies[i].secondary_key);
    }
    hub_result result = hub_store_write_json(&r->store, HUB_FILE, json, fault);
    cJSON_Delete(json);
    return result;
}

static bool take_policy(hub_policy *policy, const cJSON *json)
{
    const char *primary = hub_json_string(json, "primaryKey");
    const char *secondary = hub_json_string(json, "secondaryKey");

    if (primary == NULL || secondary == NULL) {
        return false;
    }
    free(policy->primary_key);
    free(policy->secondary_key);
    policy->primary_key = hub_strdup(primary);
    policy->secondary_key = hub_strdup(secondary);
    return true;
}

static hub_result load_policies(hub_registry *r, hub_fault *fault)
{
    cJSON *json;

    hub_result result = hub_store_read_json(&r->store, HUB_FILE, &json, fault);
    if (result == HUB_ERR_NO_RESOURCE) {
        return save_policies(r, fault);
    }
    if (result != HUB_OK) {
        return result;
    }
    const char *format = hub_json_string(json, "format");
    const cJSON *policies = cJSON_GetObjectItemCaseSensitive(json, "policies");
    bool ok = format != NULL && strcmp(format, FORMAT) == 0;
    for (size_t i = 0; ok && i < HUB_POLICY_COUNT; i++) {
        ok = take_policy(&r->policies[i],
                         cJSON_GetObjectItemCaseSensitive(policies, r->policies[i].name));
    }
    cJSON_Delete(json);
    return ok ? HUB_OK
              : hub_fail(fault, HUB_ERR_STATE, "%s/" HUB_FILE ": not written by this hub_emulator",
                         r->store.dir);
}

/* Index of the client id, or where it belongs. */
static size_t place(const hub_registry *r, const char *client_id, bool *found)
{
    size_t low = 0;
    size_t high = r->count;

    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(r->items[mid]->client_id, client_id);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static void insert(hub_registry *r, hub_identity *id)
{
    bool found;
    size_t at = place(r, id->client_id, &found);

    if (r->count == r->capacity) {
        r->capacity = r->capacity * 2 + 8;
        r->items = hub_realloc(r->items, r->capacity * sizeof *r->items);
    }
    memmove(r->items + at + 1, r->items + at, (r->count - at) * sizeof *r->items);
    r->items[at] = id;
    r->count++;
    r->last_number = id->number > r->last_number ? id->number : r->last_number;
}

static hub_result load_identity(void *user, const char *name, hub_fault *fault)
{
    hub_registry *r = user;
    hub_identity *id;

    hub_result result = hub_identity_load(&r->store, name, &id, fault);
    if (result == HUB_OK && hub_registry_find_client(r, id->client_id) != NULL) {
        result = hub_fail(fault, HUB_ERR_STATE, "%s/%s: a second file for %s", r->store.dir, name,
                          id->client_id);
        hub_identity_free(id);
    } else if (result == HUB_OK) {
        insert(r, id);
    }
    return result;
}

hub_result hub_registry_open(hub_registry *r, const char *dir, hub_fault *fault)
{
    *r = (hub_registry){ 0 };
    hub_store_open(&r->store, dir);
    init_policies(r);
    hub_result result = load_policies(r, fault);
    if (result == HUB_OK) {
        result = hub_store_each(&r->store, "identity-", load_identity, r, fault);
    }
    if (result != HUB_OK) {
        hub_registry_close(r);
    }
    return result;
}

void hub_registry_close(hub_registry *r)
{
    for (size_t i = 0; i < r->count; i++) {
        hub_identity_free(r->items[i]);
    }
    free(r->items);
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        free(r->policies[i].primary_key);
        free(r->policies[i].secondary_key);
    }
    hub_store_close(&r->store);
    *r = (hub_registry){ 0 };
}

const hub_policy *hub_registry_policy(const hub_registry *r, const char *name)
{
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        if (strcmp(r->policies[i].name, name) == 0) {
            return &r->policies[i];
        }
    }
    return NULL;
}

char *hub_registry_connection_string(const hub_registry *r, const char *host)
{
    return hub_format("HostName=%s;SharedAccessKeyName=%s;SharedAccessKey=%s", host,
                      r->policies[0].name, r->policies[0].primary_key);
}

hub_identity *hub_registry_find_client(const hub_registry *r, const char *client_id)
{
    bool found;
    size_t at = place(r, client_id, &found);

    return found ? r->items[at] : NULL;
}

hub_identity *hub_registry_find(const hub_registry *r, const char *device, const char *module)
{
    if (module == NULL) {
        return strchr(device, '/') == NULL ? hub_registry_find_client(r, device) : NULL;
    }
    char *client_id = hub_format("%s/%s", device, module);
    hub_identity *id = hub_registry_find_client(r, client_id);
    free(client_id);
    return id;
}

size_t hub_registry_after(const hub_registry *r, const char *client_id)
{
    bool found;
    size_t at = place(r, client_id, &found);

    return found ? at + 1 : at;
}

/* No id holds a '/', so nothing else sorts in between. */
hub_identity *const *hub_registry_modules(const hub_registry *r, const char *device, size_t *count)
{
    char *first = hub_format("%s/", device);
    char *behind = hub_format("%s/\x7F", device);
    size_t from = hub_registry_after(r, first);

    *count = hub_registry_after(r, behind) - from;
    free(first);
    free(behind);
    return *count > 0 ? r->items + from : NULL;
}

static hub_result check_new(const hub_registry *r, const char *device, const char *module,
                            hub_fault *fault)
{
    if (!hub_id_valid(device) || (module != NULL && !hub_id_valid(module))) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "%.140s: not a device or module id",
                        hub_id_valid(device) ? module : device);
    }
    if (module != NULL && hub_registry_find(r, device, NULL) == NULL) {
        return hub_fail(fault, HUB_ERR_NO_DEVICE, "no device %s", device);
    }
    if (hub_registry_find(r, device, module) != NULL) {
        return hub_fail(fault, HUB_ERR_EXISTS, "%s is registered already",
                        module != NULL ? module : device);
    }
    return HUB_OK;
}

hub_result hub_registry_create(hub_registry *r, const char *device, const char *module,
                               const cJSON *body, int64_t now_ms, hub_identity **out,
                               hub_fault *fault)
{
    *out = NULL;
    hub_result result = check_new(r, device, module, fault);
    if (result != HUB_OK) {
        return result;
    }
    hub_identity *id = hub_identity_new(r->last_number + 1, device, module, now_ms);
    if (body != NULL) {
        result = hub_identity_apply(id, body, now_ms, fault);
    }
    if (result == HUB_OK) {
        result = hub_identity_save(id, &r->store, fault);
    }
    if (result != HUB_OK) {
        hub_identity_free(id);
        return result;
    }
    insert(r, id);
    *out = id;
    return HUB_OK;
}

hub_result hub_registry_update(hub_registry *r, hub_identity *id, const cJSON *body, int64_t now_ms,
                               hub_fault *fault)
{
    hub_result result = hub_identity_apply(id, body, now_ms, fault);
    return result == HUB_OK ? hub_identity_save(id, &r->store, fault) : result;
}

hub_result hub_registry_save(hub_registry *r, const hub_identity *id, hub_fault *fault)
{
    return hub_identity_save(id, &r->store, fault);
}

hub_result hub_registry_set_model(hub_registry *r, hub_identity *id, const char *model,
                                  hub_fault *fault)
{
    char *before = id->model_id;

    if (strcmp(before, model) == 0) {
        return HUB_OK;
    }
    id->model_id = hub_strdup(model);
    hub_result result = hub_registry_save(r, id, fault);
    if (result == HUB_OK) {
        free(before);
    } else {
        free(id->model_id);
        id->model_id = before;
    }
    return result;
}

void hub_registry_remove(hub_registry *r, hub_identity *id)
{
    bool found;
    size_t at = place(r, id->client_id, &found);

    if (!found) {
        return;
    }
    hub_identity_remove_files(id, &r->store);
    hub_identity_free(id);
    r->count--;
    memmove(r->items + at, r->items + at + 1, (r->count - at) * sizeof *r->items);
}
