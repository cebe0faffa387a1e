#include "launcher/provisioning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dps/dps.h"
#include "launcher/certificates.h"

/* The enrolments of one kind, and the names of their environment variables. */
typedef struct kind {
    bool group;
    const char *const *ids;
    size_t count;
    const char *id_name;
    const char *key_name;
} kind;

static const dps_enrollment *enroll(dps *d, bool group, const char *id, int64_t now_ms,
                                    hub_fault *fault)
{
    const dps_enrollment *e = dps_find_enrollment(d, group, id);
    cJSON *body;
    dps_error error;

    if (e != NULL) {
        return e;
    }
    body = cJSON_CreateObject();
    hub_json_add_text(body, group ? "enrollmentGroupId" : "registrationId", id);
    cJSON *attestation = cJSON_AddObjectToObject(body, "attestation");
    hub_json_add_text(attestation, "type", "symmetricKey");
    e = dps_put_enrollment(d, group, id, body, now_ms, &error);
    cJSON_Delete(body);
    if (e == NULL) {
        (void)hub_fail(fault, HUB_ERR_STATE, "%s: %s", id, error.text);
    }
    return e;
}

static void add_numbered(hub_add_variable add, void *user, const char *name, size_t i,
                         const char *value)
{
    char *numbered = i == 0 ? hub_strdup(name) : hub_format("%s_%zu", name, i + 1);

    add(user, numbered, value);
    free(numbered);
}

static hub_result enroll_all(dps *d, const kind *k, int64_t now_ms, hub_add_variable add,
                             void *user, hub_fault *fault)
{
    for (size_t i = 0; i < k->count; i++) {
        const dps_enrollment *e = enroll(d, k->group, k->ids[i], now_ms, fault);
        if (e == NULL) {
            return fault->code;
        }
        add_numbered(add, user, k->id_name, i, e->id);
        if (e->attestation.type == DPS_SYMMETRIC_KEY) {
            add_numbered(add, user, k->key_name, i, e->attestation.first);
        }
    }
    return HUB_OK;
}

/* --- devices with certificates ------------------------------------------------------ */

/* Returns the certificate of the device or of its authority; NULL: it cannot be read. */
static hub_certificate *read_certificate(const hub_store *store, const hub_x509_device *device,
                                         hub_fault *fault)
{
    hub_certificate *c = NULL;
    char *path = device->by_ca ? hub_store_path(store, HUB_CA_FILE)
                               : hub_device_certificate_path(store, device->id, "crt");
    char *text = NULL;
    size_t len = 0;
    FILE *file = fopen(path, "re");

    if (file != NULL && getdelim(&text, &len, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    if (text != NULL) {
        (void)hub_certificate_from_text(&c, text, fault);
    } else {
        (void)hub_fail(fault, HUB_ERR_STATE, "%s cannot be read", path);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(text);
    free(path);
    return c;
}

static bool has_certificate(const dps_enrollment *e, const hub_certificate *c)
{
    const hub_certificate *own = e != NULL ? e->attestation.certificates[0] : NULL;
    return own != NULL && strcmp(own->thumbprint256, c->thumbprint256) == 0;
}

/* Enrols a device that has this certificate, or one that this authority has signed. */
static hub_result enroll_certificate(dps *d, const hub_x509_device *device,
                                     const hub_certificate *c, int64_t now_ms, hub_fault *fault)
{
    cJSON *body = cJSON_CreateObject();
    char *text = hub_certificate_to_text(c);
    dps_error error;

    hub_json_add_text(body, "registrationId", device->id);
    cJSON *attestation = cJSON_AddObjectToObject(body, "attestation");
    hub_json_add_text(attestation, "type", "x509");
    cJSON *list =
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(attestation, "x509"),
                                device->by_ca ? "signingCertificates" : "clientCertificates");
    hub_json_add_text(cJSON_AddObjectToObject(list, "primary"), "certificate", text);
    bool ok = dps_put_enrollment(d, false, device->id, body, now_ms, &error) != NULL;
    cJSON_Delete(body);
    free(text);
    return ok ? HUB_OK : hub_fail(fault, HUB_ERR_STATE, "%s: %s", device->id, error.text);
}

static hub_result enroll_x509(dps *d, const hub_x509_device *device, int64_t now_ms,
                              hub_fault *fault)
{
    hub_certificate *c = read_certificate(d->store, device, fault);
    hub_result r = HUB_OK;

    if (c == NULL) {
        return fault->code;
    }
    if (!has_certificate(dps_find_enrollment(d, false, device->id), c)) {
        r = enroll_certificate(d, device, c, now_ms, fault);
    }
    hub_certificate_free(c);
    return r;
}

hub_result hub_provisioning_prepare(const hub_registry *registry, const hub_options *o,
                                    int64_t now_ms, hub_add_variable add, void *user,
                                    hub_fault *fault)
{
    const kind devices = { false, o->enrolled, o->enrolled_count, "IOTHUB_DPS_REGISTRATION_ID",
                           "IOTHUB_DPS_KEY" };
    const kind groups = { true, o->groups, o->group_count, "IOTHUB_DPS_GROUP_ID",
                          "IOTHUB_DPS_GROUP_KEY" };
    const dps_settings settings = { .host = o->host };
    dps d;

    hub_result r = dps_open(&d, registry, &settings, now_ms, fault);
    if (r != HUB_OK) {
        return r;
    }
    char *service = hub_policies_dps_connection_string(&registry->policies, o->host);
    add(user, "IOTHUB_DPS_HOST", o->host);
    add(user, "IOTHUB_DPS_ID_SCOPE", d.id_scope);
    add(user, "IOTHUB_DPS_CONNECTION_STRING", service);
    free(service);
    r = enroll_all(&d, &devices, now_ms, add, user, fault);
    if (r == HUB_OK) {
        r = enroll_all(&d, &groups, now_ms, add, user, fault);
    }
    for (size_t i = 0; r == HUB_OK && i < o->x509_count; i++) {
        r = enroll_x509(&d, &o->x509_devices[i], now_ms, fault);
    }
    dps_close(&d);
    return r;
}
