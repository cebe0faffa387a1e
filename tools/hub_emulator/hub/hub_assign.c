#include "hub/hub_assign.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Returns how the device logs in. Thumbprints that it does not have are null. */
static cJSON *authentication(const dps_admission *a, bool by_authority)
{
    cJSON *json = cJSON_CreateObject();

    if (by_authority) {
        hub_json_add_text(json, "type", "certificateAuthority");
    } else if (a->primary_thumbprint != NULL) {
        cJSON *thumbprints = cJSON_AddObjectToObject(json, "x509Thumbprint");
        hub_json_add_text(json, "type", "selfSigned");
        hub_json_add_text(thumbprints, "primaryThumbprint", a->primary_thumbprint);
        hub_json_add_text(thumbprints, "secondaryThumbprint", a->secondary_thumbprint);
    } else {
        cJSON *keys = cJSON_AddObjectToObject(json, "symmetricKey");
        hub_json_add_text(json, "type", "sas");
        hub_json_add_text(keys, "primaryKey", a->primary_key);
        hub_json_add_text(keys, "secondaryKey", a->secondary_key);
    }
    return json;
}

/* Returns the body of the PUT with which the service would create the identity. */
static cJSON *identity_body(const dps_admission *a, bool by_authority)
{
    cJSON *json = cJSON_CreateObject();
    const cJSON *capabilities =
        cJSON_GetObjectItemCaseSensitive(a->enrollment->settings, "capabilities");

    (void)cJSON_AddItemToObject(json, "authentication", authentication(a, by_authority));
    (void)cJSON_AddItemToObject(json, "capabilities", cJSON_Duplicate(capabilities, true));
    return json;
}

static void drop_null(cJSON *object, const char *name)
{
    if (cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(object, name))) {
        cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    }
}

/* Returns the initial twin of the enrolment without members that are null, which some SDKs send
 * for missing ones. Returns NULL if there is none. */
static cJSON *twin_body(const dps_enrollment *enrollment)
{
    const cJSON *initial = cJSON_GetObjectItemCaseSensitive(enrollment->settings, "initialTwin");

    if (initial == NULL) {
        return NULL;
    }
    cJSON *json = cJSON_Duplicate(initial, true);
    drop_null(json, "tags");
    drop_null(json, "properties");
    drop_null(cJSON_GetObjectItemCaseSensitive(json, "properties"), "desired");
    return json;
}

static hub_result create(hub *h, const char *device, hub_change *change, hub_fault *fault)
{
    hub_identity *made;

    return hub_registry_create(&h->registry, device, NULL, change, hub_now(h), &made, fault);
}

/* Resets a device, so that it is like one that the hub has never seen. */
static hub_result reset(hub *h, hub_identity *id, const char *device, hub_change *change,
                        hub_fault *fault)
{
    hub_result r = hub_delete(h, id, fault);

    return r == HUB_OK ? create(h, device, change, fault) : r;
}

/* identity is the body of the PUT. */
static hub_result carry_out(hub *h, const dps_enrollment *enrollment, const cJSON *identity,
                            const dps_outcome *outcome, hub_fault *fault)
{
    const char *device = outcome->device_id;
    cJSON *twin = twin_body(enrollment);
    hub_change with_twin = { .identity = identity, .twin = twin };
    hub_change without = { .identity = identity };
    hub_identity *id = hub_registry_find(&h->registry, device, NULL);
    hub_result r;

    if (id == NULL) {
        r = create(h, device, &with_twin, fault);
    } else if (outcome->substatus == DPS_DATA_RESET) {
        r = reset(h, id, device, &with_twin, fault);
    } else {
        r = hub_apply(h, id, &without, fault);
    }
    cJSON_Delete(twin);
    return r;
}

/* Returns the device id. A device keeps its id, even if it now writes its registration id in
 * another case. */
static const char *device_of(const dps_enrollment *enrollment, const dps_registration *before,
                             const char *registration_id)
{
    const char *wanted = dps_enrollment_device_id(enrollment);

    if (wanted != NULL) {
        return wanted;
    }
    return before != NULL && before->device_id != NULL ? before->device_id : registration_id;
}

static dps_substatus substatus_of(const dps_enrollment *enrollment, const dps_registration *before)
{
    if (before == NULL) {
        return DPS_INITIAL_ASSIGNMENT;
    }
    switch (dps_enrollment_reprovision(enrollment)) {
    case DPS_REPROVISION_MIGRATE: return DPS_DATA_MIGRATED;
    case DPS_REPROVISION_RESET: return DPS_DATA_RESET;
    case DPS_REPROVISION_NEVER: return before->substatus;
    }
    return before->substatus;
}

/* Returns the earlier assignment of the device by the same enrolment; NULL: there is none. */
static const dps_registration *earlier(const hub *h, const dps_admission *a, const char *id)
{
    const dps_registration *r = dps_find_registration(h->dps, id);

    return r != NULL && r->status == DPS_ASSIGNED && dps_registration_of(r, a->enrollment) ? r
                                                                                           : NULL;
}

const char *hub_assigned_id(const hub *h, const dps_admission *a, const char *registration_id)
{
    const dps_registration *before = earlier(h, a, registration_id);
    const bool never = dps_enrollment_reprovision(a->enrollment) == DPS_REPROVISION_NEVER;

    return before != NULL && never ? before->device_id
                                   : device_of(a->enrollment, before, registration_id);
}

bool hub_assign(hub *h, const dps_admission *a, const char *registration_id, bool by_authority,
                dps_outcome *out, dps_error *e)
{
    const dps_registration *before = earlier(h, a, registration_id);
    const bool never = dps_enrollment_reprovision(a->enrollment) == DPS_REPROVISION_NEVER;
    hub_fault fault;

    out->status = DPS_ASSIGNED;
    out->substatus = substatus_of(a->enrollment, before);
    out->device_id = hub_assigned_id(h, a, registration_id);
    out->host = h->dps->host;
    if (before != NULL && never) {
        return true;
    }
    cJSON *identity = identity_body(a, by_authority);
    hub_result r = carry_out(h, a->enrollment, identity, out, &fault);
    cJSON_Delete(identity);
    return r == HUB_OK || dps_fail_by(e, &fault);
}
