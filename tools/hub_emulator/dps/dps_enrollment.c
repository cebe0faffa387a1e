#include "dps/dps_enrollment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/text.h"
#include "registry/identity.h"

#define ID_MAX 128

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

bool dps_id_valid(const char *id)
{
    size_t len = strlen(id);

    if (len == 0 || len > ID_MAX || !isalnum((unsigned char)id[0]) ||
        !isalnum((unsigned char)id[len - 1])) {
        return false;
    }
    for (const char *c = id; *c != '\0'; c++) {
        bool ascii = ((unsigned char)*c & 0x80) == 0;
        if (!ascii || (!isalnum((unsigned char)*c) && strchr("-._:", *c) == NULL)) {
            return false;
        }
    }
    return true;
}

/* --- members ------------------------------------------------------------------ */

/* Checks a member of the body of a request. */
typedef bool (*member_check)(const cJSON *item, const dps_enrollment_request *r);

static bool is_device_id(const cJSON *item, const dps_enrollment_request *r)
{
    const char *id = cJSON_GetStringValue(item);
    return !r->group && id != NULL && hub_id_valid(id) && hub_id_fits_mqtt(id);
}

static bool is_this_hub(const cJSON *item, const dps_enrollment_request *r)
{
    const char *host = cJSON_GetStringValue(item);
    return host != NULL && strcasecmp(host, r->host) == 0;
}

static bool are_hubs(const cJSON *item, const dps_enrollment_request *r)
{
    const cJSON *hub;

    cJSON_ArrayForEach(hub, item)
    {
        if (!is_this_hub(hub, r)) {
            return false;
        }
    }
    return cJSON_IsArray(item);
}

static bool is_object_or_absent(const cJSON *item)
{
    return item == NULL || cJSON_IsNull(item) || cJSON_IsObject(item);
}

static bool is_twin(const cJSON *item, const dps_enrollment_request *r)
{
    (void)r;
    return cJSON_IsObject(item) && is_object_or_absent(get(item, "tags")) &&
           is_object_or_absent(get(item, "properties")) &&
           is_object_or_absent(get(get(item, "properties"), "desired"));
}

static bool are_capabilities(const cJSON *item, const dps_enrollment_request *r)
{
    (void)r;
    return cJSON_IsObject(item) && cJSON_IsBool(get(item, "iotEdge"));
}

static bool is_policy(const cJSON *item, const dps_enrollment_request *r)
{
    (void)r;
    return cJSON_IsObject(item) && cJSON_IsBool(get(item, "updateHubAssignment")) &&
           cJSON_IsBool(get(item, "migrateDeviceData"));
}

static bool is_allocation(const cJSON *item, const dps_enrollment_request *r)
{
    static const char *const names[] = { "hashed", "geoLatency", "static", "custom" };
    const char *name = cJSON_GetStringValue(item);

    (void)r;
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_custom_allocation(const cJSON *item, const dps_enrollment_request *r)
{
    (void)r;
    return cJSON_IsObject(item) && hub_json_string(item, "webhookUrl") != NULL &&
           hub_json_string(item, "apiVersion") != NULL;
}

static bool is_object(const cJSON *item, const dps_enrollment_request *r)
{
    (void)r;
    return cJSON_IsObject(item);
}

static const struct {
    const char *name;
    member_check check;
    const char *rule;
} members[] = {
    { "deviceId", is_device_id, "not a device id that MQTT can carry, or not allowed in a group" },
    { "iotHubHostName", is_this_hub, "not the host name of this emulator's hub" },
    { "iotHubs", are_hubs, "not a list of the host name of this emulator's hub" },
    { "initialTwin", is_twin, "not {\"tags\":{},\"properties\":{\"desired\":{}}}" },
    { "capabilities", are_capabilities, "not {\"iotEdge\":true or false}" },
    { "reprovisionPolicy", is_policy,
      "not {\"updateHubAssignment\":true or false,\"migrateDeviceData\":true or false}" },
    { "allocationPolicy", is_allocation, "neither hashed, geoLatency, static nor custom" },
    { "customAllocationDefinition", is_custom_allocation,
      "not {\"webhookUrl\":\"..\",\"apiVersion\":\"..\"}" },
    { "optionalDeviceInformation", is_object, "not an object" },
};

/* Adds the members that the service shows even if nobody gave them. */
static void add_defaults(cJSON *settings)
{
    if (get(settings, "capabilities") == NULL) {
        cJSON *capabilities = cJSON_AddObjectToObject(settings, "capabilities");
        (void)cJSON_AddBoolToObject(capabilities, "iotEdge", false);
    }
    if (get(settings, "reprovisionPolicy") == NULL) {
        cJSON *policy = cJSON_AddObjectToObject(settings, "reprovisionPolicy");
        (void)cJSON_AddBoolToObject(policy, "updateHubAssignment", true);
        (void)cJSON_AddBoolToObject(policy, "migrateDeviceData", true);
    }
    if (get(settings, "allocationPolicy") == NULL) {
        hub_json_add_text(settings, "allocationPolicy", "hashed");
    }
}

static bool read_settings(const cJSON *body, const dps_enrollment_request *r, cJSON *settings,
                          dps_error *e)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const cJSON *item = get(body, members[i].name);
        if (item == NULL || cJSON_IsNull(item)) {
            continue;
        }
        if (!members[i].check(item, r)) {
            return dps_fail(e, DPS_CODE_ARGUMENT, "%s: %s", members[i].name, members[i].rule);
        }
        (void)cJSON_AddItemToObject(settings, members[i].name, cJSON_Duplicate(item, true));
    }
    add_defaults(settings);
    bool custom = strcmp(hub_json_string(settings, "allocationPolicy"), "custom") == 0;
    return !custom || get(settings, "customAllocationDefinition") != NULL
               ? true
               : dps_fail(e, DPS_CODE_ARGUMENT,
                          "customAllocationDefinition: custom allocation needs it");
}

