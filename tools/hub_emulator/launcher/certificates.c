#include "launcher/certificates.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/text.h"
#include "state/seal.h"

#define KEY_BITS  2048
#define DAY_S     86400
#define CA_DAYS   3650
#define LEAF_DAYS 397
#define SPARE_S   (7 * DAY_S)

typedef struct pair {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
} pair;

static hub_result failed(hub_fault *fault, const char *what, int code)
{
    return hub_fail(fault, HUB_ERR_STATE, "%s: %s", what, gnutls_strerror(code));
}

static void pair_init(pair *p)
{
    (void)gnutls_x509_crt_init(&p->crt);
    (void)gnutls_x509_privkey_init(&p->key);
}

static void pair_deinit(pair *p)
{
    gnutls_x509_crt_deinit(p->crt);
    gnutls_x509_privkey_deinit(p->key);
}

/* --- files ------------------------------------------------------------- */

static int load_crt(const hub_store *store, const char *name, gnutls_x509_crt_t crt)
{
    char *path = hub_store_path(store, name);
    gnutls_datum_t data = { 0 };
    int code = gnutls_load_file(path, &data);

    if (code >= 0) {
        code = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM);
        gnutls_free(data.data);
    }
    free(path);
    return code;
}

/* A private key has no checksum of its own, so a line after it contains one. */
#define CHECK     "check: "
#define CHECK_LEN (sizeof CHECK - 1)
#define LINE_LEN  (CHECK_LEN + HUB_SUM_LEN + 1)

static void add_check(hub_text *out, const void *data, size_t len)
{
    hub_text_str(out, CHECK);
    hub_sum_add(out, data, len);
    hub_text_str(out, "\n");
}

static bool sum_fits(const gnutls_datum_t *data)
{
    const char *text = (const char *)data->data;
    size_t len = data->size >= LINE_LEN ? data->size - LINE_LEN : 0;
    hub_text line = { 0 };

    if (len == 0 || memcmp(text + len, CHECK, CHECK_LEN) != 0) {
        return true; /* a file of an older version has no check line */
    }
    add_check(&line, text, len);
    bool fits = memcmp(text + len, line.p, LINE_LEN) == 0;
    hub_text_free(&line);
    return fits;
}

static int load_key(const hub_store *store, const char *name, gnutls_x509_privkey_t key)
{
    char *path = hub_store_path(store, name);
    gnutls_datum_t data = { 0 };
    int code = gnutls_load_file(path, &data);

    if (code >= 0) {
        code = sum_fits(&data) ? gnutls_x509_privkey_import(key, &data, GNUTLS_X509_FMT_PEM)
                               : GNUTLS_E_PARSING_ERROR;
        gnutls_free(data.data);
    }
    free(path);
    return code;
}

static hub_result save_key(const hub_store *store, const char *name, const pair *p,
                           hub_fault *fault)
{
    gnutls_datum_t data = { 0 };
    hub_text text = { 0 };
    int code = gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &data);

    if (code < 0) {
        return failed(fault, name, code);
    }
    hub_text_add(&text, data.data, data.size);
    add_check(&text, data.data, data.size);
    hub_result r = hub_store_write(store, name, text.p, text.len, fault);
    hub_text_free(&text);
    gnutls_free(data.data);
    return r;
}

static hub_result save_crt(const hub_store *store, const char *name, const pair *p,
                           hub_fault *fault)
{
    gnutls_datum_t data = { 0 };
    int code = gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &data);

    if (code < 0) {
        return failed(fault, name, code);
    }
    hub_result r = hub_store_write(store, name, data.data, data.size, fault);
    gnutls_free(data.data);
    return r;
}

static hub_result save(const hub_store *store, const char *name, const pair *p, hub_fault *fault)
{
    char *crt_name = hub_format("%s.crt", name);
    char *key_name = hub_format("%s.key", name);

    hub_result r = save_key(store, key_name, p, fault);
    if (r == HUB_OK) {
        r = save_crt(store, crt_name, p, fault);
    }
    free(crt_name);
    free(key_name);
    return r;
}

/* --- making ------------------------------------------------------------ */

/* Keeps the first failure, so that the code that builds a certificate needs no branches. */
static void step(int *code, int result)
{
    if (*code >= 0 && result < 0) {
        *code = result;
    }
}

/* On some 32-bit systems the time_t of GnuTLS ends in 2038; then the latest possible date is
 * used. */
static time_t time_for_gnutls(int64_t s)
{
    const int64_t last = sizeof(time_t) > sizeof(int32_t) ? INT64_MAX : INT32_MAX;

    return (time_t)(s < last ? s : last);
}

