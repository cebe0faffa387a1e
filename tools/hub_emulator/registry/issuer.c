#include "registry/issuer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "registry/certificate_request.h"

#define ISSUER_FILE "issuer.json"
#define DAY_S       86400
#define CA_LIFE_S   (3650 * INT64_C(86400))
#define SERIAL_LEN  16
#define KEY_ID_MAX  64

/* Keeps the first failure of several steps in *code. */
static void step(int *code, int next)
{
    *code = *code >= 0 && next < 0 ? next : *code;
}

/* --- making certificates ------------------------------------------------------- */

typedef struct plan {
    const char *name;
    const hub_issuer_pair *issuer; /* NULL: it signs itself */
    int64_t not_before_s;
    int64_t life_s;
    int path_len; /* path length of an authority; below 0: it is no authority */
} plan;

static int set_serial(gnutls_x509_crt_t crt)
{
    uint8_t serial[SERIAL_LEN];

    hub_random(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7F) | 0x40); /* a positive number of full length */
    return gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
}

static int set_key_ids(gnutls_x509_crt_t crt, const hub_issuer_pair *issuer)
{
    uint8_t id[KEY_ID_MAX];
    size_t len = sizeof id;
    int code = gnutls_x509_crt_get_key_id(crt, 0, id, &len);

    step(&code, gnutls_x509_crt_set_subject_key_id(crt, id, len));
    if (issuer != NULL) {
        len = sizeof id;
        step(&code, gnutls_x509_crt_get_subject_key_id(issuer->certificate->crt, id, &len, NULL));
        step(&code, gnutls_x509_crt_set_authority_key_id(crt, id, len));
    }
    return code;
}

static int set_purpose(gnutls_x509_crt_t crt, int path_len)
{
    const bool authority = path_len >= 0;
    int code = gnutls_x509_crt_set_basic_constraints(crt, authority ? 1 : 0, path_len);

    if (authority) {
        step(&code,
             gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
    } else {
        step(&code, gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE));
        step(&code, gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0));
    }
    return code;
}

/* Completes a certificate that has its public key already; own_key is needed only if it signs
 * itself. */
static int complete(gnutls_x509_crt_t crt, const plan *p, gnutls_x509_privkey_t own_key)
{
    int code = gnutls_x509_crt_set_version(crt, 3);

    step(&code, set_serial(crt));
    step(&code, gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, p->name,
                                              (unsigned)strlen(p->name)));
    step(&code, gnutls_x509_crt_set_activation_time(crt, (time_t)p->not_before_s));
    step(&code, gnutls_x509_crt_set_expiration_time(crt, (time_t)(p->not_before_s + p->life_s)));
    step(&code, set_purpose(crt, p->path_len));
    step(&code, set_key_ids(crt, p->issuer));
    if (p->issuer == NULL) {
        step(&code, gnutls_x509_crt_sign2(crt, crt, own_key, GNUTLS_DIG_SHA256, 0));
    } else {
        step(&code, gnutls_x509_crt_sign2(crt, p->issuer->certificate->crt, p->issuer->key,
                                          GNUTLS_DIG_SHA256, 0));
    }
    return code;
}

/* Converts the certificate into a hub_certificate. */
static hub_result finish(gnutls_x509_crt_t crt, int code, hub_certificate **out, hub_fault *fault)
{
    gnutls_datum_t der = { 0 };

    step(&code, code >= 0 ? gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) : 0);
    hub_result r = code >= 0 ? hub_certificate_from_der(out, der.data, der.size, fault)
                             : hub_fail(fault, HUB_ERR_STATE, "a certificate cannot be made: %s",
                                        gnutls_strerror(code));
    gnutls_free(der.data);
    return r;
}

