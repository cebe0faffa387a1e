#include "registry/policies.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "registry/authentication.h"

#define HUB_FILE "hub.json"
#define FORMAT   "iothub-hub-emulator-1"

/* Positions of policies in the table. Files of earlier versions have only those before
 * FIRST_LATER_POLICY. */
enum { HUB_OWNER = 0, FIRST_LATER_POLICY = 5, SERVICE_OWNER = FIRST_LATER_POLICY };

static const struct {
    const char *name;
    unsigned rights;
} policy_table[HUB_POLICY_COUNT] = {
    [HUB_OWNER] = { "iothubowner", HUB_RIGHT_REGISTRY_READ | HUB_RIGHT_REGISTRY_WRITE |
                                       HUB_RIGHT_SERVICE_CONNECT | HUB_RIGHT_DEVICE_CONNECT },
    { "service", HUB_RIGHT_SERVICE_CONNECT },
    { "device", HUB_RIGHT_DEVICE_CONNECT },
    { "registryRead", HUB_RIGHT_REGISTRY_READ },
    { "registryReadWrite", HUB_RIGHT_REGISTRY_READ | HUB_RIGHT_REGISTRY_WRITE },
    [SERVICE_OWNER] = { "provisioningserviceowner",
                        HUB_RIGHT_ENROLLMENT_READ | HUB_RIGHT_ENROLLMENT_WRITE |
                            HUB_RIGHT_REGISTRATION_READ | HUB_RIGHT_REGISTRATION_WRITE },
    { "enrollmentRead", HUB_RIGHT_ENROLLMENT_READ },
    { "registrationRead", HUB_RIGHT_REGISTRATION_READ },
};

static void init(hub_policies *p)
{
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        p->items[i] = (hub_policy){
            .name = policy_table[i].name,
            .rights = policy_table[i].rights,
            .primary_key = hub_random_key(),
            .secondary_key = hub_random_key(),
        };
    }
}

static hub_result save(const hub_policies *p, const hub_store *store, hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "format", FORMAT);
    cJSON *policies = cJSON_AddObjectToObject(json, "policies");
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        cJSON *policy = cJSON_AddObjectToObject(policies, p->items[i].name);
        hub_json_add_text(policy, "primaryKey", p->items[i].primary_key);
        hub_json_add_text(policy, "secondaryKey", p->items[i].secondary_key);
    }
    hub_result result = hub_store_write_json(store, HUB_FILE, json, fault);
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

/* Makes new keys; clients with the old connection strings need new ones. */
static hub_result renew(const hub_policies *p, const hub_store *store, const char *why,
                        hub_fault *fault)
{
    hub_store_set_aside(store, HUB_FILE, why);
    hub_store_report(store, "the hub's policies got new keys");
    return save(p, store, fault);
}

hub_result hub_policies_open(hub_policies *p, const hub_store *store, hub_fault *fault)
{
    cJSON *json;

    init(p);
    hub_result result = hub_store_read_json(store, HUB_FILE, &json, fault);
    if (result == HUB_ERR_NO_RESOURCE) {
        return save(p, store, fault);
    }
    if (result == HUB_ERR_ARGUMENT) {
        return renew(p, store, fault->text, fault);
    }
    if (result != HUB_OK) {
        return result;
    }
    const char *format = hub_json_string(json, "format");
    const cJSON *policies = cJSON_GetObjectItemCaseSensitive(json, "policies");
    bool ok = format != NULL && strcmp(format, FORMAT) == 0;
    bool complete = true;
    for (size_t i = 0; ok && i < HUB_POLICY_COUNT; i++) {
        const cJSON *policy = cJSON_GetObjectItemCaseSensitive(policies, p->items[i].name);
        if (policy == NULL && i >= FIRST_LATER_POLICY) {
            complete = false;
        } else {
            ok = take_policy(&p->items[i], policy);
        }
    }
    cJSON_Delete(json);
    if (!ok) {
        return renew(p, store, "was not written by this hub_emulator", fault);
    }
    return complete ? HUB_OK : save(p, store, fault);
}

void hub_policies_free(hub_policies *p)
{
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        free(p->items[i].primary_key);
        free(p->items[i].secondary_key);
    }
    *p = (hub_policies){ 0 };
}

const hub_policy *hub_policies_find(const hub_policies *p, const char *name)
{
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        if (strcmp(p->items[i].name, name) == 0) {
            return &p->items[i];
        }
    }
    return NULL;
}

static char *connection_string(const hub_policy *policy, const char *host)
{
    return hub_format("HostName=%s;SharedAccessKeyName=%s;SharedAccessKey=%s", host, policy->name,
                      policy->primary_key);
}

char *hub_policies_connection_string(const hub_policies *p, const char *host)
{
    return connection_string(&p->items[HUB_OWNER], host);
}

char *hub_policies_dps_connection_string(const hub_policies *p, const char *host)
{
    return connection_string(&p->items[SERVICE_OWNER], host);
}
