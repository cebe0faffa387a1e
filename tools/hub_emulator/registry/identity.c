#include "registry/identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/text.h"
#include "registry/identity_change.h"

bool hub_id_valid(const char *id)
{
    size_t len = strlen(id);

    if (len == 0 || len > 128 || strcmp(id, ".") == 0 || strcmp(id, "..") == 0) {
        return false;
    }
    for (const char *p = id; *p != '\0'; p++) {
        if (((unsigned char)*p & 0x80) != 0 ||
            (!isalnum((unsigned char)*p) && strchr("-.+%_#*?!(),=@$':;", *p) == NULL)) {
            return false;
        }
    }
    return true;
}

bool hub_id_fits_mqtt(const char *id)
{
    return strpbrk(id, "+#") == NULL;
}

hub_identity *hub_identity_new(unsigned number, const char *device, const char *module,
                               int64_t now_ms)
{
    hub_identity *id = hub_calloc(1, sizeof *id);
    uint32_t etag;
    uint32_t generation;

    hub_random(&etag, sizeof etag);
    hub_random(&generation, sizeof generation);
    *id = (hub_identity){
        .number = number,
        .device = hub_strdup(device),
        .module = module != NULL ? hub_strdup(module) : NULL,
        .client_id = module != NULL ? hub_format("%s/%s", device, module) : hub_strdup(device),
        .primary_key = hub_random_key(),
        .secondary_key = hub_random_key(),
        .model_id = hub_strdup(""),
        .generation_id = hub_format("%lld%010lu", (long long)now_ms, (unsigned long)generation),
        .enabled = true,
        .etag = etag,
        .c2d = { .owner = number },
    };
    hub_twin_init(&id->twin, now_ms);
    return id;
}

/* The members with text that a change may replace. */
#define TEXTS 9

static char **text_at(hub_identity *id, size_t i)
{
    char **const all[TEXTS] = {
        &id->primary_key,  &id->secondary_key,      &id->status_reason,
        &id->device_scope, &id->parent_scope,       &id->managed_by,
        &id->model_id,     &id->primary_thumbprint, &id->secondary_thumbprint,
    };
    return all[i];
}

static void free_texts(hub_identity *id)
{
    for (size_t i = 0; i < TEXTS; i++) {
        free(*text_at(id, i));
    }
}

void hub_identity_free(hub_identity *id)
{
    if (id == NULL) {
        return;
    }
    free(id->device);
    free(id->module);
    free(id->client_id);
    free(id->generation_id);
    hub_event_sender_free(id->sender);
    free_texts(id);
    hub_twin_free(&id->twin);
    hub_c2d_free(&id->c2d);
    free(id);
}

void hub_identity_fork(const hub_identity *id, hub_identity *next)
{
    *next = *id;
    for (size_t i = 0; i < TEXTS; i++) {
        char **text = text_at(next, i);
        *text = *text != NULL ? hub_strdup(*text) : NULL;
    }
}

void hub_identity_settle(hub_identity *id, hub_identity *next)
{
    free_texts(id);
    hub_twin_adopt(&id->twin, &next->twin);
    *id = *next;
}

void hub_identity_discard(const hub_identity *id, hub_identity *next)
{
    free_texts(next);
    hub_twin_discard(&id->twin, &next->twin);
}

void hub_identity_connected(hub_identity *id, const char *auth_scope, const char *auth_type,
                            int64_t now_ms)
{
    const hub_event_login login = {
        .device = id->device,
        .module = id->module,
        .generation_id = id->generation_id,
        .auth_scope = auth_scope,
        .auth_type = auth_type,
        .model_id = id->model_id,
    };

    hub_event_sender_free(id->sender);
    id->sender = hub_event_sender_new(&login);
    id->connection_ms = now_ms;
    id->activity_ms = now_ms;
}

void hub_identity_disconnected(hub_identity *id, int64_t now_ms)
{
    id->connection_ms = now_ms;
}