static hub_result make_authority(hub_issuer_pair *pair, const plan *p, hub_fault *fault)
{
    gnutls_x509_crt_t crt;

    (void)gnutls_x509_privkey_init(&pair->key);
    int code = gnutls_x509_privkey_generate(pair->key, GNUTLS_PK_ECDSA,
                                            GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    (void)gnutls_x509_crt_init(&crt);
    step(&code, gnutls_x509_crt_set_key(crt, pair->key));
    step(&code, code >= 0 ? complete(crt, p, pair->key) : 0);
    hub_result r = finish(crt, code, &pair->certificate, fault);
    gnutls_x509_crt_deinit(crt);
    return r;
}

static hub_result make(hub_issuer *i, int64_t now_s, hub_fault *fault)
{
    const plan root = {
        .name = "hub_emulator device root",
        .not_before_s = now_s - DAY_S,
        .life_s = CA_LIFE_S,
        .path_len = 1,
    };
    const plan intermediate = {
        .name = "hub_emulator device issuer",
        .issuer = &i->root,
        .not_before_s = root.not_before_s,
        .life_s = root.life_s,
        .path_len = 0,
    };

    hub_result r = make_authority(&i->root, &root, fault);
    return r == HUB_OK ? make_authority(&i->intermediate, &intermediate, fault) : r;
}

/* --- on disk --------------------------------------------------------------------- */

static char *key_text(gnutls_x509_privkey_t key)
{
    gnutls_datum_t der = { 0 };

    if (gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_DER, &der) < 0) {
        return NULL;
    }
    char *text = hub_base64_encode(der.data, der.size);
    gnutls_memset(der.data, 0, der.size);
    gnutls_free(der.data);
    return text;
}

static void add_pair(cJSON *json, const char *name, const hub_issuer_pair *pair)
{
    cJSON *object = cJSON_AddObjectToObject(json, name);
    char *certificate = hub_certificate_to_text(pair->certificate);
    char *key = key_text(pair->key);

    hub_json_add_text(object, "certificate", certificate);
    hub_json_add_text(object, "key", key);
    free(certificate);
    free(key);
}

static hub_result save(const hub_issuer *i, const hub_store *store, hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();

    add_pair(json, "root", &i->root);
    add_pair(json, "intermediate", &i->intermediate);
    hub_result r = hub_store_write_json(store, ISSUER_FILE, json, fault);
    cJSON_Delete(json);
    return r;
}

static bool read_key(const char *text, hub_issuer_pair *pair)
{
    size_t len = 0;
    uint8_t *der = text != NULL ? hub_base64_decode(text, &len) : NULL;
    bool ok = false;

    (void)gnutls_x509_privkey_init(&pair->key);
    if (der != NULL) {
        const gnutls_datum_t data = { der, (unsigned)len };
        ok = gnutls_x509_privkey_import(pair->key, &data, GNUTLS_X509_FMT_DER) >= 0;
        gnutls_memset(der, 0, len);
    }
    free(der);
    return ok;
}

static bool key_fits(const hub_issuer_pair *pair)
{
    uint8_t own[KEY_ID_MAX];
    uint8_t wanted[KEY_ID_MAX];
    size_t own_len = sizeof own;
    size_t wanted_len = sizeof wanted;

    return gnutls_x509_privkey_get_key_id(pair->key, 0, own, &own_len) >= 0 &&
           gnutls_x509_crt_get_key_id(pair->certificate->crt, 0, wanted, &wanted_len) >= 0 &&
           own_len == wanted_len && memcmp(own, wanted, own_len) == 0;
}

static bool read_pair(const cJSON *json, const char *name, int64_t now_s, hub_issuer_pair *pair)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(json, name);
    const char *text = hub_json_string(object, "certificate");
    hub_fault ignored; /* not used: the only reason is that another program has written the file */

    return text != NULL &&
           hub_certificate_from_text(&pair->certificate, text, &ignored) == HUB_OK &&
           pair->certificate->is_ca &&
           hub_certificate_check_dates(pair->certificate, now_s, &ignored) == HUB_OK &&
           read_key(hub_json_string(object, "key"), pair) && key_fits(pair);
}

static hub_result begin(hub_issuer *i, const hub_store *store, int64_t now_s, hub_fault *fault)
{
    hub_issuer_close(i);
    hub_result r = make(i, now_s, fault);
    return r == HUB_OK ? save(i, store, fault) : r;
}

