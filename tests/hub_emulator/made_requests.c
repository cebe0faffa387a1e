#include "made_requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/text.h"

static void must(int code)
{
    if (code < 0) {
        (void)fprintf(stderr, "making a request: %s\n", gnutls_strerror(code));
        abort();
    }
}

static void generate(gnutls_x509_privkey_t key, made_request_key kind)
{
    static const struct {
        gnutls_pk_algorithm_t algorithm;
        unsigned bits;
    } kinds[] = {
        [MADE_P256] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) },
        [MADE_P384] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1) },
        [MADE_P521] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1) },
        [MADE_ED25519] = { GNUTLS_PK_EDDSA_ED25519, 0 },
        [MADE_RSA_2048] = { GNUTLS_PK_RSA, 2048 },
        [MADE_RSA_1024] = { GNUTLS_PK_RSA, 1024 },
    };

    must(gnutls_x509_privkey_generate(key, kinds[kind].algorithm, kinds[kind].bits, 0));
}

/* The signature is at the end of the DER. */
static char *encode(gnutls_datum_t der, const made_request_plan *plan)
{
    if (plan->wrong_signature) {
        der.data[der.size - 1] ^= 1;
    }
    if (!plan->pem) {
        return hub_base64_encode(der.data, der.size);
    }
    gnutls_datum_t pem = { 0 };
    must(gnutls_pem_base64_encode2("NEW CERTIFICATE REQUEST", &der, &pem));
    char *text = hub_memdup(pem.data, pem.size);
    gnutls_free(pem.data);
    return text;
}

char *made_request(const made_request_plan *plan)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crq_t crq;
    gnutls_datum_t der = { 0 };

    must(gnutls_x509_privkey_init(&key));
    generate(key, plan->key);
    must(gnutls_x509_crq_init(&crq));
    must(gnutls_x509_crq_set_version(crq, 1));
    if (plan->name != NULL) {
        must(gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, plan->name,
                                           (unsigned)strlen(plan->name)));
    }
    must(gnutls_x509_crq_set_key(crq, key));
    must(gnutls_x509_crq_sign2(
        crq, key, plan->key == MADE_ED25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, 0));
    must(gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &der));
    char *text = encode(der, plan);
    gnutls_free(der.data);
    gnutls_x509_crq_deinit(crq);
    gnutls_x509_privkey_deinit(key);
    return text;
}
