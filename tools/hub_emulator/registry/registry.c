#include "registry/registry.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "registry/registry_load.h"
#include "registry/scopes.h"

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

    if (primary == NULL || secondary == NULL || !hub_key_valid(primary) ||
        !hub_key_valid(secondary)) {
        return false;
    }
    free(policy->primary_key);
    free(policy->secondary_key);
    policy->primary_key = hub_strdup(primary);
    policy->secondary_key = hub_strdup(secondary);
    return true;
}

/* New keys: clients with the old connection strings need new ones. */
static hub_result renew_policies(const hub_registry *r, const char *why, hub_fault *fault)
{
    hub_store_set_aside(&r->store, HUB_FILE, why);
    hub_store_report(&r->store, "the hub's policies got new keys");
    return save_policies(r, fault);
}

static hub_result load_policies(hub_registry *r, hub_fault *fault)
{
    cJSON *json;

    hub_result result = hub_store_read_json(&r->store, HUB_FILE, &json, fault);
    if (result == HUB_ERR_NO_RESOURCE) {
        return save_policies(r, fault);
    }
    if (result == HUB_ERR_ARGUMENT) {
        return renew_policies(r, fault->text, fault);
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
    return ok ? HUB_OK : renew_policies(r, "was not written by this hub_emulator", fault);
}

/* Returns the index of the client id, or where to insert it. */
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

void hub_registry_insert(hub_registry *r, hub_identity *id)
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

void hub_registry_take_out(hub_registry *r, const hub_identity *id)
{
    bool found;
    size_t at = place(r, id->client_id, &found);

    if (found) {
        r->count--;
        memmove(r->items + at, r->items + at + 1, (r->count - at) * sizeof *r->items);
    }
}

hub_result hub_registry_open(hub_registry *r, const char *dir, hub_notice notice, void *user,
                             hub_fault *fault)
{
    *r = (hub_registry){ 0 };
    hub_store_open(&r->store, dir, notice, user);
    hub_store_tidy(&r->store);
    init_policies(r);
    hub_result result = load_policies(r, fault);
    if (result == HUB_OK) {
        result = hub_registry_load(r, fault);
    }
    if (result != HUB_OK) {
        hub_registry_close(r);
    }
    return result;
}

void hub_registry_start(hub_registry *r, hub_clock now)
{
    for (size_t i = 0; i < r->count; i++) {
        hub_c2d_start(&r->items[i]->c2d, now);
    }
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
        return hub_fail(fault, module != NULL ? HUB_ERR_MODULE_EXISTS : HUB_ERR_EXISTS,
                        "%s is registered already", module != NULL ? module : device);
    }
    return r->last_number < UINT_MAX - 1
               ? HUB_OK
               : hub_fail(fault, HUB_ERR_STATE, "all numbers of identities are used");
}

/* Applies a change to a copy; was is the identity itself, NULL for a new one. */
static hub_result prepare(const hub_registry *r, const hub_identity *was, hub_identity *next,
                          hub_change *c, int64_t now_ms, hub_fault *fault)
{
    hub_twin twin = next->twin; /* shares all with next's */
    hub_result result = HUB_OK;

    if (c->identity != NULL) {
        result = hub_identity_apply(next, c->identity, now_ms, fault);
        result = result == HUB_OK ? hub_scopes_apply(r, was, next, c->identity, fault) : result;
    }
    if (result == HUB_OK && c->twin != NULL) {
        result = hub_twin_update(&twin, c->twin, c->mode, now_ms, &next->twin, &c->notify, fault);
    } else if (result == HUB_OK && c->reported != NULL) {
        result = hub_twin_report(&twin, c->reported, now_ms, &next->twin, fault);
    }
    if (result != HUB_OK) {
        next->twin = twin;
    }
    if (c->model != NULL) {
        free(next->model_id);
        next->model_id = hub_strdup(c->model);
    }
    if (c->purge) {
        hub_c2d_void(&next->c2d);
    }
    return result;
}

static void forget_notice(hub_change *c)
{
    cJSON_Delete(c->notify);
    c->notify = NULL;
}

hub_result hub_registry_change(hub_registry *r, hub_identity *id, hub_change *c, int64_t now_ms,
                               hub_fault *fault)
{
    hub_identity next;

    c->notify = NULL;
    hub_identity_fork(id, &next);
    hub_result result = prepare(r, id, &next, c, now_ms, fault);
    if (result == HUB_OK) {
        result = hub_identity_save(&next, &r->store, fault);
    }
    if (result == HUB_OK) {
        hub_identity_settle(id, &next);
    } else {
        hub_identity_discard(id, &next);
        forget_notice(c);
    }
    return result;
}

/* A new identity is not visible yet, so it is changed in place. */
static hub_result prepare_new(const hub_registry *r, hub_identity *id, hub_change *c,
                              int64_t now_ms, hub_fault *fault)
{
    const hub_twin before = id->twin;

    hub_result result = prepare(r, NULL, id, c, now_ms, fault);
    hub_twin_discard(&id->twin, &before);
    forget_notice(c);
    return result;
}

hub_result hub_registry_create(hub_registry *r, const char *device, const char *module,
                               hub_change *c, int64_t now_ms, hub_identity **out, hub_fault *fault)
{
    hub_change none = { 0 };

    *out = NULL;
    hub_result result = check_new(r, device, module, fault);
    if (result != HUB_OK) {
        return result;
    }
    const hub_identity *owner = module != NULL ? hub_registry_find(r, device, NULL) : NULL;
    hub_identity *id = hub_identity_new(r->last_number + 1, device, module, now_ms);
    if (owner != NULL) {
        id->device_number = owner->number;
    }
    result = prepare_new(r, id, c != NULL ? c : &none, now_ms, fault);
    if (result == HUB_OK) {
        result = hub_identity_save(id, &r->store, fault);
    }
    if (result != HUB_OK) {
        hub_identity_free(id);
        return result;
    }
    hub_registry_insert(r, id);
    *out = id;
    return HUB_OK;
}

hub_result hub_registry_remove_file(hub_registry *r, const hub_identity *id, hub_fault *fault)
{
    char *name = hub_identity_file(id->number);
    hub_result result = hub_store_remove(&r->store, name, fault);

    free(name);
    return result;
}

void hub_registry_forget(hub_registry *r, hub_identity *id)
{
    (void)hub_c2d_drop_all(&id->c2d, &r->store);
    hub_registry_take_out(r, id);
    hub_identity_free(id);
}