static int common_fields(const pair *p, const char *name, int64_t now_s, int days)
{
    uint8_t serial[16];
    uint8_t id[20];
    int code = gnutls_x509_privkey_generate(p->key, GNUTLS_PK_RSA, KEY_BITS, 0);

    hub_random(serial, sizeof serial);
    hub_random(id, sizeof id);
    serial[0] &= 0x7F; /* positive */
    serial[0] |= 0x40;
    step(&code, gnutls_x509_crt_set_version(p->crt, 3));
    step(&code, gnutls_x509_crt_set_serial(p->crt, serial, sizeof serial));
    step(&code, gnutls_x509_crt_set_activation_time(p->crt, time_for_gnutls(now_s - DAY_S)));
    step(&code, gnutls_x509_crt_set_expiration_time(
                    p->crt, time_for_gnutls(now_s + (int64_t)days * DAY_S)));
    step(&code, gnutls_x509_crt_set_key(p->crt, p->key));
    step(&code, gnutls_x509_crt_set_subject_key_id(p->crt, id, sizeof id));
    step(&code, gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                              (unsigned)strlen(name)));
    return code;
}

static int make_ca(pair *ca, int64_t now_s)
{
    uint8_t mark[4];

    /* The root of each emulator gets a name of its own, so that clients do not confuse two
     * roots. */
    hub_random(mark, sizeof mark);
    char *name = hub_format("hub_emulator CA %02x%02x%02x%02x", mark[0], mark[1], mark[2], mark[3]);
    int code = common_fields(ca, name, now_s, CA_DAYS);
    step(&code, gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0));
    step(&code,
         gnutls_x509_crt_set_key_usage(ca->crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
    step(&code, gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
    free(name);
    return code;
}

/* The names and addresses of the server certificate. */
typedef struct wanted {
    const char *const *names;
    size_t count;
} wanted;

static const char *const always[] = { "localhost", "127.0.0.1", "::1" };
#define ALWAYS_COUNT (sizeof always / sizeof always[0])

/* The names that are always included, then the requested ones; NULL ends the list. */
static const char *name_at(const wanted *w, size_t i)
{
    if (i < ALWAYS_COUNT) {
        return always[i];
    }
    return i - ALWAYS_COUNT < w->count ? w->names[i - ALWAYS_COUNT] : NULL;
}

static bool comes_again(const wanted *w, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(name_at(w, k), name_at(w, i)) == 0) {
            return true;
        }
    }
    return false;
}

static int set_name(gnutls_x509_crt_t crt, const char *name)
{
    uint8_t address[16];

    if (inet_pton(AF_INET, name, address) == 1) {
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 4,
                                                    GNUTLS_FSAN_APPEND);
    }
    if (inet_pton(AF_INET6, name, address) == 1) {
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 16,
                                                    GNUTLS_FSAN_APPEND);
    }
    return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
                                                (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
}

static int set_names(gnutls_x509_crt_t crt, const wanted *w)
{
    int code = 0;

    for (size_t i = 0; i < ALWAYS_COUNT + w->count; i++) {
        if (name_at(w, i)[0] != '\0' && !comes_again(w, i)) {
            step(&code, set_name(crt, name_at(w, i)));
        }
    }
    return code;
}

static bool has_names(gnutls_x509_crt_t crt, const wanted *w)
{
    bool all = true;

    for (size_t i = 0; all && i < ALWAYS_COUNT + w->count; i++) {
        all = name_at(w, i)[0] == '\0' || gnutls_x509_crt_check_hostname(crt, name_at(w, i)) != 0;
    }
    return all;
}

