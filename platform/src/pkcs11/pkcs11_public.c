#include <string.h>

#include "pkcs11/pkcs11_object.h"
#include "platform/pkcs11.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/x509/der.h"
#include "wolfssl/x509/der_write.h"

#define MODULUS_MAX  512
#define EXPONENT_MAX 8
#define POINT_MAX    (2 + 1 + 2 * 48) /* an OCTET STRING with an uncompressed point of P-384 */
#define UNCOMPRESSED 0x04

/* AlgorithmIdentifiers in DER: rsaEncryption with NULL (RFC 3279 section 2.3.1), and ecPublicKey
 * with the curve (RFC 5480 section 2.1.1). */
static const uint8_t rsa_algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                         0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
static const uint8_t p256_algorithm[] = { 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                          0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
                                          0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t p384_algorithm[] = { 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                          0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };

/* An object of a token that was opened for one call. */
typedef struct opened {
    plat_pkcs11_place place;
    plat_pkcs11_token token;
    CK_OBJECT_HANDLE object;
} opened;

static void close_object(opened *o)
{
    plat_pkcs11_token_close(&o->token);
    plat_pkcs11_place_free(&o->place);
}

static plat_result open_object(opened *o, const plat_pkcs11_config *config, CK_OBJECT_CLASS kind,
                               plat_identity_fault *fault)
{
    *o = (opened){ .object = 0 };
    fault->text[0] = '\0';
    plat_result r = plat_pkcs11_place_parse(&o->place, config, fault);
    if (r == PLAT_OK) {
        r = plat_pkcs11_token_open(&o->token, &o->place, fault);
    }
    if (r == PLAT_OK) {
        r = plat_pkcs11_object_find(&o->token, &o->place, kind, &o->object, fault);
    }
    if (r != PLAT_OK) {
        close_object(o);
    }
    return r;
}

plat_result plat_pkcs11_certificate(const plat_pkcs11_config *config, uint8_t *out, size_t cap,
                                    size_t *len, plat_identity_fault *fault)
{
    opened o;
    *len = 0;
    plat_result r = open_object(&o, config, CKO_CERTIFICATE, fault);
    if (r != PLAT_OK) {
        return r;
    }
    size_t n = cap;
    r = plat_pkcs11_object_read(&o.token, o.object, CKA_VALUE, out, &n, fault);
    *len = n;
    close_object(&o);
    return r;
}

/* --- public keys --- */

static plat_result write_rsa(const opened *o, plat_der_writer *w, plat_identity_fault *fault)
{
    uint8_t modulus[MODULUS_MAX];
    uint8_t exponent[EXPONENT_MAX];
    size_t modulus_len = sizeof modulus;
    size_t exponent_len = sizeof exponent;
    plat_result r =
        plat_pkcs11_object_read(&o->token, o->object, CKA_MODULUS, modulus, &modulus_len, fault);
    if (r == PLAT_OK) {
        r = plat_pkcs11_object_read(&o->token, o->object, CKA_PUBLIC_EXPONENT, exponent,
                                    &exponent_len, fault);
    }
    if (r == PLAT_OK) {
        const size_t end = plat_der_mark(w);
        plat_der_put_unsigned(w, exponent, exponent_len);
        plat_der_put_unsigned(w, modulus, modulus_len);
        plat_der_wrap(w, PLAT_DER_SEQUENCE, end);
    }
    return r;
}

/* Some modules leave out the OCTET STRING around the point. */
static plat_result write_ec(const opened *o, size_t point_len, plat_der_writer *w,
                            plat_identity_fault *fault)
{
    uint8_t point[POINT_MAX];
    size_t len = sizeof point;
    plat_result r = plat_pkcs11_object_read(&o->token, o->object, CKA_EC_POINT, point, &len, fault);
    if (r != PLAT_OK) {
        return r;
    }
    plat_der in = { point, len };
    plat_der content = in;
    if (len != point_len && !plat_der_take(&in, PLAT_DER_OCTET_STRING, &content)) {
        content.len = 0;
    }
    if (content.len != point_len || content.at[0] != UNCOMPRESSED) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the public key in the PKCS #11 token is not an uncompressed point");
    }
    plat_der_put(w, content.at, content.len);
    return PLAT_OK;
}

static plat_result write_key(const opened *o, plat_key_kind kind, plat_der_writer *w,
                             plat_identity_fault *fault)
{
    switch (kind) {
    case PLAT_KEY_RSA: return write_rsa(o, w, fault);
    case PLAT_KEY_EC_P256: return write_ec(o, 1 + 2 * 32, w, fault);
    case PLAT_KEY_EC_P384: return write_ec(o, 1 + 2 * 48, w, fault);
    }
    return PLAT_ERR_IDENTITY;
}

static void put_algorithm(plat_der_writer *w, plat_key_kind kind)
{
    switch (kind) {
    case PLAT_KEY_RSA: plat_der_put(w, rsa_algorithm, sizeof rsa_algorithm); break;
    case PLAT_KEY_EC_P256: plat_der_put(w, p256_algorithm, sizeof p256_algorithm); break;
    case PLAT_KEY_EC_P384: plat_der_put(w, p384_algorithm, sizeof p384_algorithm); break;
    }
}

/* SubjectPublicKeyInfo (RFC 5280 section 4.1). */
static plat_result write_info(const opened *o, uint8_t *out, size_t cap, size_t *len,
                              plat_identity_fault *fault)
{
    plat_key_kind kind = PLAT_KEY_RSA;
    plat_result r = plat_pkcs11_object_key_kind(&o->token, o->object, &kind, fault);
    if (r != PLAT_OK) {
        return r;
    }
    plat_der_writer w = plat_der_writer_begin(out, cap);
    const size_t end = plat_der_mark(&w);
    r = write_key(o, kind, &w, fault);
    if (r != PLAT_OK) {
        return r;
    }
    plat_der_put_byte(&w, 0); /* unused bits */
    plat_der_wrap(&w, PLAT_DER_BIT_STRING, end);
    put_algorithm(&w, kind);
    plat_der_wrap(&w, PLAT_DER_SEQUENCE, end);
    return plat_der_finish(&w, len)
               ? PLAT_OK
               : plat_fault_set(fault, PLAT_ERR_NO_SPACE, "there is no room for the public key");
}

plat_result plat_pkcs11_public_key(const plat_pkcs11_config *config, uint8_t *out, size_t cap,
                                   size_t *len, plat_identity_fault *fault)
{
    opened o;
    *len = 0;
    plat_result r = open_object(&o, config, CKO_PUBLIC_KEY, fault);
    if (r != PLAT_OK) {
        return r;
    }
    r = write_info(&o, out, cap, len, fault);
    close_object(&o);
    return r;
}
