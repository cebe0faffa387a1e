#include "wolfssl/identity/made_key.h"

#include "memory/wipe_memory.h"
#include "wolfssl/crypto/curve_tables.h"
#include "wolfssl/crypto/secret.h"
#include "wolfssl/crypto/start.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/x509/der.h"
#include "wolfssl/x509/der_write.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/rsa.h>

#define RSA_BITS      2048
#define EC_MOST_BYTES 48

/* Object identifiers of curves in DER (RFC 5480 section 2.1.1.1). */
static const uint8_t p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t p384[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t version = 1; /* of ECPrivateKey */

/* These return the size of the DER, or wolfCrypt's code. */
#ifdef WOLFSSL_KEY_GEN
static int make_rsa(WC_RNG *rng, uint8_t *out, size_t cap)
{
    RsaKey *rsa = wolfSSL_Malloc(sizeof *rsa);
    int rc = rsa != NULL ? wc_InitRsaKey(rsa, NULL) : MEMORY_E;
    if (rc == 0) {
        rc = wc_MakeRsaKey(rsa, RSA_BITS, WC_RSA_EXPONENT, rng);
        if (rc == 0) {
            rc = wc_RsaKeyToDer(rsa, out, (word32)cap);
        }
        wc_FreeRsaKey(rsa);
    }
    plat_secret_free(rsa, sizeof *rsa);
    return rc;
}
#else
static int make_rsa(WC_RNG *rng, uint8_t *out, size_t cap)
{
    (void)rng, (void)out, (void)cap;
    return NOT_COMPILED_IN;
}
#endif

/* ECPrivateKey (RFC 5915).  wc_EccKeyToDer writes the same, but frees memory with the key in it. */
static int write_ec(ecc_key *ec, const uint8_t *curve, size_t curve_len, uint8_t *out, size_t cap)
{
    uint8_t secret[EC_MOST_BYTES], point[1 + 2 * EC_MOST_BYTES];
    word32 secret_len = sizeof secret, point_len = sizeof point;
    size_t len = 0;
    plat_der_writer w = plat_der_writer_begin(out, cap);
    int rc = wc_ecc_export_private_only(ec, secret, &secret_len);
    if (rc == 0) {
        rc = wc_ecc_export_x963(ec, point, &point_len);
    }
    if (rc == 0) {
        const size_t end = plat_der_mark(&w);
        plat_der_put(&w, point, point_len);
        plat_der_put_byte(&w, 0); /* unused bits */
        plat_der_wrap(&w, PLAT_DER_BIT_STRING, end);
        plat_der_wrap(&w, PLAT_DER_CONTEXT_CONSTRUCTED + 1, end);
        const size_t oid = plat_der_mark(&w);
        plat_der_put(&w, curve, curve_len);
        plat_der_wrap(&w, PLAT_DER_CONTEXT_CONSTRUCTED, oid);
        const size_t number = plat_der_mark(&w);
        plat_der_put(&w, secret, secret_len);
        plat_der_wrap(&w, PLAT_DER_OCTET_STRING, number);
        plat_der_put_unsigned(&w, &version, 1);
        plat_der_wrap(&w, PLAT_DER_SEQUENCE, end);
        rc = plat_der_finish(&w, &len) ? (int)len : BUFFER_E;
    }
    plat_wipe(secret, sizeof secret);
    return rc;
}

static int make_ec(WC_RNG *rng, int curve, uint8_t *out, size_t cap)
{
    ecc_key *ec = wolfSSL_Malloc(sizeof *ec);
    int rc = ec != NULL ? wc_ecc_init(ec) : MEMORY_E;
    if (rc == 0) {
        plat_curve_tables_tidy();
        rc = wc_ecc_make_key_ex(rng, wc_ecc_get_curve_size_from_id(curve), ec, curve);
        plat_curve_tables_tidy();
        if (rc == 0) {
            rc = curve == ECC_SECP256R1 ? write_ec(ec, p256, sizeof p256, out, cap)
                                        : write_ec(ec, p384, sizeof p384, out, cap);
        }
        wc_ecc_free(ec);
    }
    plat_secret_free(ec, sizeof *ec);
    return rc;
}

static int make(plat_key_kind kind, uint8_t *out, size_t cap)
{
    WC_RNG rng;
    int rc = wc_InitRng(&rng);
    if (rc != 0) {
        return rc;
    }
    switch (kind) {
    case PLAT_KEY_RSA: rc = make_rsa(&rng, out, cap); break;
    case PLAT_KEY_EC_P256: rc = make_ec(&rng, ECC_SECP256R1, out, cap); break;
    case PLAT_KEY_EC_P384: rc = make_ec(&rng, ECC_SECP384R1, out, cap); break;
    }
    (void)wc_FreeRng(&rng);
    return rc;
}

static plat_result failed(int rc, plat_identity_fault *fault)
{
    if (rc == MEMORY_E) {
        return plat_fault_memory(fault);
    }
    if (rc == NOT_COMPILED_IN) {
        return plat_fault_set(
            fault, PLAT_ERR_CRYPTO,
            "this wolfSSL cannot make RSA keys (WOLFSSL_KEY_GEN); make an EC key");
    }
    return plat_fault_set(fault, PLAT_ERR_CRYPTO, "wolfCrypt could not make a private key (%d)",
                          rc);
}

plat_result plat_made_key_make(plat_key_kind kind, plat_made_key *out, plat_identity_fault *fault)
{
    plat_made_key_erase(out);
    fault->text[0] = '\0';
    if (kind != PLAT_KEY_RSA && kind != PLAT_KEY_EC_P256 && kind != PLAT_KEY_EC_P384) {
        return plat_fault_set(fault, PLAT_ERR_ARG, "private keys of this kind cannot be made");
    }
    if (!plat_wolfssl_start(NULL)) {
        return plat_fault_set(fault, PLAT_ERR_CRYPTO, "wolfSSL cannot be initialised");
    }
    int rc = make(kind, out->der, sizeof out->der);
    if (rc <= 0) {
        plat_made_key_erase(out);
        return failed(rc, fault);
    }
    out->kind = kind;
    out->len = (size_t)rc;
    return PLAT_OK;
}

void plat_made_key_erase(plat_made_key *key)
{
    plat_wipe(key, sizeof *key);
}
