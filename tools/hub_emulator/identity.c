#include "identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "text.h"

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

bool hub_key_valid(const char *key)
{
    size_t len;
    uint8_t *bytes = hub_base64_decode(key, &len);
    bool ok = bytes != NULL && len >= 16 && len <= 64;

    free(bytes);
    return ok;
}

hub_identity *hub_identity_new(unsigned number, const char *device, const char *module,
                               int64_t now_ms)
{
    hub_identity *id = hub_calloc(1, sizeof *id);
    uint32_t etag;

    hub_random(&etag, sizeof etag);
    *id = (hub_identity){
        .number = number,
        .device = hub_strdup(device),
        .module = module != NULL ? hub_strdup(module) : NULL,
        .client_id = module != NULL ? hub_format("%s/%s", device, module) : hub_strdup(device),
        .primary_key = hub_random_key(),
        .secondary_key = hub_random_key(),
        .model_id = hub_strdup(""),
        .auth_scope = module != NULL ? "module" : "device",
        .generation_id = hub_format("%lld%02u", (long long)now_ms, number % 100),
        .enabled = true,
        .etag = etag,
        .c2d = { .owner = number },
    };
    hub_twin_init(&id->twin, now_ms);
    return id;
}

void hub_identity_free(hub_identity *id)
{
    if (id == NULL) {
        return;
    }
    free(id->device);
    free(id->module);
    free(id->client_id);
    free(id->primary_key);
    free(id->secondary_key);
    free(id->status_reason);
    free(id->model_id);
    free(id->generation_id);
    hub_twin_free(&id->twin);
    hub_c2d_free(&id->c2d);
    free(id);
}

static char *file_name(unsigned number)
{
    return hub_format("identity-%06u.json", number);
}

hub_result hub_identity_save(const hub_identity *id, const hub_store *store, hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();
    char *name = file_name(id->number);

    (void)cJSON_AddNumberToObject(json, "number", id->number);
    hub_json_add_text(json, "device", id->device);
    hub_json_add_text(json, "module", id->module);
    hub_json_add_text(json, "primaryKey", id->primary_key);
    hub_json_add_text(json, "secondaryKey", id->secondary_key);
    hub_json_add_text(json, "statusReason", id->status_reason);
    hub_json_add_text(json, "modelId", id->model_id);
    hub_json_add_text(json, "generationId", id->generation_id);
    (void)cJSON_AddBoolToObject(json, "enabled", id->enabled);
    (void)cJSON_AddBoolToObject(json, "edge", id->edge);
    (void)cJSON_AddNumberToObject(json, "etag", (double)id->etag);
    (void)cJSON_AddNumberToObject(json, "statusTime", (double)id->status_ms);
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

static void replace_text(char **field, const char *text)
{
    char *copy = text != NULL ? hub_strdup(text) : NULL;
    free(*field);
    *field = copy;
}

static hub_identity *from_json(const cJSON *json)
{
    const char *device = hub_json_string(json, "device");
    const char *module = hub_json_string(json, "module");
    const char *primary = hub_json_string(json, "primaryKey");
    const char *secondary = hub_json_string(json, "secondaryKey");
    const char *generation = hub_json_string(json, "generationId");
    const char *model = hub_json_string(json, "modelId"); /* not in older files */
    int64_t number;
    hub_twin twin;

    if (device == NULL || !hub_id_valid(device) || (module != NULL && !hub_id_valid(module)) ||
        primary == NULL || secondary == NULL || generation == NULL ||
        !hub_json_whole(get(json, "number"), 1, 999999, &number) ||
        !hub_twin_from_state(&twin, get(json, "twin"))) {
        return NULL;
    }
    hub_identity *id = hub_identity_new((unsigned)number, device, module, 0);
    replace_text(&id->primary_key, primary);
    replace_text(&id->secondary_key, secondary);
    replace_text(&id->generation_id, generation);
    replace_text(&id->status_reason, hub_json_string(json, "statusReason"));
    replace_text(&id->model_id, model != NULL ? model : "");
    id->enabled = cJSON_IsTrue(get(json, "enabled"));
    id->edge = cJSON_IsTrue(get(json, "edge"));
    id->etag = (int64_t)hub_json_number(json, "etag", 1);
    id->status_ms = (int64_t)hub_json_number(json, "statusTime", 0);
    hub_twin_free(&id->twin);
    id->twin = twin;
    return id;
}

hub_result hub_identity_load(const hub_store *store, const char *name, hub_identity **out,
                             hub_fault *fault)
{
    cJSON *json;

    *out = NULL;
    hub_result r = hub_store_read_json(store, name, &json, fault);
    if (r != HUB_OK) {
        return r;
    }
    hub_identity *id = from_json(json);
    cJSON_Delete(json);
    if (id == NULL) {
        return hub_fail(fault, HUB_ERR_STATE, "%s/%s: not an identity of hub_emulator", store->dir,
                        name);
    }
    r = hub_c2d_load(&id->c2d, store, fault);
    if (r != HUB_OK) {
        hub_identity_free(id);
        return r;
    }
    *out = id;
    return HUB_OK;
}

void hub_identity_remove_files(hub_identity *id, const hub_store *store)
{
    char *name = file_name(id->number);

    hub_store_remove(store, name);
    free(name);
    (void)hub_c2d_purge(&id->c2d, store);
}

/* An absent or empty key keeps what is there. */
static hub_result check_key(const char *key, hub_fault *fault)
{
    if (key == NULL || key[0] == '\0' || hub_key_valid(key)) {
        return HUB_OK;
    }
    return hub_fail(fault, HUB_ERR_ARGUMENT, "a symmetric key is not base64 of 16 to 64 bytes");
}

static hub_result check_body(const cJSON *body, hub_fault *fault)
{
    const cJSON *authentication = get(body, "authentication");
    const cJSON *keys = get(authentication, "symmetricKey");
    const char *type = hub_json_string(authentication, "type");
    const char *status = hub_json_string(body, "status");

    if (status != NULL && strcmp(status, "enabled") != 0 && strcmp(status, "disabled") != 0) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "status is neither enabled nor disabled");
    }
    if (type != NULL && strcmp(type, "sas") != 0) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "authentication type %.40s: the emulator knows sas only", type);
    }
    hub_result r = check_key(hub_json_string(keys, "primaryKey"), fault);
    return r == HUB_OK ? check_key(hub_json_string(keys, "secondaryKey"), fault) : r;
}

