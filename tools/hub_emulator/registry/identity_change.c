/* Checks what a PUT of the service may change in an identity. */

#include "registry/identity_change.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"

#define MANAGER_MAX 128

bool hub_key_valid(const char *key)
{
    size_t len;
    uint8_t *bytes = hub_base64_decode(key, &len);
    bool ok = bytes != NULL && len >= 16 && len <= 64;

    free(bytes);
    return ok;
}

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

hub_result hub_identity_check_change(const cJSON *body, hub_fault *fault)
{
    const cJSON *authentication = get(body, "authentication");
    const cJSON *keys = get(authentication, "symmetricKey");
    const char *type = hub_json_string(authentication, "type");
    const char *status = hub_json_string(body, "status");

    /* The real hub compares names of enumerations without regard to case. */
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
