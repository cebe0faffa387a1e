#include "registry/authentication.h"

#include <stdlib.h>
#include <strings.h>

#include "base/crypto.h"
#include "registry/certificate.h"

static const char *const type_names[] = {
    [HUB_AUTH_SAS] = "sas",
    [HUB_AUTH_SELF_SIGNED] = "selfSigned",
    [HUB_AUTH_CA] = "certificateAuthority",
};

#define TYPE_COUNT (sizeof type_names / sizeof type_names[0])

const char *hub_auth_type_name(hub_auth_type type)
{
    return type_names[type];
}

/* The hub compares names of enumerations without regard to case. */
static bool find_type(const char *name, hub_auth_type *type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcasecmp(name, type_names[i]) == 0) {
            *type = (hub_auth_type)i;
            return true;
        }
    }
    return false;
}

hub_auth_type hub_auth_type_of(const char *name)
{
    hub_auth_type type;

    return name != NULL && find_type(name, &type) ? type : HUB_AUTH_SAS;
}

bool hub_key_valid(const char *key)
{
    size_t len;
    uint8_t *bytes = hub_base64_decode(key, &len);
    bool ok = bytes != NULL && len >= 16 && len <= 64;

    free(bytes);
    return ok;
}

/* Empty texts count as missing. */
static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = hub_json_string(object, name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

static hub_result check_keys(const hub_authentication *a, hub_fault *fault)
{
    if ((a->primary_key != NULL && !hub_key_valid(a->primary_key)) ||
        (a->secondary_key != NULL && !hub_key_valid(a->secondary_key))) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "a symmetric key is not base64 of 16 to 64 bytes");
    }
    return HUB_OK;
}

static hub_result check_thumbprints(const hub_authentication *a, hub_fault *fault)
{
    if ((a->primary_thumbprint != NULL && !hub_thumbprint_valid(a->primary_thumbprint)) ||
        (a->secondary_thumbprint != NULL && !hub_thumbprint_valid(a->secondary_thumbprint))) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "a thumbprint is not 40 or 64 hexadecimal digits");
    }
    if (a->type == HUB_AUTH_SELF_SIGNED && a->has_thumbprints && a->primary_thumbprint == NULL &&
        a->secondary_thumbprint == NULL) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "authentication type selfSigned: no thumbprint");
    }
    return HUB_OK;
}

hub_result hub_authentication_read(hub_authentication *out, const cJSON *body, hub_auth_type was,
                                   hub_fault *fault)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(body, "authentication");
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(json, "symmetricKey");
    const cJSON *prints = cJSON_GetObjectItemCaseSensitive(json, "x509Thumbprint");
    const char *type = hub_json_string(json, "type");

    *out = (hub_authentication){
        .type = was,
        .primary_thumbprint = text_of(prints, "primaryThumbprint"),
        .secondary_thumbprint = text_of(prints, "secondaryThumbprint"),
        .primary_key = text_of(keys, "primaryKey"),
        .secondary_key = text_of(keys, "secondaryKey"),
    };
    const bool any = out->primary_thumbprint != NULL || out->secondary_thumbprint != NULL;
    out->type = type == NULL && any ? HUB_AUTH_SELF_SIGNED : out->type;
    if (type != NULL && !find_type(type, &out->type)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "authentication type %.40s is not sas, selfSigned or certificateAuthority",
                        type);
    }
    out->has_thumbprints = cJSON_IsObject(prints) || was != HUB_AUTH_SELF_SIGNED;
    hub_result r = check_keys(out, fault);
    return r == HUB_OK ? check_thumbprints(out, fault) : r;
}
