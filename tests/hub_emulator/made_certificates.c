#include "made_certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"

static void must(int code)
{
    if (code < 0) {
        (void)fprintf(stderr, "making a certificate: %s\n", gnutls_strerror(code));
        abort();
    }
}

static void set_fields(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const made_plan *plan)
{
    uint8_t serial[8];
    uint8_t id[20];
    size_t id_len = sizeof id;

    hub_random(serial, sizeof serial);
    /* Makes the number positive and gives it its full length. */
    serial[0] = (uint8_t)((serial[0] & 0x3F) | 0x40);
    must(gnutls_x509_crt_set_version(crt, 3));
    must(gnutls_x509_crt_set_serial(crt, serial, sizeof serial));
    must(gnutls_x509_crt_set_activation_time(crt, (time_t)plan->not_before_s));
    must(gnutls_x509_crt_set_expiration_time(crt, (time_t)plan->not_after_s));
    must(gnutls_x509_crt_set_key(crt, key));
    must(gnutls_x509_crt_get_key_id(crt, 0, id, &id_len));
    must(gnutls_x509_crt_set_subject_key_id(crt, id, id_len));
    if (plan->name != NULL) {
        must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, plan->name,
                                           (unsigned)strlen(plan->name)));
    }
    must(gnutls_x509_crt_set_basic_constraints(crt, plan->is_ca ? 1 : 0,
                                               plan->is_ca ? plan->path_len : -1));
    must(gnutls_x509_crt_set_key_usage(crt, plan->is_ca ? GNUTLS_KEY_KEY_CERT_SIGN
                                                        : GNUTLS_KEY_DIGITAL_SIGNATURE));
}

/* GnuTLS knows all parts of a certificate only after it was imported. */
static void import_again(made_certificate *m)
{
    gnutls_datum_t der = { 0 };

    must(gnutls_x509_crt_export2(m->crt, GNUTLS_X509_FMT_DER, &der));
    gnutls_x509_crt_deinit(m->crt);
    must(gnutls_x509_crt_init(&m->crt));
    must(gnutls_x509_crt_import(m->crt, &der, GNUTLS_X509_FMT_DER));
    gnutls_free(der.data);
}

void made_init(made_certificate *m, const made_plan *plan)
{
    must(gnutls_x509_crt_init(&m->crt));
    must(gnutls_x509_privkey_init(&m->key));
    must(gnutls_x509_privkey_generate(
        m->key, plan->rsa ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
        plan->rsa ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    set_fields(m->crt, m->key, plan);
    const made_certificate *issuer = plan->issuer != NULL ? plan->issuer : m;
    must(gnutls_x509_crt_sign2(m->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0));
    import_again(m);
}

void made_deinit(made_certificate *m)
{
    gnutls_x509_crt_deinit(m->crt);
    gnutls_x509_privkey_deinit(m->key);
}

char *made_text(const made_certificate *m)
{
    gnutls_datum_t der = { 0 };

    must(gnutls_x509_crt_export2(m->crt, GNUTLS_X509_FMT_DER, &der));
    char *text = hub_base64_encode(der.data, der.size);
    gnutls_free(der.data);
    return text;
}

char *made_key_pem(const made_certificate *m)
{
    gnutls_datum_t pem = { 0 };

    must(gnutls_x509_privkey_export2(m->key, GNUTLS_X509_FMT_PEM, &pem));
    char *text = hub_memdup(pem.data, pem.size);
    gnutls_free(pem.data);
    return text;
}

char *made_pem(const made_certificate *m)
{
    gnutls_datum_t pem = { 0 };

    must(gnutls_x509_crt_export2(m->crt, GNUTLS_X509_FMT_PEM, &pem));
    char *text = hub_memdup(pem.data, pem.size);
    gnutls_free(pem.data);
    return text;
}
