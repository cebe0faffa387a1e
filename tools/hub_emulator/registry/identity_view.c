/* Makes the JSON of identities and twins as the service API shows it. */

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "registry/identity.h"

char *hub_identity_etag(const hub_identity *id)
{
    char *decimal = hub_format("%lld", (long long)id->etag);
    char *etag = hub_base64_encode(decimal, strlen(decimal));

    free(decimal);
    return etag;
}

/* Adds a time; an event that never happened gets the date that the service shows for it. */
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

static void add_scopes(cJSON *json, const hub_identity *id)
{
    if (id->device_scope != NULL) {
        hub_json_add_text(json, "deviceScope", id->device_scope);
    }
    if (id->device_scope != NULL || id->parent_scope != NULL) {
        cJSON *parents = cJSON_AddArrayToObject(json, "parentScopes");
        if (id->parent_scope != NULL) {
            (void)cJSON_AddItemToArray(parents, cJSON_CreateString(id->parent_scope));
        }
    }
}

static void add_thumbprint(cJSON *json, const hub_identity *id)
{
    cJSON *thumbprint = cJSON_AddObjectToObject(json, "x509Thumbprint");
    hub_json_add_text(thumbprint, "primaryThumbprint", id->primary_thumbprint);
    hub_json_add_text(thumbprint, "secondaryThumbprint", id->secondary_thumbprint);
}

/* An identity with a certificate also has keys, for the case that it uses keys again later.
 * Until then they open nothing and are not shown. */
static void add_authentication(cJSON *json, const hub_identity *id)
{
    cJSON *authentication = cJSON_AddObjectToObject(json, "authentication");
    cJSON *keys = cJSON_AddObjectToObject(authentication, "symmetricKey");
    const bool sas = id->auth_type == HUB_AUTH_SAS;

    hub_json_add_text(keys, "primaryKey", sas ? id->primary_key : NULL);
    hub_json_add_text(keys, "secondaryKey", sas ? id->secondary_key : NULL);
    add_thumbprint(authentication, id);
    hub_json_add_text(authentication, "type", hub_auth_type_name(id->auth_type));
}

cJSON *hub_identity_view(const hub_identity *id)
{
    cJSON *json = cJSON_CreateObject();

    add_ids(json, id);
    hub_json_add_text(json, "generationId", id->generation_id);
    add_etag(json, "etag", id);
    add_state(json, id, "statusUpdatedTime");
    add_time(json, "connectionStateUpdatedTime", id->connection_ms);
    add_authentication(json, id);
    add_capabilities(json, id);
    add_scopes(json, id);
    if (id->module != NULL) {
        hub_json_add_text(json, "managedBy", id->managed_by);
    }
    return json;
}

cJSON *hub_identity_twin_head(const hub_identity *id)
{
    cJSON *json = cJSON_CreateObject();

    add_ids(json, id);
    add_etag(json, "deviceEtag", id);
    add_state(json, id, "statusUpdateTime");
    hub_json_add_text(json, "authenticationType", hub_auth_type_name(id->auth_type));
    add_thumbprint(json, id);
    hub_json_add_text(json, "modelId", id->model_id);
    add_capabilities(json, id);
    add_scopes(json, id);
    hub_twin_add_service_head(&id->twin, json);
    return json;
}

cJSON *hub_identity_twin_view(const hub_identity *id)
{
    cJSON *json = hub_identity_twin_head(id);

    hub_twin_add_service_view(&id->twin, json);
    return json;
}

char *hub_identity_connection_string(const hub_identity *id, const char *host)
{
    hub_text t = { 0 };

    hub_text_printf(&t, "HostName=%s;DeviceId=%s", host, id->device);
    if (id->module != NULL) {
        hub_text_printf(&t, ";ModuleId=%s", id->module);
    }
    if (id->auth_type == HUB_AUTH_SAS) {
        hub_text_printf(&t, ";SharedAccessKey=%s", id->primary_key);
    } else {
        hub_text_str(&t, ";x509=true");
    }
    return t.p;
}
