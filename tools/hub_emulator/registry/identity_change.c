/* What a PUT of the service changes in an identity. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "registry/identity.h"

#define MANAGER_MAX 128

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* A missing or empty key keeps the old one. */
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

    /* The hub matches names of enumerations without regard to case. */
    if (status != NULL && strcasecmp(status, "enabled") != 0 &&
        strcasecmp(status, "disabled") != 0) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "status is neither enabled nor disabled");
    }
    if (type != NULL && strcasecmp(type, "sas") != 0) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "authentication type %.40s: the emulator knows sas only", type);
    }
    const char *manager = hub_json_string(body, "managedBy");
    if (manager != NULL && strlen(manager) > MANAGER_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "managedBy is longer than %d", MANAGER_MAX);
    }
    hub_result r = check_key(hub_json_string(keys, "primaryKey"), fault);
    return r == HUB_OK ? check_key(hub_json_string(keys, "secondaryKey"), fault) : r;
}

static void apply_key(char **field, const char *key)
{
    if (key != NULL && key[0] != '\0') {
        hub_replace(field, key);
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
