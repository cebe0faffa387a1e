#include "launcher/key_pair.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/text.h"
#include "state/seal.h"

#define RSA_BITS 2048
#define DAY_S    86400
#define SPARE_S  (7 * DAY_S)

hub_result hub_pair_failed(hub_fault *fault, const char *what, int code)
{
    return hub_fail(fault, HUB_ERR_STATE, "%s: %s", what, gnutls_strerror(code));
}

void hub_pair_init(hub_pair *p)
{
    (void)gnutls_x509_crt_init(&p->crt);
    (void)gnutls_x509_privkey_init(&p->key);
}

void hub_pair_deinit(hub_pair *p)
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
        return true; /* a file of an older version has no such field */
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

static hub_result save_key(const hub_store *store, const char *name, const hub_pair *p,
                           hub_fault *fault)
{
    gnutls_datum_t data = { 0 };
    hub_text text = { 0 };
    int code = gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &data);

    if (code < 0) {
        return hub_pair_failed(fault, name, code);
    }
    hub_text_add(&text, data.data, data.size);
    add_check(&text, data.data, data.size);
    hub_result r = hub_store_write(store, name, text.p, text.len, fault);
    hub_text_free(&text);
    gnutls_free(data.data);
    return r;
}

static hub_result save_crt(const hub_store *store, const char *name, const hub_pair *p,
                           hub_fault *fault)
{
    gnutls_datum_t data = { 0 };
    int code = gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &data);

    if (code < 0) {
        return hub_pair_failed(fault, name, code);
    }
    hub_result r = hub_store_write(store, name, data.data, data.size, fault);
    gnutls_free(data.data);
    return r;
}

hub_result hub_pair_save(const hub_store *store, const char *name, const hub_pair *p,
                         hub_fault *fault)
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
void hub_pair_step(int *code, int result)
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

int hub_pair_fields(const hub_pair *p, hub_pair_kind kind, const char *name, int64_t now_s,
                    int days)
{
    uint8_t serial[16];
    uint8_t id[20];
    const bool rsa = kind == HUB_PAIR_RSA;
    int code = gnutls_x509_privkey_generate(
        p->key, rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
        rsa ? RSA_BITS : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

    hub_random(serial, sizeof serial);
    hub_random(id, sizeof id);
    serial[0] &= 0x7F; /* positive */
    serial[0] |= 0x40;
    hub_pair_step(&code, gnutls_x509_crt_set_version(p->crt, 3));
    hub_pair_step(&code, gnutls_x509_crt_set_serial(p->crt, serial, sizeof serial));
    hub_pair_step(&code,
                  gnutls_x509_crt_set_activation_time(p->crt, time_for_gnutls(now_s - DAY_S)));
    hub_pair_step(&code, gnutls_x509_crt_set_expiration_time(
                             p->crt, time_for_gnutls(now_s + (int64_t)days * DAY_S)));
    hub_pair_step(&code, gnutls_x509_crt_set_key(p->crt, p->key));
    hub_pair_step(&code, gnutls_x509_crt_set_subject_key_id(p->crt, id, sizeof id));
    hub_pair_step(&code, gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                       (unsigned)strlen(name)));
    return code;
}

/* --- checks ------------------------------------------------------------ */

bool hub_pair_good_for_now(gnutls_x509_crt_t crt, int64_t now_s)
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

bool hub_pair_has_crt(const hub_store *store, const char *name, const hub_pair *p)
{
    return usable(store, name, load_crt(store, name, p->crt));
}

bool hub_pair_has_key(const hub_store *store, const char *name, const hub_pair *p)
{
    int code = load_key(store, name, p->key);

    if (code >= 0) {
        code = gnutls_x509_privkey_verify_params(p->key);
    }
    return usable(store, name, code);
}

bool hub_pair_key_fits(const hub_store *store, const char *name, const hub_pair *p)
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
bool hub_pair_signed_by(const hub_store *store, const char *name, gnutls_x509_crt_t crt,
                        const hub_pair *ca)
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