/* --- the whole ------------------------------------------------------------------ */

static const char *id_member(bool group)
{
    return group ? "enrollmentGroupId" : "registrationId";
}

static bool read_head(const cJSON *body, const dps_enrollment_request *r, dps_enrollment *out,
                      dps_error *e)
{
    const char *id = hub_json_string(body, id_member(r->group));
    const char *status = hub_json_string(body, "provisioningStatus");

    if (!cJSON_IsObject(body) || id == NULL || strcasecmp(id, r->id) != 0) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "%s: not the id in the path", id_member(r->group));
    }
    if (!dps_id_valid(id)) {
        return dps_fail(e, DPS_CODE_ARGUMENT,
                        "%s: not 1 to 128 letters, digits and -._: between letters or digits",
                        id_member(r->group));
    }
    if (status != NULL && strcmp(status, "enabled") != 0 && strcmp(status, "disabled") != 0) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "provisioningStatus: neither enabled nor disabled");
    }
    out->enabled = status == NULL || strcmp(status, "enabled") == 0;
    out->id = hub_strdup(r->was != NULL ? r->was->id : id);
    return true;
}

static int64_t fresh_etag(void)
{
    uint32_t etag;

    hub_random(&etag, sizeof etag);
    return etag;
}

dps_enrollment *dps_enrollment_read(const cJSON *body, const dps_enrollment_request *r,
                                    dps_error *e)
{
    dps_enrollment *out = hub_calloc(1, sizeof *out);
    const dps_enrollment *was = r->was;

    out->group = r->group;
    out->number = was != NULL ? was->number : r->number;
    out->etag = was != NULL ? was->etag + 1 : fresh_etag();
    out->created_ms = was != NULL ? was->created_ms : r->now_ms;
    out->updated_ms = r->now_ms;
    out->settings = cJSON_CreateObject();
    if (!read_head(body, r, out, e) ||
        !dps_attestation_read(get(body, "attestation"), was != NULL ? &was->attestation : NULL,
                              r->group, &out->attestation, e) ||
        !read_settings(body, r, out->settings, e)) {
        dps_enrollment_free(out);
        return NULL;
    }
    return out;
}

void dps_enrollment_free(dps_enrollment *e)
{
    if (e == NULL) {
        return;
    }
    free(e->id);
    dps_attestation_free(&e->attestation);
    cJSON_Delete(e->settings);
    free(e);
}

char *dps_enrollment_etag(const dps_enrollment *e)
{
    char *decimal = hub_format("%lld", (long long)e->etag);
    char *etag = hub_base64_encode(decimal, strlen(decimal));

    free(decimal);
    return etag;
}