void hub_identity_seen(hub_identity *id, int64_t now_ms)
{
    id->activity_ms = now_ms;
}

/* --- on disk ----------------------------------------------------------- */

char *hub_identity_file(unsigned number)
{
    return hub_format("identity-%06u.json", number);
}

hub_result hub_identity_save(const hub_identity *id, const hub_store *store, hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();
    char *name = hub_identity_file(id->number);

    (void)cJSON_AddNumberToObject(json, "number", id->number);
    hub_json_add_text(json, "device", id->device);
    hub_json_add_text(json, "module", id->module);
    (void)cJSON_AddNumberToObject(json, "deviceNumber", id->device_number);
    hub_json_add_text(json, "primaryKey", id->primary_key);
    hub_json_add_text(json, "secondaryKey", id->secondary_key);
    hub_json_add_text(json, "authentication", hub_auth_type_name(id->auth_type));
    hub_json_add_text(json, "primaryThumbprint", id->primary_thumbprint);
    hub_json_add_text(json, "secondaryThumbprint", id->secondary_thumbprint);
    hub_json_add_text(json, "statusReason", id->status_reason);
    hub_json_add_text(json, "modelId", id->model_id);
    hub_json_add_text(json, "deviceScope", id->device_scope);
    hub_json_add_text(json, "parentScope", id->parent_scope);
    hub_json_add_text(json, "managedBy", id->managed_by);
    hub_json_add_text(json, "generationId", id->generation_id);
    (void)cJSON_AddBoolToObject(json, "enabled", id->enabled);
    (void)cJSON_AddBoolToObject(json, "edge", id->edge);
    (void)cJSON_AddNumberToObject(json, "etag", (double)id->etag);
    (void)cJSON_AddNumberToObject(json, "statusTime", (double)id->status_ms);
    (void)cJSON_AddNumberToObject(json, "purged", (double)id->c2d.purged);
    (void)cJSON_AddItemToObject(json, "twin", hub_twin_to_state(&id->twin));
    hub_result r = hub_store_write_json(store, name, json, fault);
    cJSON_Delete(json);
    free(name);
    return r;
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool names_valid(const cJSON *json)
{
    const char *device = hub_json_string(json, "device");
    const char *module = hub_json_string(json, "module");

    return device != NULL && hub_id_valid(device) && (module == NULL || hub_id_valid(module)) &&
           hub_json_string(json, "generationId") != NULL;
}

static bool keys_valid(const cJSON *json)
{
    const char *primary = hub_json_string(json, "primaryKey");
    const char *secondary = hub_json_string(json, "secondaryKey");

    return primary != NULL && secondary != NULL && hub_key_valid(primary) &&
           hub_key_valid(secondary);
}

static void read_texts(hub_identity *id, const cJSON *json)
{
    static const char *const names[TEXTS] = {
        "primaryKey", "secondaryKey", "statusReason",      "deviceScope",         "parentScope",
        "managedBy",  "modelId",      "primaryThumbprint", "secondaryThumbprint",
    };

    for (size_t i = 0; i < TEXTS; i++) {
        hub_replace(text_at(id, i), hub_json_string(json, names[i]));
    }
    hub_replace(&id->generation_id, hub_json_string(json, "generationId"));
    if (id->model_id == NULL) { /* a file of an older version */
        id->model_id = hub_strdup("");
    }
}

/* Returns a number, or the default if it is missing, as in files of earlier versions. */
static int64_t whole_or(const cJSON *json, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;

    (void)hub_json_whole(get(json, name), 0, INT64_C(1) << 52, &number);
    return number;
}

static hub_identity *from_json(const cJSON *json, unsigned number)
{
    hub_twin twin;

    if (!names_valid(json) || !keys_valid(json) || whole_or(json, "number", 0) != number ||
        !cJSON_IsBool(get(json, "enabled")) || !hub_twin_from_state(&twin, get(json, "twin"))) {
        return NULL;
    }
    hub_identity *id = hub_identity_new(number, hub_json_string(json, "device"),
                                        hub_json_string(json, "module"), 0);
    read_texts(id, json);
    id->auth_type = hub_auth_type_of(hub_json_string(json, "authentication"));
    id->device_number = (unsigned)whole_or(json, "deviceNumber", 0);
    id->enabled = cJSON_IsTrue(get(json, "enabled"));
    id->edge = cJSON_IsTrue(get(json, "edge"));
    id->etag = whole_or(json, "etag", 1);
    id->status_ms = whole_or(json, "statusTime", 0);
    hub_c2d_restore(&id->c2d, (uint64_t)whole_or(json, "purged", 0));
    hub_twin_free(&id->twin);
    id->twin = twin;
    return id;
}

hub_result hub_identity_load(const hub_store *store, unsigned number, hub_identity **out,
                             hub_fault *fault)
{
    char *name = hub_identity_file(number);
    cJSON *json;

    *out = NULL;
    hub_result r = hub_store_read_json(store, name, &json, fault);
    free(name);
    if (r != HUB_OK) {
        return r;
    }
    *out = from_json(json, number);
    cJSON_Delete(json);
    return *out != NULL ? HUB_OK : hub_fail(fault, HUB_ERR_ARGUMENT, "is not a complete identity");
}

/* --- changes ----------------------------------------------------------- */

static void apply_key(char **field, const char *key)
{
    if (key != NULL) {
        hub_replace(field, key);
    }
}

static void apply_authentication(hub_identity *id, const hub_authentication *a)
{
    const bool self_signed = a->type == HUB_AUTH_SELF_SIGNED;

    apply_key(&id->primary_key, a->primary_key);
    apply_key(&id->secondary_key, a->secondary_key);
    if (a->has_thumbprints || !self_signed) {
        hub_replace(&id->primary_thumbprint, self_signed ? a->primary_thumbprint : NULL);
        hub_replace(&id->secondary_thumbprint, self_signed ? a->secondary_thumbprint : NULL);
    }
    id->auth_type = a->type;
}

hub_result hub_identity_apply(hub_identity *id, const cJSON *body, int64_t now_ms, hub_fault *fault)
{
    hub_authentication authentication;

    hub_result r = hub_identity_check_change(body, fault);
    if (r == HUB_OK) {
        r = hub_authentication_read(&authentication, body, id->auth_type, fault);
    }
    if (r != HUB_OK) {
        return r;
    }
    apply_authentication(id, &authentication);

    const char *status = hub_json_string(body, "status");
    bool enabled = status == NULL ? id->enabled : strcasecmp(status, "enabled") == 0;
    id->status_ms = enabled != id->enabled ? now_ms : id->status_ms;
    id->enabled = enabled;
    if (get(body, "statusReason") != NULL) {
        hub_replace(&id->status_reason, hub_json_string(body, "statusReason"));
    }
    if (id->module != NULL && get(body, "managedBy") != NULL) {
        hub_replace(&id->managed_by, hub_json_string(body, "managedBy"));
    }
    const cJSON *edge = get(get(body, "capabilities"), "iotEdge");
    id->edge = edge != NULL ? cJSON_IsTrue(edge) : id->edge;
    id->etag++;
    return HUB_OK;
}

void hub_identity_set_twin(hub_identity *id, const hub_twin *twin)
{
    id->twin = *twin;
}

void hub_identity_set_model(hub_identity *id, const char *model)
{
    hub_replace(&id->model_id, model);
}

void hub_identity_set_owner(hub_identity *id, const hub_identity *device)
{
    id->device_number = device->number;
}

void hub_identity_set_scopes(hub_identity *id, const char *own, const char *parent)
{
    char *copy = parent != NULL ? hub_strdup(parent) : NULL;

    hub_replace(&id->device_scope, own);
    free(id->parent_scope);
    id->parent_scope = copy;
}
