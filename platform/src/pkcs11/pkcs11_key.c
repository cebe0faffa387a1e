#include "pkcs11/pkcs11_key.h"

#include <string.h>

#include "pkcs11/pkcs11_fault.h"
#include "pkcs11/pkcs11_object.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/x509/der.h"
#include "wolfssl/x509/der_write.h"

#define DIGEST_MAX 64
#define PREFIX_LEN 19

/* The hashes, and the bytes in front of a digest in its DigestInfo (RFC 8017 section 9.2). */
static const struct hash {
    size_t digest_len;
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mask;
    uint8_t prefix[PREFIX_LEN];
} hashes[] = {
    { 32,
      CKM_SHA256,
      CKG_MGF1_SHA256,
      { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20 } },
    { 48,
      CKM_SHA384,
      CKG_MGF1_SHA384,
      { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
        0x05, 0x00, 0x04, 0x30 } },
    { 64,
      CKM_SHA512,
      CKG_MGF1_SHA512,
      { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
        0x05, 0x00, 0x04, 0x40 } },
};

/* The input of C_Sign. The mechanism may point to pss, so the struct must not be moved. */
typedef struct sign_input {
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    uint8_t bytes[PREFIX_LEN + DIGEST_MAX];
    CK_ULONG len;
} sign_input;

plat_result plat_pkcs11_key_find(plat_pkcs11_key *key, const plat_pkcs11_token *t,
                                 const plat_pkcs11_place *place, plat_identity_fault *fault)
{
    CK_BBOOL each_time = CK_FALSE;
    size_t len = sizeof each_time;
    plat_identity_fault unused;
    *key = (plat_pkcs11_key){ 0 };
    plat_result r = plat_pkcs11_object_find(t, place, CKO_PRIVATE_KEY, &key->object, fault);
    if (r == PLAT_OK) {
        r = plat_pkcs11_object_key_kind(t, key->object, &key->kind, fault);
    }
    /* Tokens before PKCS #11 2.20 do not have this attribute. */
    if (r == PLAT_OK && plat_pkcs11_object_read(t, key->object, CKA_ALWAYS_AUTHENTICATE, &each_time,
                                                &len, &unused) == PLAT_OK) {
        key->asks_each_time = each_time == CK_TRUE;
    }
    return r;
}

static const struct hash *hash_of(size_t digest_len)
{
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (hashes[i].digest_len == digest_len) {
            return &hashes[i];
        }
    }
    return NULL;
}

/* Returns the size in bytes of a coordinate, which is also that of the order of the curve. */
static size_t order_len(plat_key_kind kind)
{
    return kind == PLAT_KEY_EC_P256 ? 32 : 48;
}

static void put(sign_input *in, const uint8_t *bytes, size_t len)
{
    memcpy(in->bytes + in->len, bytes, len);
    in->len += len;
}

static void prepare_rsa(sign_input *in, const plat_sign_request *request, const struct hash *hash)
{
    if (request->scheme == PLAT_SIGN_RSA_PSS) {
        in->pss = (CK_RSA_PKCS_PSS_PARAMS){ hash->hash, hash->mask, hash->digest_len };
        in->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS_PSS, &in->pss, sizeof in->pss };
    } else {
        in->mechanism.mechanism = CKM_RSA_PKCS;
        put(in, hash->prefix, sizeof hash->prefix);
    }
    put(in, request->digest, request->digest_len);
}

/* Some tokens refuse a digest that is longer than the order, instead of cutting it. */
static void prepare_ec(sign_input *in, const plat_sign_request *request, plat_key_kind kind)
{
    const size_t most = order_len(kind);
    in->mechanism.mechanism = CKM_ECDSA;
    put(in, request->digest, request->digest_len < most ? request->digest_len : most);
}

/* PKCS #11 returns r and s one after another, with the same length. */
static plat_result encode_ecdsa(const uint8_t *raw, size_t raw_len, uint8_t *out, size_t cap,
                                size_t *len, plat_identity_fault *fault)
{
    plat_der_writer w = plat_der_writer_begin(out, cap);
    const size_t end = plat_der_mark(&w);
    plat_der_put_unsigned(&w, raw + raw_len / 2, raw_len / 2);
    plat_der_put_unsigned(&w, raw, raw_len / 2);
    plat_der_wrap(&w, PLAT_DER_SEQUENCE, end);
    return plat_der_finish(&w, len)
               ? PLAT_OK
               : plat_fault_set(fault, PLAT_ERR_NO_SPACE, "there is no room for the signature");
}

static plat_result compute(const plat_pkcs11_key *key, plat_pkcs11_token *t,
                           const plat_pkcs11_place *place, sign_input *in, uint8_t *out,
                           size_t *len, plat_identity_fault *fault)
{
    CK_RV code = t->module->C_SignInit(t->session, &in->mechanism, key->object);
    if (code != CKR_OK) {
        return plat_pkcs11_failed(fault, code, "beginning a signature");
    }
    if (key->asks_each_time) {
        plat_result r = plat_pkcs11_token_login(t, place, CKU_CONTEXT_SPECIFIC, fault);
        if (r != PLAT_OK) {
            return r;
        }
    }
    CK_ULONG room = PLAT_SIGNATURE_MAX;
    code = t->module->C_Sign(t->session, in->bytes, in->len, out, &room);
    *len = room;
    return plat_pkcs11_failed(fault, code, "signing");
}

plat_result plat_pkcs11_key_sign(const plat_pkcs11_key *key, plat_pkcs11_token *t,
                                 const plat_pkcs11_place *place, const plat_sign_request *request,
                                 uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault)
{
    uint8_t raw[PLAT_SIGNATURE_MAX];
    size_t raw_len = 0;
    sign_input in = { .len = 0 };
    const struct hash *hash = hash_of(request->digest_len);
    const bool is_rsa = key->kind == PLAT_KEY_RSA;
    if (hash == NULL || is_rsa == (request->scheme == PLAT_SIGN_ECDSA)) {
        return plat_fault_set(fault, PLAT_ERR_ARG,
                              "the key in the PKCS #11 token cannot sign by this scheme");
    }
    if (is_rsa) {
        prepare_rsa(&in, request, hash);
    } else {
        prepare_ec(&in, request, key->kind);
    }
    plat_result r = compute(key, t, place, &in, raw, &raw_len, fault);
    if (r != PLAT_OK) {
        return r;
    }
    if (raw_len > sizeof raw || (is_rsa ? raw_len > cap : raw_len != 2 * order_len(key->kind))) {
        return plat_fault_set(fault, PLAT_ERR_SIGNER,
                              "the PKCS #11 token returned a signature of %zu bytes", raw_len);
    }
    if (!is_rsa) {
        return encode_ecdsa(raw, raw_len, out, cap, len, fault);
    }
    memcpy(out, raw, raw_len);
    *len = raw_len;
    return PLAT_OK;
}