static void apply_key(char **field, const char *key)
{
    if (key != NULL && key[0] != '\0') {
        replace_text(field, key);
    }
}

hub_result hub_identity_apply(hub_identity *id, const cJSON *body, int64_t now_ms, hub_fault *fault)
{
    hub_result r = check_body(body, fault);
    if (r != HUB_OK) {
        return r;
    }
    const cJSON *keys = get(get(body, "authentication"), "symmetricKey");
    apply_key(&id->primary_key, hub_json_string(keys, "primaryKey"));
    apply_key(&id->secondary_key, hub_json_string(keys, "secondaryKey"));

    const char *status = hub_json_string(body, "status");
    bool enabled = status == NULL ? id->enabled : strcmp(status, "enabled") == 0;
    id->status_ms = enabled != id->enabled ? now_ms : id->status_ms;
    id->enabled = enabled;
    if (get(body, "statusReason") != NULL) {
        replace_text(&id->status_reason, hub_json_string(body, "statusReason"));
    }
    const cJSON *edge = get(get(body, "capabilities"), "iotEdge");
    id->edge = edge != NULL ? cJSON_IsTrue(edge) : id->edge;
    id->etag++;
    return HUB_OK;
}

char *hub_identity_etag(const hub_identity *id)
{
    char *decimal = hub_format("%lld", (long long)id->etag);
    char *etag = hub_base64_encode(decimal, strlen(decimal));

    free(decimal);
    return etag;
}

/* The service shows this for what has never happened. */
static void add_time(cJSON *json, const char *name, int64_t ms)
{
    if (ms == 0) {
        hub_json_add_text(json, name, "0001-01-01T00:00:00Z");
    } else {
        hub_json_add_time(json, name, ms);
    }
}

static void add_etag(cJSON *json, const char *name, const hub_identity *id)
{
    char *etag = hub_identity_etag(id);
    hub_json_add_text(json, name, etag);
    free(etag);
}

static void add_ids(cJSON *json, const hub_identity *id)
{
    hub_json_add_text(json, "deviceId", id->device);
    if (id->module != NULL) {
        hub_json_add_text(json, "moduleId", id->module);
    }
}

static void add_state(cJSON *json, const hub_identity *id, const char *status_time)
{
    hub_json_add_text(json, "connectionState",
                      id->session.connection != NULL ? "Connected" : "Disconnected");
    hub_json_add_text(json, "status", id->enabled ? "enabled" : "disabled");
    hub_json_add_text(json, "statusReason", id->status_reason);
    add_time(json, status_time, id->status_ms);
    add_time(json, "lastActivityTime", id->activity_ms);
    (void)cJSON_AddNumberToObject(json, "cloudToDeviceMessageCount", (double)id->c2d.count);
}

static void add_capabilities(cJSON *json, const hub_identity *id)
{
    cJSON *capabilities = cJSON_AddObjectToObject(json, "capabilities");
    (void)cJSON_AddBoolToObject(capabilities, "iotEdge", id->edge);
}

static void add_thumbprint(cJSON *json)
{
    cJSON *thumbprint = cJSON_AddObjectToObject(json, "x509Thumbprint");
    (void)cJSON_AddNullToObject(thumbprint, "primaryThumbprint");
    (void)cJSON_AddNullToObject(thumbprint, "secondaryThumbprint");
}

cJSON *hub_identity_view(const hub_identity *id)
{
    cJSON *json = cJSON_CreateObject();

    add_ids(json, id);
    hub_json_add_text(json, "generationId", id->generation_id);
    add_etag(json, "etag", id);
    add_state(json, id, "statusUpdatedTime");
    add_time(json, "connectionStateUpdatedTime", id->connection_ms);
    cJSON *authentication = cJSON_AddObjectToObject(json, "authentication");
    cJSON *keys = cJSON_AddObjectToObject(authentication, "symmetricKey");
    hub_json_add_text(keys, "primaryKey", id->primary_key);
    hub_json_add_text(keys, "secondaryKey", id->secondary_key);
    add_thumbprint(authentication);
    hub_json_add_text(authentication, "type", "sas");
    add_capabilities(json, id);
    return json;
}

cJSON *hub_identity_twin_view(const hub_identity *id)
{
    cJSON *json = cJSON_CreateObject();

    add_ids(json, id);
    add_etag(json, "deviceEtag", id);
    add_state(json, id, "statusUpdateTime");
    hub_json_add_text(json, "authenticationType", "sas");
    add_thumbprint(json);
    hub_json_add_text(json, "modelId", id->model_id);
    add_capabilities(json, id);
    hub_twin_add_service_view(&id->twin, json);
    return json;
}

char *hub_identity_connection_string(const hub_identity *id, const char *host)
{
    if (id->module == NULL) {
        return hub_format("HostName=%s;DeviceId=%s;SharedAccessKey=%s", host, id->device,
                          id->primary_key);
    }
    return hub_format("HostName=%s;DeviceId=%s;ModuleId=%s;SharedAccessKey=%s", host, id->device,
                      id->module, id->primary_key);
}
