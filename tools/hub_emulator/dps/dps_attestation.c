#include "dps/dps_attestation.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "registry/authentication.h"

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* --- symmetric keys -------------------------------------------------------- */

static bool read_key(const char *key, const char *old, char **out, dps_error *e)
{
    if (key != NULL && key[0] != '\0') {
        if (!hub_key_valid(key)) {
            return dps_fail(e, DPS_CODE_ARGUMENT,
                            "attestation: a symmetric key is not base64 of 16 to 64 bytes");
        }
        *out = hub_strdup(key);
        return true;
    }
    *out = old != NULL ? hub_strdup(old) : hub_random_key();
    return true;
}

static bool read_symmetric(const cJSON *json, const dps_attestation *was, dps_attestation *out,
                           dps_error *e)
{
    const cJSON *keys = get(json, "symmetricKey");
    const bool kept = was != NULL && was->type == DPS_SYMMETRIC_KEY;

    out->type = DPS_SYMMETRIC_KEY;
    return read_key(hub_json_string(keys, "primaryKey"), kept ? was->first : NULL, &out->first,
                    e) &&
           read_key(hub_json_string(keys, "secondaryKey"), kept ? was->second : NULL, &out->second,
                    e);
}

char *dps_derive_key(const char *group_key, const char *registration_id)
{
    uint8_t mac[HUB_SHA256_SIZE];
    size_t len = 0;
    uint8_t *key = hub_base64_decode(group_key, &len);

    if (key == NULL) {
        return NULL;
    }
    hub_hmac_sha256(key, len, registration_id, strlen(registration_id), mac);
    explicit_bzero(key, len);
    free(key);
    return hub_base64_encode(mac, sizeof mac);
}

/* --- TPM ------------------------------------------------------------------- */

static bool read_tpm(const cJSON *json, bool group, dps_attestation *out, dps_error *e)
{
    const char *endorsement = hub_json_string(get(json, "tpm"), "endorsementKey");
    const char *storage = hub_json_string(get(json, "tpm"), "storageRootKey");

    out->type = DPS_TPM;
    if (group) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "attestation: a group cannot have a TPM");
    }
    if (endorsement == NULL || endorsement[0] == '\0') {
        return dps_fail(e, DPS_CODE_ARGUMENT, "attestation: a TPM needs an endorsementKey");
    }
    out->first = hub_strdup(endorsement);
    out->second = storage != NULL ? hub_strdup(storage) : NULL;
    return true;
}

/* --- all of them ----------------------------------------------------------- */

bool dps_attestation_read(const cJSON *json, const dps_attestation *was, bool group,
                          dps_attestation *out, dps_error *e)
{
    const char *type = hub_json_string(json, "type");
    bool ok = false;

    *out = (dps_attestation){ 0 };
    if (type == NULL) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "attestation.type is missing");
    }
    if (strcmp(type, "symmetricKey") == 0) {
        ok = read_symmetric(json, was, out, e);
    } else if (strcmp(type, "tpm") == 0) {
        ok = read_tpm(json, group, out, e);
    } else {
        ok = dps_fail(e, DPS_CODE_ARGUMENT, "attestation.type %.40s: not supported", type);
    }
    if (!ok) {
        dps_attestation_free(out);
    }
    return ok;
}

void dps_attestation_free(dps_attestation *a)
{
    free(a->first);
    free(a->second);
    *a = (dps_attestation){ 0 };
}

cJSON *dps_attestation_view(const dps_attestation *a)
{
    cJSON *json = dps_attestation_full(a);

    if (a->type == DPS_SYMMETRIC_KEY) {
        (void)cJSON_ReplaceItemInObjectCaseSensitive(json, "symmetricKey", cJSON_CreateObject());
    }
    return json;
}

cJSON *dps_attestation_full(const dps_attestation *a)
{
    cJSON *json = cJSON_CreateObject();
    const bool tpm = a->type == DPS_TPM;

    hub_json_add_text(json, "type", tpm ? "tpm" : "symmetricKey");
    cJSON *keys = cJSON_AddObjectToObject(json, tpm ? "tpm" : "symmetricKey");
    hub_json_add_text(keys, tpm ? "endorsementKey" : "primaryKey", a->first);
    hub_json_add_text(keys, tpm ? "storageRootKey" : "secondaryKey", a->second);
    return json;
}
