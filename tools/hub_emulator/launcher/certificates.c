#include "launcher/certificates.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/text.h"

#define CA_DAYS   3650
#define LEAF_DAYS 397

/* --- making ------------------------------------------------------------ */

static int make_ca(hub_pair *ca, int64_t now_s)
{
    uint8_t mark[4];

    /* The root of each emulator gets a name of its own, so that clients do not confuse two
     * roots. */
    hub_random(mark, sizeof mark);
    char *name = hub_format("hub_emulator CA %02x%02x%02x%02x", mark[0], mark[1], mark[2], mark[3]);
    int code = hub_pair_fields(ca, HUB_PAIR_RSA, name, now_s, CA_DAYS);
    hub_pair_step(&code, gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0));
    hub_pair_step(&code, gnutls_x509_crt_set_key_usage(ca->crt, GNUTLS_KEY_KEY_CERT_SIGN |
                                                                    GNUTLS_KEY_CRL_SIGN));
    hub_pair_step(&code, gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
    free(name);
    return code;
}

static const char *const always[] = { "localhost", "127.0.0.1", "::1" };
#define ALWAYS_COUNT (sizeof always / sizeof always[0])

/* Returns one of the names. The names that are always included come first, then the requested
 * ones. */
static const char *name_at(const hub_certificates_plan *plan, size_t i)
{
    return i < ALWAYS_COUNT ? always[i] : plan->names[i - ALWAYS_COUNT];
}

static bool comes_again(const hub_certificates_plan *plan, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(name_at(plan, k), name_at(plan, i)) == 0) {
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

static int set_names(gnutls_x509_crt_t crt, const hub_certificates_plan *plan)
{
    int code = 0;

    for (size_t i = 0; i < ALWAYS_COUNT + plan->count; i++) {
        if (name_at(plan, i)[0] != '\0' && !comes_again(plan, i)) {
            hub_pair_step(&code, set_name(crt, name_at(plan, i)));
        }
    }
    return code;
}

static bool has_names(gnutls_x509_crt_t crt, const hub_certificates_plan *plan)
{
    bool all = true;

    for (size_t i = 0; all && i < ALWAYS_COUNT + plan->count; i++) {
        all = name_at(plan, i)[0] == '\0' ||
              gnutls_x509_crt_check_hostname(crt, name_at(plan, i)) != 0;
    }
    return all;
}

static int make_leaf(hub_pair *leaf, const hub_pair *ca, const hub_certificates_plan *plan,
                     int64_t now_s)
{
    uint8_t ca_id[64];
    size_t ca_id_len = sizeof ca_id;
    int code = hub_pair_fields(leaf, plan->kind, "localhost", now_s, LEAF_DAYS);

    hub_pair_step(&code, set_names(leaf->crt, plan));
    hub_pair_step(&code, gnutls_x509_crt_set_basic_constraints(leaf->crt, 0, -1));
    hub_pair_step(
        &code, gnutls_x509_crt_set_key_usage(
                   leaf->crt, GNUTLS_KEY_DIGITAL_SIGNATURE |
                                  (plan->kind == HUB_PAIR_RSA ? GNUTLS_KEY_KEY_ENCIPHERMENT : 0)));
    hub_pair_step(&code,
                  gnutls_x509_crt_set_key_purpose_oid(leaf->crt, GNUTLS_KP_TLS_WWW_SERVER, 0));
    hub_pair_step(&code, gnutls_x509_crt_get_subject_key_id(ca->crt, ca_id, &ca_id_len, NULL));
    hub_pair_step(&code, gnutls_x509_crt_set_authority_key_id(leaf->crt, ca_id, ca_id_len));
    hub_pair_step(&code, gnutls_x509_crt_sign2(leaf->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
    return code;
}

/* --- what is there ----------------------------------------------------- */

static bool has_ca_crt(const hub_store *store, const hub_pair *ca, int64_t now_s)
{
    return hub_pair_has_crt(store, HUB_CA_FILE, ca) &&
           hub_pair_signed_by(store, HUB_CA_FILE, ca->crt, ca) &&
           hub_pair_good_for_now(ca->crt, now_s);
}

static bool is_of_kind(gnutls_x509_crt_t crt, hub_pair_kind kind)
{
    return gnutls_x509_crt_get_pk_algorithm(crt, NULL) ==
           (kind == HUB_PAIR_RSA ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA);
}

static bool has_leaf(const hub_store *store, const hub_pair *ca, const hub_certificates_plan *plan,
                     int64_t now_s)
{
    hub_pair leaf;

    hub_pair_init(&leaf);
    bool ok = hub_pair_has_crt(store, "server.crt", &leaf) &&
              gnutls_x509_crt_check_issuer(leaf.crt, ca->crt) != 0 &&
              hub_pair_signed_by(store, "server.crt", leaf.crt, ca) &&
              hub_pair_has_key(store, "server.key", &leaf) &&
              hub_pair_key_fits(store, "server.key", &leaf) &&
              hub_pair_good_for_now(leaf.crt, now_s) && is_of_kind(leaf.crt, plan->kind) &&
              has_names(leaf.crt, plan);
    hub_pair_deinit(&leaf);
    return ok;
}

static hub_result renew_ca(const hub_store *store, hub_pair *ca, int64_t now_s, hub_fault *fault)
{
    hub_pair_deinit(ca); /* frees what was read before the failure */
    hub_pair_init(ca);
    int code = make_ca(ca, now_s);
    return code < 0 ? hub_pair_failed(fault, "making the CA", code)
                    : hub_pair_save(store, "ca", ca, fault);
}

static hub_result renew_leaf(const hub_store *store, const hub_pair *ca,
                             const hub_certificates_plan *plan, int64_t now_s, hub_fault *fault)
{
    hub_pair leaf;

    hub_pair_init(&leaf);
    int code = make_leaf(&leaf, ca, plan, now_s);
    hub_result r = code < 0 ? hub_pair_failed(fault, "making the server certificate", code)
                            : hub_pair_save(store, "server", &leaf, fault);
    hub_pair_deinit(&leaf);
    return r;
}

/* Keeps the CA as long as possible, since clients have its certificate. Its key is needed only
 * to make a certificate. */
static hub_result ensure(const hub_store *store, hub_pair *ca, const hub_certificates_plan *plan,
                         int64_t now_s, hub_fault *fault)
{
    bool ca_crt = has_ca_crt(store, ca, now_s);
    bool ca_key =
        hub_pair_has_key(store, "ca.key", ca) && ca_crt && hub_pair_key_fits(store, "ca.key", ca);

    if (ca_crt && has_leaf(store, ca, plan, now_s)) {
        return HUB_OK;
    }
    hub_result r = ca_key ? HUB_OK : renew_ca(store, ca, now_s, fault);
    return r == HUB_OK ? renew_leaf(store, ca, plan, now_s, fault) : r;
}

hub_result hub_certificates_ensure(const hub_store *store, const hub_certificates_plan *plan,
                                   int64_t now_s, hub_fault *fault)
{
    hub_pair ca;

    hub_pair_init(&ca);
    hub_result r = ensure(store, &ca, plan, now_s, fault);
    hub_pair_deinit(&ca);
    return r;
}
