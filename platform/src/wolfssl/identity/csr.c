#include "platform/csr.h"

#include <stdbool.h>
#include <string.h>

#include "wolfssl/crypto/curve_tables.h"
#include "wolfssl/crypto/start.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/identity/made_key.h"
#include "wolfssl/identity/private_key.h"
#include "wolfssl/x509/der_write.h"
#include "wolfssl/x509/signature.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/hash.h>

#define PUBLIC_KEY_MAX 560 /* RSA with 4096 bits */

/* The attribute type commonName (RFC 5280 appendix A.1). */
static const uint8_t common_name_oid[] = { 0x06, 0x03, 0x55, 0x04, 0x03 };

/* AlgorithmIdentifiers in DER (RFC 4055 section 5, RFC 5758 section 3.2). */
static const uint8_t rsa_sha256[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                      0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
static const uint8_t ecdsa_sha256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                        0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
static const uint8_t ecdsa_sha384[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                        0x48, 0xce, 0x3d, 0x04, 0x03, 0x03 };

/* How each kind of key signs a request. */
static const struct method {
    plat_key_kind kind;
    plat_sign_scheme scheme;
    plat_scheme checked; /* the same scheme, as plat_signature_verify names it */
    enum wc_HashType hash;
    size_t digest_len;
    const uint8_t *identifier;
    size_t identifier_len;
} methods[] = {
    { PLAT_KEY_RSA, PLAT_SIGN_RSA_PKCS1, PLAT_SCHEME_RSA, WC_HASH_TYPE_SHA256, 32, rsa_sha256,
      sizeof rsa_sha256 },
    { PLAT_KEY_EC_P256, PLAT_SIGN_ECDSA, PLAT_SCHEME_ECDSA, WC_HASH_TYPE_SHA256, 32, ecdsa_sha256,
      sizeof ecdsa_sha256 },
    { PLAT_KEY_EC_P384, PLAT_SIGN_ECDSA, PLAT_SCHEME_ECDSA, WC_HASH_TYPE_SHA384, 48, ecdsa_sha384,
      sizeof ecdsa_sha384 },
};

/* A request that is being made. */
typedef struct request {
    const plat_csr_config *config;
    const struct method *method;
    plat_private_key key; /* empty: the signer of the config has it */
    uint8_t public_key[PUBLIC_KEY_MAX];
    size_t public_key_len;
    uint8_t info[PLAT_CSR_MAX]; /* CertificationRequestInfo: what is signed */
    size_t info_len;
    uint8_t signature[PLAT_SIGNATURE_MAX];
    size_t signature_len;
} request;

/* --- the config --- */

static bool is_common_name(const char *text)
{
    const size_t len = text != NULL ? strlen(text) : 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return len > 0 && len <= PLAT_COMMON_NAME_MAX;
}

static plat_result judge_config(const plat_csr_config *c, plat_identity_fault *fault)
{
    if (!is_common_name(c->common_name)) {
        return plat_fault_set(
            fault, PLAT_ERR_ARG,
            "the common name of a certificate request must have 1 to %d printable "
            "ASCII characters",
            PLAT_COMMON_NAME_MAX);
    }
    if ((c->key != NULL) == (c->signer != NULL)) {
        return plat_fault_set(fault, PLAT_ERR_ARG,
                              "a certificate request needs a key or a signer; set one of them");
    }
    if (c->signer != NULL && (c->public_key == NULL || c->public_key_len == 0)) {
        return plat_fault_set(fault, PLAT_ERR_ARG,
                              "a certificate request by a signer needs its public key; set "
                              "public_key");
    }
    return PLAT_OK;
}

/* --- the key --- */

static plat_result load_own_key(request *q, plat_identity_fault *fault)
{
    const plat_made_key *key = q->config->key;
    const plat_key_input input = { key->der, key->len, NULL, NULL };
    if (key->len > sizeof key->der) {
        return plat_fault_set(fault, PLAT_ERR_ARG, "the key of the request is not a made key");
    }
    plat_result r = plat_private_key_read(&q->key, &input, fault);
    return r == PLAT_OK ? plat_private_key_public(&q->key, q->public_key, sizeof q->public_key,
                                                  &q->public_key_len, fault)
                        : r;
}

static plat_result copy_public_key(request *q, plat_identity_fault *fault)
{
    if (q->config->public_key_len > sizeof q->public_key) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the public key of the request is larger than that of RSA with 4096 "
                              "bits");
    }
    memcpy(q->public_key, q->config->public_key, q->config->public_key_len);
    q->public_key_len = q->config->public_key_len;
    return PLAT_OK;
}

static plat_result load_key(request *q, plat_identity_fault *fault)
{
    plat_result r = q->config->key != NULL ? load_own_key(q, fault) : copy_public_key(q, fault);
    if (r != PLAT_OK) {
        return r;
    }
    const plat_der info = { q->public_key, q->public_key_len };
    const plat_key_kind kind = plat_key_kind_of(info);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (methods[i].kind == kind && plat_key_flaw(info) == NULL) {
            q->method = &methods[i];
            return PLAT_OK;
        }
    }
    return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                          "the public key of the request is damaged, or neither RSA with 2048 to "
                          "4096 bits nor EC P-256 or EC P-384");
}

/* --- the request (RFC 2986 section 4) --- */

static void put_subject(plat_der_writer *w, const char *common_name)
{
    const size_t end = plat_der_mark(w);
    plat_der_put(w, common_name, strlen(common_name));
    plat_der_wrap(w, PLAT_DER_UTF8_STRING, end);
    plat_der_put(w, common_name_oid, sizeof common_name_oid);
    plat_der_wrap(w, PLAT_DER_SEQUENCE, end);
    plat_der_wrap(w, PLAT_DER_SET, end);
    plat_der_wrap(w, PLAT_DER_SEQUENCE, end);
}