static int make_leaf(pair *leaf, const pair *ca, const wanted *w, int64_t now_s)
{
    uint8_t ca_id[64];
    size_t ca_id_len = sizeof ca_id;
    int code = common_fields(leaf, "localhost", now_s, LEAF_DAYS);

    step(&code, set_names(leaf->crt, w));
    step(&code, gnutls_x509_crt_set_basic_constraints(leaf->crt, 0, -1));
    step(&code, gnutls_x509_crt_set_key_usage(leaf->crt, GNUTLS_KEY_DIGITAL_SIGNATURE |
                                                             GNUTLS_KEY_KEY_ENCIPHERMENT));
    step(&code, gnutls_x509_crt_set_key_purpose_oid(leaf->crt, GNUTLS_KP_TLS_WWW_SERVER, 0));
    step(&code, gnutls_x509_crt_get_subject_key_id(ca->crt, ca_id, &ca_id_len, NULL));
    step(&code, gnutls_x509_crt_set_authority_key_id(leaf->crt, ca_id, ca_id_len));
    step(&code, gnutls_x509_crt_sign2(leaf->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
    return code;
}

/* --- what is there ----------------------------------------------------- */

static bool good_for_now(gnutls_x509_crt_t crt, int64_t now_s)
{
    return (int64_t)gnutls_x509_crt_get_activation_time(crt) <= now_s &&
           (int64_t)gnutls_x509_crt_get_expiration_time(crt) > now_s + SPARE_S;
}

/* Checks that a file exists and is valid. An invalid file is renamed. */
static bool usable(const hub_store *store, const char *name, int code)
{
    if (code < 0 && code != GNUTLS_E_FILE_ERROR) {
        hub_store_set_aside(store, name, gnutls_strerror(code));
    }
    return code >= 0;
}

static bool has_crt(const hub_store *store, const char *name, const pair *p)
{
    return usable(store, name, load_crt(store, name, p->crt));
}

static bool has_key(const hub_store *store, const char *name, const pair *p)
{
    int code = load_key(store, name, p->key);

    if (code >= 0) {
        code = gnutls_x509_privkey_verify_params(p->key);
    }
    return usable(store, name, code);
}

static bool key_fits(const hub_store *store, const char *name, const pair *p)
{
    uint8_t own[64];
    uint8_t wanted_id[64];
    size_t own_len = sizeof own;
    size_t wanted_len = sizeof wanted_id;
    bool fits = gnutls_x509_privkey_get_key_id(p->key, 0, own, &own_len) >= 0 &&
                gnutls_x509_crt_get_key_id(p->crt, 0, wanted_id, &wanted_len) >= 0 &&
                own_len == wanted_len && memcmp(own, wanted_id, own_len) == 0;

    if (!fits) {
        hub_store_set_aside(store, name, "is not the key of its certificate");
    }
    return fits;
}

/* Checks the signature, because a certificate with a changed bit may still be readable. */
static bool signed_by(const hub_store *store, const char *name, gnutls_x509_crt_t crt,
                      const pair *ca)
{
    unsigned status = 0;
    bool ok =
        gnutls_x509_crt_verify(crt, &ca->crt, 1,
                               GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DO_NOT_ALLOW_SAME,
                               &status) >= 0 &&
        status == 0;

    if (!ok) {
        hub_store_set_aside(store, name, "does not fit its signature");
    }
    return ok;
}

static bool has_ca_crt(const hub_store *store, const pair *ca, int64_t now_s)
{
    return has_crt(store, HUB_CA_FILE, ca) && signed_by(store, HUB_CA_FILE, ca->crt, ca) &&
           good_for_now(ca->crt, now_s);
}

static bool has_leaf(const hub_store *store, const pair *ca, const wanted *w, int64_t now_s)
{
    pair leaf;

    pair_init(&leaf);
    bool ok = has_crt(store, "server.crt", &leaf) &&
              gnutls_x509_crt_check_issuer(leaf.crt, ca->crt) != 0 &&
              signed_by(store, "server.crt", leaf.crt, ca) && has_key(store, "server.key", &leaf) &&
              key_fits(store, "server.key", &leaf) && good_for_now(leaf.crt, now_s) &&
              has_names(leaf.crt, w);
    pair_deinit(&leaf);
    return ok;
}

static hub_result renew_ca(const hub_store *store, pair *ca, int64_t now_s, hub_fault *fault)
{
    pair_deinit(ca); /* frees what was read before the failure */
    pair_init(ca);
    int code = make_ca(ca, now_s);
    return code < 0 ? failed(fault, "making the CA", code) : save(store, "ca", ca, fault);
}

static hub_result renew_leaf(const hub_store *store, const pair *ca, const wanted *w, int64_t now_s,
                             hub_fault *fault)
{
    pair leaf;

    pair_init(&leaf);
    int code = make_leaf(&leaf, ca, w, now_s);
    hub_result r = code < 0 ? failed(fault, "making the server certificate", code)
                            : save(store, "server", &leaf, fault);
    pair_deinit(&leaf);
    return r;
}

/* Keeps the CA as long as possible, since clients have its certificate. Its key is needed only
 * to make a certificate. */
static hub_result ensure(const hub_store *store, pair *ca, const wanted *w, int64_t now_s,
                         hub_fault *fault)
{
    bool ca_crt = has_ca_crt(store, ca, now_s);
    bool ca_key = has_key(store, "ca.key", ca) && ca_crt && key_fits(store, "ca.key", ca);

    if (ca_crt && has_leaf(store, ca, w, now_s)) {
        return HUB_OK;
    }
    hub_result r = ca_key ? HUB_OK : renew_ca(store, ca, now_s, fault);
    return r == HUB_OK ? renew_leaf(store, ca, w, now_s, fault) : r;
}

hub_result hub_certificates_ensure(const hub_store *store, const char *const *names, size_t count,
                                   int64_t now_s, hub_fault *fault)
{
    const wanted w = { names, count };
    pair ca;

    pair_init(&ca);
    hub_result r = ensure(store, &ca, &w, now_s, fault);
    pair_deinit(&ca);
    return r;
}
