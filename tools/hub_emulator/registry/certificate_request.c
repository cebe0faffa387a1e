#include "registry/certificate_request.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/text.h"

#define PEM_BEGIN    "-----BEGIN "
#define RSA_BITS_MIN 2048

static hub_result bad(hub_fault *fault, const char *why)
{
    return hub_fail(fault, HUB_ERR_ARGUMENT, "csr: %s", why);
}

static int import(gnutls_x509_crq_t crq, const char *text)
{
    const bool pem = strncmp(text, PEM_BEGIN, strlen(PEM_BEGIN)) == 0;
    size_t len = strlen(text);
    uint8_t *bytes = pem ? (uint8_t *)hub_strdup(text) : hub_base64_decode(text, &len);

    if (bytes == NULL || len == 0) {
        free(bytes);
        return GNUTLS_E_BASE64_DECODING_ERROR;
    }
    const gnutls_datum_t data = { bytes, (unsigned)len };
    int code = gnutls_x509_crq_import(crq, &data, pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
    free(bytes);
    return code;
}

static hub_result check_name(gnutls_x509_crq_t crq, const char *wanted, hub_fault *fault)
{
    char name[256];
    size_t len = sizeof name;

    if (gnutls_x509_crq_get_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) < 0 ||
        strlen(name) != len) {
        return bad(fault, "its subject has no common name");
    }
    return strcmp(name, wanted) == 0 ? HUB_OK
                                     : bad(fault, "its common name is not the id of the device");
}

static gnutls_ecc_curve_t curve_of(gnutls_x509_crq_t crq)
{
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls_datum_t x = { 0 };
    gnutls_datum_t y = { 0 };
    gnutls_pubkey_t key;

    (void)gnutls_pubkey_init(&key);
    if (gnutls_pubkey_import_x509_crq(key, crq, 0) >= 0) {
        (void)gnutls_pubkey_export_ecc_raw(key, &curve, &x, &y);
    }
    gnutls_free(x.data);
    gnutls_free(y.data);
    gnutls_pubkey_deinit(key);
    return curve;
}

static hub_result check_key(gnutls_x509_crq_t crq, hub_fault *fault)
{
    unsigned bits = 0;
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    int kind = gnutls_x509_crq_get_pk_algorithm(crq, &bits);

    if (kind == GNUTLS_PK_RSA && bits >= RSA_BITS_MIN) {
        return HUB_OK;
    }
    if (kind == GNUTLS_PK_ECDSA) {
        curve = curve_of(crq);
    }
    return curve == GNUTLS_ECC_CURVE_SECP256R1 || curve == GNUTLS_ECC_CURVE_SECP384R1
               ? HUB_OK
               : bad(fault, "its key is neither EC on P-256 or P-384 nor RSA of 2048 bits");
}

static hub_result check(gnutls_x509_crq_t crq, const char *text, const char *name, hub_fault *fault)
{
    if (strlen(text) > HUB_CERTIFICATE_REQUEST_MAX) {
        return bad(fault, "it is longer than 8 KB");
    }
    if (import(crq, text) < 0) {
        return bad(fault, "it is not PKCS #10 in base64 or PEM");
    }
    if (gnutls_x509_crq_verify(crq, 0) < 0) {
        return bad(fault, "its signature is wrong");
    }
    hub_result r = check_name(crq, name, fault);
    return r == HUB_OK ? check_key(crq, fault) : r;
}

hub_result hub_certificate_request_read(struct gnutls_x509_crq_int **out, const char *text,
                                        const char *name, hub_fault *fault)
{
    gnutls_x509_crq_t crq;

    (void)gnutls_x509_crq_init(&crq);
    hub_result r = check(crq, text, name, fault);
    if (r != HUB_OK) {
        gnutls_x509_crq_deinit(crq);
        crq = NULL;
    }
    *out = crq;
    return r;
}