static bool write_info(request *q)
{
    plat_der_writer w = plat_der_writer_begin(q->info, sizeof q->info);
    const size_t end = plat_der_mark(&w);
    plat_der_wrap(&w, PLAT_DER_CONTEXT_CONSTRUCTED, end); /* no attributes */
    plat_der_put(&w, q->public_key, q->public_key_len);
    put_subject(&w, q->config->common_name);
    plat_der_put_unsigned(&w, NULL, 0); /* version 1 has the number 0 */
    plat_der_wrap(&w, PLAT_DER_SEQUENCE, end);
    return plat_der_finish(&w, &q->info_len);
}

static plat_result sign_digest(request *q, const plat_sign_request *what,
                               plat_identity_fault *fault)
{
    if (q->config->key != NULL) {
        return plat_private_key_sign(&q->key, what, q->signature, sizeof q->signature,
                                     &q->signature_len, fault);
    }
    plat_result r = q->config->signer->sign(q->config->signer, what, q->signature,
                                            sizeof q->signature, &q->signature_len, fault);
    fault->text[sizeof fault->text - 1] = '\0';
    if (r == PLAT_OK && q->signature_len > sizeof q->signature) {
        return plat_fault_set(fault, PLAT_ERR_SIGNER,
                              "the signer returned a signature of %zu bytes", q->signature_len);
    }
    if (r != PLAT_OK && fault->text[0] == '\0') {
        (void)plat_fault_set(fault, r, "the signer failed: %s", plat_result_str(r));
    }
    return r;
}

static plat_result check_signature(const request *q, plat_identity_fault *fault)
{
    const plat_signed proof = {
        .algorithm = { q->method->checked, (uint16_t)(8 * q->method->digest_len), 0 },
        .bytes = { q->info, q->info_len },
        .signature = { q->signature, q->signature_len },
    };
    plat_result r = plat_signature_verify(&proof, (plat_der){ q->public_key, q->public_key_len });
    if (r == PLAT_ERR_MEMORY) {
        return plat_fault_memory(fault);
    }
    return r == PLAT_OK ? r
                        : plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                         "the public key of the request does not belong to the key "
                                         "that signs it");
}

static plat_result sign_info(request *q, plat_identity_fault *fault)
{
    uint8_t digest[WC_MAX_DIGEST_SIZE];
    const plat_sign_request what = { q->method->scheme, digest, q->method->digest_len };
    if (wc_Hash(q->method->hash, q->info, (word32)q->info_len, digest,
                (word32)q->method->digest_len) != 0) {
        return plat_fault_memory(fault);
    }
    plat_result r = sign_digest(q, &what, fault);
    return r == PLAT_OK ? check_signature(q, fault) : r;
}

static bool write_request(const request *q, uint8_t *out, size_t cap, size_t *len)
{
    plat_der_writer w = plat_der_writer_begin(out, cap);
    const size_t end = plat_der_mark(&w);
    plat_der_put(&w, q->signature, q->signature_len);
    plat_der_put_byte(&w, 0); /* unused bits */
    plat_der_wrap(&w, PLAT_DER_BIT_STRING, end);
    plat_der_put(&w, q->method->identifier, q->method->identifier_len);
    plat_der_put(&w, q->info, q->info_len);
    plat_der_wrap(&w, PLAT_DER_SEQUENCE, end);
    return plat_der_finish(&w, len);
}

static plat_result fill(request *q, uint8_t *out, size_t cap, size_t *len,
                        plat_identity_fault *fault)
{
    plat_result r = load_key(q, fault);
    if (r == PLAT_OK && !write_info(q)) {
        r = plat_fault_set(fault, PLAT_ERR_NO_SPACE, "the certificate request is too large");
    }
    if (r == PLAT_OK) {
        r = sign_info(q, fault);
    }
    if (r == PLAT_OK && !write_request(q, out, cap, len)) {
        r = plat_fault_set(fault, PLAT_ERR_NO_SPACE,
                           "there is no room for the certificate request; %d bytes are enough",
                           PLAT_CSR_MAX);
    }
    return r;
}

static plat_result make_csr(const plat_csr_maker *self, const plat_csr_config *config, uint8_t *out,
                            size_t cap, size_t *len, plat_identity_fault *fault)
{
    (void)self;
    *len = 0;
    fault->text[0] = '\0';
    plat_result r = judge_config(config, fault);
    if (r != PLAT_OK) {
        return r;
    }
    if (!plat_wolfssl_start(NULL)) {
        return plat_fault_set(fault, PLAT_ERR_CRYPTO, "wolfSSL cannot be initialised");
    }
    request q = { .config = config };
    r = fill(&q, out, cap, len, fault);
    plat_private_key_free(&q.key);
    plat_curve_tables_tidy();
    if (r == PLAT_OK) {
        fault->text[0] = '\0';
    }
    return r;
}

static plat_result make_key(const plat_csr_maker *self, plat_key_kind kind, plat_made_key *out,
                            plat_identity_fault *fault)
{
    (void)self;
    return plat_made_key_make(kind, out, fault);
}

const plat_csr_maker *plat_wolfssl_csr_maker(void)
{
    static const plat_csr_maker maker = {
        .make_key = make_key,
        .make_csr = make_csr,
        .erase_key = plat_made_key_erase,
    };
    return &maker;
}
