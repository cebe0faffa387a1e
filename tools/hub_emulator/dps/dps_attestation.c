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

/* --- X.509 ------------------------------------------------------------------ */

static const struct {
    const char *member;
    dps_attestation_type type;
} x509_kinds[] = { { "clientCertificates", DPS_X509_CLIENT },
                   { "signingCertificates", DPS_X509_SIGNING },
                   { "caReferences", DPS_X509_CA } };

#define X509_KINDS (sizeof x509_kinds / sizeof x509_kinds[0])

static const char *const places[DPS_CERTIFICATES] = { "primary", "secondary" };

static bool is_there(const cJSON *item)
{
    return item != NULL && !cJSON_IsNull(item);
}

/* Returns the text of a certificate, on the heap. The service does not show certificates, so a
 * change may leave it out. */
static char *certificate_text(const cJSON *json, const dps_attestation *was,
                              const dps_attestation *out, size_t at)
{
    const char *text = hub_json_string(json, "certificate");

    if (text != NULL && text[0] != '\0') {
        return hub_strdup(text);
    }
    return was != NULL && was->type == out->type && was->certificates[at] != NULL
               ? hub_certificate_to_text(was->certificates[at])
               : NULL;
}

/* {"certificate":"PEM, or DER in base64"} */
static bool read_certificate(const cJSON *json, const dps_attestation *was, dps_attestation *out,
                             size_t at, dps_error *e)
{
    char *text = certificate_text(json, was, out, at);
    hub_fault fault;

    if (text == NULL) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "attestation: x509: %s has no certificate",
                        places[at]);
    }
    hub_result r = hub_certificate_from_text(&out->certificates[at], text, &fault);
    free(text);
    if (r != HUB_OK) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "attestation: x509: %s: %s", places[at], fault.text);
    }
    return out->type != DPS_X509_SIGNING || out->certificates[at]->is_ca ||
           dps_fail(e, DPS_CODE_ARGUMENT, "attestation: x509: %s is not one of an authority",
                    places[at]);
}

static bool read_certificates(const cJSON *json, const dps_attestation *was, dps_attestation *out,
                              dps_error *e)
{
    if (!is_there(get(json, places[0]))) {
        return dps_fail(e, DPS_CODE_ARGUMENT, "attestation: x509: primary is missing");
    }
    for (size_t i = 0; i < DPS_CERTIFICATES; i++) {
        const cJSON *item = get(json, places[i]);
        if (is_there(item) && !read_certificate(item, was, out, i, e)) {
            return false;
        }
    }
    return true;
}

/* At the service, an uploaded certificate has a name. Here, its common name is used. */
static bool read_references(const cJSON *json, dps_attestation *out, dps_error *e)
{
    const char *first = hub_json_string(json, places[0]);
    const char *second = hub_json_string(json, places[1]);

    if (first == NULL || first[0] == '\0') {
        return dps_fail(e, DPS_CODE_ARGUMENT, "attestation: x509: primary is missing");
    }
    out->first = hub_strdup(first);
    out->second = second != NULL && second[0] != '\0' ? hub_strdup(second) : NULL;
    return true;
}

/* Finds the only kind of certificates in the attestation; NULL after a refusal. */
static const cJSON *find_kind(const cJSON *x509, dps_attestation *out, dps_error *e)
{
    const cJSON *found = NULL;

    for (size_t i = 0; i < X509_KINDS; i++) {
        const cJSON *item = get(x509, x509_kinds[i].member);
        if (is_there(item) && found != NULL) {
            (void)dps_fail(e, DPS_CODE_ARGUMENT, "attestation: x509: more than one kind");
            return NULL;
        }
        if (is_there(item)) {
            found = item;
            out->type = x509_kinds[i].type;
        }
    }
    if (found == NULL) {
        (void)dps_fail(e, DPS_CODE_ARGUMENT,
                       "attestation: x509: neither clientCertificates, signingCertificates nor "
                       "caReferences");
    }
    return found;
}

static bool read_x509(const cJSON *json, const dps_attestation *was, bool group,
                      dps_attestation *out, dps_error *e)
{
    const cJSON *x509 = get(json, "x509");

    const cJSON *found = find_kind(x509, out, e);
    if (found == NULL) {
        return false;
    }
    if (group && out->type == DPS_X509_CLIENT) {
        return dps_fail(e, DPS_CODE_ARGUMENT,
                        "attestation: x509: a group cannot have clientCertificates");
    }
    return out->type == DPS_X509_CA ? read_references(found, out, e)
                                    : read_certificates(found, was, out, e);
}

static void add_seconds(cJSON *json, const char *name, int64_t s)
{
    hub_json_add_time(json, name, s * 1000);
}

