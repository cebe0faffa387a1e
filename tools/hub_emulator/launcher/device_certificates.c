#include "launcher/device_certificates.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "launcher/certificates.h"
#include "launcher/key_pair.h"

#define DAYS 397

void hub_x509_device_add(hub_x509_device **list, size_t *count, const char *id, bool by_ca)
{
    *list = hub_realloc(*list, (*count + 1) * sizeof **list);
    (*list)[(*count)++] = (hub_x509_device){ .id = id, .by_ca = by_ca };
}

static char *file_of(const char *id, const char *suffix)
{
    return hub_format("x509-%s%s", id, suffix);
}

char *hub_device_certificate_path(const hub_store *store, const char *id, const char *suffix)
{
    char *name = hub_format("x509-%s.%s", id, suffix);
    char *path = hub_store_path(store, name);

    free(name);
    return path;
}

/* --- the certificate --------------------------------------------------- */

static bool has_both(const hub_store *store, const char *id, const hub_pair *p)
{
    char *crt = file_of(id, ".crt");
    char *key = file_of(id, ".key");
    bool both = hub_pair_has_crt(store, crt, p) && hub_pair_has_key(store, key, p) &&
                hub_pair_key_fits(store, key, p);

    free(crt);
    free(key);
    return both;
}

/* A certificate of an earlier run may have another signer than the one that is requested now. */
static bool usable(const hub_store *store, const hub_x509_device *device, const hub_pair *ca,
                   const hub_pair *p, int64_t now_s)
{
    const hub_pair *signer = device->by_ca ? ca : p;
    char *crt = file_of(device->id, ".crt");
    bool ok = has_both(store, device->id, p) &&
              gnutls_x509_crt_check_issuer(p->crt, signer->crt) != 0 &&
              (!device->by_ca || hub_pair_signed_by(store, crt, p->crt, ca)) &&
              hub_pair_good_for_now(p->crt, now_s);

    free(crt);
    return ok;
}

static int make(const hub_x509_device *device, const hub_pair *ca, const hub_pair *p, int64_t now_s)
{
    const hub_pair *signer = device->by_ca ? ca : p;
    int code = hub_pair_fields(p, HUB_PAIR_EC, device->id, now_s, DAYS);

    hub_pair_step(&code, gnutls_x509_crt_set_basic_constraints(p->crt, 0, -1));
    hub_pair_step(&code, gnutls_x509_crt_set_key_usage(p->crt, GNUTLS_KEY_DIGITAL_SIGNATURE));
    hub_pair_step(&code, gnutls_x509_crt_set_key_purpose_oid(p->crt, GNUTLS_KP_TLS_WWW_CLIENT, 0));
    hub_pair_step(&code,
                  gnutls_x509_crt_sign2(p->crt, signer->crt, signer->key, GNUTLS_DIG_SHA256, 0));
    return code;
}

static hub_result renew(const hub_store *store, const hub_x509_device *device, const hub_pair *ca,
                        hub_pair *p, int64_t now_s, hub_fault *fault)
{
    char *name = file_of(device->id, "");

    hub_pair_deinit(p); /* frees certificate and key of a file that is not usable */
    hub_pair_init(p);
    int code = make(device, ca, p, now_s);
    hub_result r =
        code < 0 ? hub_pair_failed(fault, name, code) : hub_pair_save(store, name, p, fault);
    free(name);
    return r;
}

static hub_result load_ca(const hub_store *store, const hub_pair *ca, hub_fault *fault)
{
    return hub_pair_has_crt(store, HUB_CA_FILE, ca) && hub_pair_has_key(store, HUB_CA_KEY, ca)
               ? HUB_OK
               : hub_fail(fault, HUB_ERR_STATE,
                          "%s and %s are needed to make certificates of devices", HUB_CA_FILE,
                          HUB_CA_KEY);
}

/* --- the identity ------------------------------------------------------ */

static cJSON *identity_body(const hub_x509_device *device, const hub_certificate *own)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *authentication = cJSON_AddObjectToObject(json, "authentication");

    hub_json_add_text(authentication, "type",
                      hub_auth_type_name(device->by_ca ? HUB_AUTH_CA : HUB_AUTH_SELF_SIGNED));
    if (!device->by_ca) {
        cJSON *prints = cJSON_AddObjectToObject(authentication, "x509Thumbprint");
        hub_json_add_text(prints, "primaryThumbprint", own->thumbprint);
    }
    return json;
}

static bool is_registered(const hub_identity *id, const hub_x509_device *device,
                          const hub_certificate *own)
{
    if (device->by_ca) {
        return id->auth_type == HUB_AUTH_CA;
    }
    return id->auth_type == HUB_AUTH_SELF_SIGNED &&
           ((id->primary_thumbprint != NULL &&
             hub_certificate_has_thumbprint(own, id->primary_thumbprint)) ||
            (id->secondary_thumbprint != NULL &&
             hub_certificate_has_thumbprint(own, id->secondary_thumbprint)));
}

static hub_result register_with(hub_registry *r, const hub_x509_device *device,
                                const hub_certificate *own, int64_t now_ms, hub_fault *fault)
{
    hub_identity *id = hub_registry_find(r, device->id, NULL);

    if (id != NULL && is_registered(id, device, own)) {
        return HUB_OK;
    }
    cJSON *body = identity_body(device, own);
    hub_change change = { .identity = body };
    hub_result result = id != NULL
                            ? hub_registry_change(r, id, &change, now_ms, fault)
                            : hub_registry_create(r, device->id, NULL, &change, now_ms, &id, fault);
    hub_change_forget_notice(&change);
    cJSON_Delete(body);
    return result;
}

static hub_result register_pair(hub_registry *r, const hub_x509_device *device, const hub_pair *p,
                                int64_t now_ms, hub_fault *fault)
{
    gnutls_datum_t der = { 0 };
    hub_certificate *own = NULL;

    int code = gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_DER, &der);
    if (code < 0) {
        return hub_pair_failed(fault, device->id, code);
    }
    hub_result result = hub_certificate_from_der(&own, der.data, der.size, fault);
    gnutls_free(der.data);
    if (result == HUB_OK) {
        result = register_with(r, device, own, now_ms, fault);
    }
    hub_certificate_free(own);
    return result;
}

hub_result hub_device_certificate_ensure(hub_registry *r, const hub_x509_device *device,
                                         int64_t now_ms, hub_fault *fault)
{
    hub_pair ca;
    hub_pair own;
    hub_result result = HUB_OK;

    hub_pair_init(&ca);
    hub_pair_init(&own);
    if (device->by_ca) {
        result = load_ca(&r->store, &ca, fault);
    }
    if (result == HUB_OK && !usable(&r->store, device, &ca, &own, now_ms / 1000)) {
        result = renew(&r->store, device, &ca, &own, now_ms / 1000, fault);
    }
    if (result == HUB_OK) {
        result = register_pair(r, device, &own, now_ms, fault);
    }
    hub_pair_deinit(&ca);
    hub_pair_deinit(&own);
    return result;
}