hub_result hub_issuer_open(hub_issuer *i, const hub_store *store, int64_t now_s, hub_fault *fault)
{
    cJSON *json;

    *i = (hub_issuer){ 0 };
    hub_result r = hub_store_read_json(store, ISSUER_FILE, &json, fault);
    if (r == HUB_ERR_STATE) {
        return r;
    }
    bool ok = r == HUB_OK && read_pair(json, "root", now_s, &i->root) &&
              read_pair(json, "intermediate", now_s, &i->intermediate);
    cJSON_Delete(json);
    if (ok) {
        return HUB_OK;
    }
    if (r != HUB_ERR_NO_RESOURCE) {
        hub_store_set_aside(store, ISSUER_FILE,
                            r == HUB_OK ? "is not complete or has expired" : fault->text);
        hub_store_report(store, "devices need new certificates, since the issuer is new");
    }
    return begin(i, store, now_s, fault);
}

static void close_pair(hub_issuer_pair *pair)
{
    hub_certificate_free(pair->certificate);
    if (pair->key != NULL) {
        gnutls_x509_privkey_deinit(pair->key);
    }
    *pair = (hub_issuer_pair){ 0 };
}

void hub_issuer_close(hub_issuer *i)
{
    close_pair(&i->root);
    close_pair(&i->intermediate);
}

/* --- requests --------------------------------------------------------------------- */

/* Takes only the key from the request; the issuer chooses the names. */
static int set_key_of_request(gnutls_x509_crt_t crt, gnutls_x509_crq_t crq)
{
    gnutls_pubkey_t key;

    (void)gnutls_pubkey_init(&key);
    int code = gnutls_pubkey_import_x509_crq(key, crq, 0);
    step(&code, gnutls_x509_crt_set_pubkey(crt, key));
    gnutls_pubkey_deinit(key);
    return code;
}

hub_result hub_issuer_issue(const hub_issuer *i, const hub_issuer_order *order, int64_t now_s,
                            hub_issued *out, hub_fault *fault)
{
    const plan p = { .name = order->device,
                     .issuer = &i->intermediate,
                     .not_before_s = now_s,
                     .life_s = order->life_s,
                     .path_len = -1 };
    gnutls_x509_crq_t crq;
    gnutls_x509_crt_t crt;
    hub_certificate *leaf = NULL;

    *out = (hub_issued){ { NULL } };
    hub_result r = hub_certificate_request_read(&crq, order->request, order->name, fault);
    if (r != HUB_OK) {
        return r;
    }
    (void)gnutls_x509_crt_init(&crt);
    int code = set_key_of_request(crt, crq);
    step(&code, code >= 0 ? complete(crt, &p, NULL) : 0);
    r = finish(crt, code, &leaf, fault);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_crq_deinit(crq);
    if (r == HUB_OK) {
        *out = (hub_issued){ { leaf, i->intermediate.certificate, i->root.certificate } };
    }
    return r;
}

void hub_issued_free(hub_issued *issued)
{
    hub_certificate_free(issued->items[0]);
    *issued = (hub_issued){ { NULL } };
}

/* Returns DER in base64; for PEM in lines of 64 characters, between the first and the last line
 * of PEM. */
static char *encode(const hub_certificate *c, bool pem)
{
    char *base64 = hub_certificate_to_text(c);
    hub_text t = { 0 };

    if (!pem) {
        return base64;
    }
    hub_text_str(&t, "-----BEGIN CERTIFICATE-----\n");
    for (const char *p = base64; *p != '\0';) {
        size_t len = strnlen(p, 64);
        hub_text_add(&t, p, len);
        hub_text_str(&t, "\n");
        p += len;
    }
    hub_text_str(&t, "-----END CERTIFICATE-----\n");
    free(base64);
    return t.p;
}

cJSON *hub_issued_view(const hub_issued *issued, bool pem)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < HUB_ISSUED_COUNT; i++) {
        char *text = encode(issued->items[i], pem);
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(text));
        free(text);
    }
    return list;
}