static cJSON *info_of(const hub_certificate *c)
{
    cJSON *info = cJSON_CreateObject();

    hub_json_add_text(info, "subjectName", c->subject);
    hub_json_add_text(info, "sha1Thumbprint", c->thumbprint);
    hub_json_add_text(info, "sha256Thumbprint", c->thumbprint256);
    hub_json_add_text(info, "issuerName", c->issuer);
    add_seconds(info, "notBeforeUtc", c->not_before_s);
    add_seconds(info, "notAfterUtc", c->not_after_s);
    hub_json_add_text(info, "serialNumber", c->serial);
    (void)cJSON_AddNumberToObject(info, "version", c->version);
    return info;
}

/* The service describes a certificate, but does not show it. */
static cJSON *certificate_json(const hub_certificate *c, bool for_state)
{
    cJSON *json = cJSON_CreateObject();

    if (for_state) {
        char *text = hub_certificate_to_text(c);
        hub_json_add_text(json, "certificate", text);
        free(text);
    } else {
        (void)cJSON_AddItemToObject(json, "info", info_of(c));
    }
    return json;
}

static const char *member_of(dps_attestation_type type)
{
    size_t i = 0;

    while (x509_kinds[i].type != type) {
        i++;
    }
    return x509_kinds[i].member;
}

static cJSON *x509_json(const dps_attestation *a, bool for_state)
{
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "type", "x509");
    cJSON *list =
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(json, "x509"), member_of(a->type));
    if (a->type == DPS_X509_CA) {
        hub_json_add_text(list, places[0], a->first);
        hub_json_add_text(list, places[1], a->second);
    }
    for (size_t i = 0; i < DPS_CERTIFICATES; i++) {
        if (a->certificates[i] != NULL) {
            (void)cJSON_AddItemToObject(list, places[i],
                                        certificate_json(a->certificates[i], for_state));
        }
    }
    return json;
}

bool dps_attestation_is_x509(const dps_attestation *a)
{
    return a->type == DPS_X509_CLIENT || a->type == DPS_X509_SIGNING || a->type == DPS_X509_CA;
}

static size_t count_of(const dps_attestation *a)
{
    size_t count = 0;

    while (count < DPS_CERTIFICATES && a->certificates[count] != NULL) {
        count++;
    }
    return count;
}

static bool refers_to(const dps_attestation *a, const hub_certificate *authority)
{
    return strcmp(authority->name, a->first) == 0 ||
           (a->second != NULL && strcmp(authority->name, a->second) == 0);
}

/* Checks the chain with the authorities of the hub that have the names of the references. */
static hub_result check_references(const dps_attestation *a, const hub_client_chain *chain,
                                   const hub_authorities *authorities, int64_t now_s,
                                   hub_fault *fault)
{
    hub_certificate *named[HUB_AUTHORITIES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < authorities->count && count < HUB_AUTHORITIES_MAX; i++) {
        if (refers_to(a, authorities->items[i])) {
            named[count++] = authorities->items[i];
        }
    }
    if (count == 0) {
        return hub_fail(
            fault, HUB_ERR_UNAUTHORIZED,
            "no CA of the hub has the common name %.100s, to which the enrolment refers", a->first);
    }
    return hub_client_chain_check_path(chain, named, count, now_s, NULL, fault);
}

hub_result dps_attestation_check_chain(const dps_attestation *a, const hub_client_chain *chain,
                                       const hub_authorities *authorities, int64_t now_s,
                                       hub_fault *fault)
{
    const hub_certificate *second = a->certificates[1];

    if (a->type == DPS_X509_CA) {
        return check_references(a, chain, authorities, now_s, fault);
    }
    return a->type == DPS_X509_CLIENT
               ? hub_client_chain_check_thumbprint(chain, a->certificates[0]->thumbprint256,
                                                   second != NULL ? second->thumbprint256 : NULL,
                                                   now_s, fault)
               : hub_client_chain_check_path(chain, a->certificates, count_of(a), now_s, NULL,
                                             fault);
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
    } else if (strcmp(type, "x509") == 0) {
        ok = read_x509(json, was, group, out, e);
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
    for (size_t i = 0; i < DPS_CERTIFICATES; i++) {
        hub_certificate_free(a->certificates[i]);
    }
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

cJSON *dps_attestation_state(const dps_attestation *a)
{
    return dps_attestation_is_x509(a) ? x509_json(a, true) : dps_attestation_full(a);
}

cJSON *dps_attestation_full(const dps_attestation *a)
{
    if (dps_attestation_is_x509(a)) {
        return x509_json(a, false);
    }
    cJSON *json = cJSON_CreateObject();
    const bool tpm = a->type == DPS_TPM;

    hub_json_add_text(json, "type", tpm ? "tpm" : "symmetricKey");
    cJSON *keys = cJSON_AddObjectToObject(json, tpm ? "tpm" : "symmetricKey");
    hub_json_add_text(keys, tpm ? "endorsementKey" : "primaryKey", a->first);
    hub_json_add_text(keys, tpm ? "storageRootKey" : "secondaryKey", a->second);
    return json;
}