cJSON *dps_enrollment_view(const dps_enrollment *e, bool with_keys)
{
    cJSON *json = cJSON_CreateObject();
    const cJSON *member;
    char *etag = dps_enrollment_etag(e);

    hub_json_add_text(json, id_member(e->group), e->id);
    (void)cJSON_AddItemToObject(json, "attestation",
                                with_keys ? dps_attestation_full(&e->attestation)
                                          : dps_attestation_view(&e->attestation));
    cJSON_ArrayForEach(member, e->settings)
    {
        (void)cJSON_AddItemToObject(json, member->string, cJSON_Duplicate(member, true));
    }
    hub_json_add_text(json, "provisioningStatus", e->enabled ? "enabled" : "disabled");
    hub_json_add_time(json, "createdDateTimeUtc", e->created_ms);
    hub_json_add_time(json, "lastUpdatedDateTimeUtc", e->updated_ms);
    hub_json_add_text(json, "etag", etag);
    free(etag);
    return json;
}

dps_reprovision dps_enrollment_reprovision(const dps_enrollment *e)
{
    const cJSON *policy = get(e->settings, "reprovisionPolicy");

    if (!cJSON_IsTrue(get(policy, "updateHubAssignment"))) {
        return DPS_REPROVISION_NEVER;
    }
    return cJSON_IsTrue(get(policy, "migrateDeviceData")) ? DPS_REPROVISION_MIGRATE
                                                          : DPS_REPROVISION_RESET;
}

const char *dps_enrollment_device_id(const dps_enrollment *e)
{
    return hub_json_string(e->settings, "deviceId");
}

/* --- on disk -------------------------------------------------------------------- */

char *dps_enrollment_file(unsigned number)
{
    return hub_format("enrollment-%06u.json", number);
}

hub_result dps_enrollment_save(const dps_enrollment *e, const hub_store *store, hub_fault *fault)
{
    cJSON *json = dps_enrollment_view(e, true);
    char *name = dps_enrollment_file(e->number);

    (void)cJSON_ReplaceItemInObjectCaseSensitive(json, "attestation",
                                                 dps_attestation_state(&e->attestation));
    (void)cJSON_AddBoolToObject(json, "group", e->group);
    (void)cJSON_AddNumberToObject(json, "etagNumber", (double)e->etag);
    (void)cJSON_AddNumberToObject(json, "created", (double)e->created_ms);
    (void)cJSON_AddNumberToObject(json, "updated", (double)e->updated_ms);
    hub_result r = hub_store_write_json(store, name, json, fault);
    cJSON_Delete(json);
    free(name);
    return r;
}

/* Removes names of other hubs from a saved enrolment: they are names that this hub had before. */
static void forget_hubs(cJSON *json, const char *host)
{
    const dps_enrollment_request r = { .host = host };

    if (!is_this_hub(get(json, "iotHubHostName"), &r)) {
        cJSON_DeleteItemFromObjectCaseSensitive(json, "iotHubHostName");
    }
    if (!are_hubs(get(json, "iotHubs"), &r)) {
        cJSON_DeleteItemFromObjectCaseSensitive(json, "iotHubs");
    }
}

static int64_t whole(const cJSON *json, const char *name)
{
    int64_t number = 0;

    return hub_json_whole(get(json, name), 0, INT64_C(1) << 52, &number) ? number : 0;
}

static dps_enrollment *from_json(cJSON *json, unsigned number, const char *host)
{
    const bool group = cJSON_IsTrue(get(json, "group"));
    const dps_enrollment_request r = { .group = group,
                                       .id = hub_json_string(json, id_member(group)),
                                       .host = host,
                                       .number = number };
    dps_error error;
    dps_enrollment *e;

    forget_hubs(json, host);
    if (r.id == NULL || (e = dps_enrollment_read(json, &r, &error)) == NULL) {
        return NULL;
    }
    e->etag = whole(json, "etagNumber");
    e->created_ms = whole(json, "created");
    e->updated_ms = whole(json, "updated");
    return e;
}

hub_result dps_enrollment_load(const hub_store *store, unsigned number, const char *host,
                               dps_enrollment **out, hub_fault *fault)
{
    char *name = dps_enrollment_file(number);
    cJSON *json;

    *out = NULL;
    hub_result r = hub_store_read_json(store, name, &json, fault);
    free(name);
    if (r != HUB_OK) {
        return r;
    }
    *out = from_json(json, number, host);
    cJSON_Delete(json);
    return *out != NULL ? HUB_OK : hub_fail(fault, HUB_ERR_ARGUMENT, "is not a complete enrolment");
}
