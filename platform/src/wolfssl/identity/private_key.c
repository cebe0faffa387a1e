#include "wolfssl/identity/private_key.h"

#include <string.h>

#include "memory/wipe_memory.h"
#include "wolfssl/crypto/curve_tables.h"
#include "wolfssl/crypto/secret.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/identity/key_decrypt.h"
#include "wolfssl/identity/pem.h"
#include "wolfssl/x509/signature.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/rsa.h>

#define RSA_MOST_BITS    4096
#define DIGEST_INFO_MOST 19 /* bytes before the digest in a DigestInfo of SHA-2 */

const char *plat_key_kind_str(plat_key_kind kind)
{
    switch (kind) {
    case PLAT_KEY_RSA: return "RSA";
    case PLAT_KEY_EC_P256: return "EC P-256";
    case PLAT_KEY_EC_P384: return "EC P-384";
    }
    return "unknown";
}

/* --- reading --- */

typedef union key_object {
    RsaKey rsa;
    ecc_key ec;
} key_object;

/* Bytes of a key that were not checked yet. */
typedef struct raw_key {
    uint8_t *der;
    size_t cap; /* size of the memory; len may become smaller */
    size_t len;
} raw_key;

static int load_rsa(RsaKey *rsa, const uint8_t *der, size_t len)
{
    word32 at = 0;
    int rc = wc_InitRsaKey(rsa, NULL);
    if (rc != 0) {
        return rc;
    }
    rc = wc_RsaPrivateKeyDecode(der, &at, rsa, (word32)len);
    if (rc != 0) {
        wc_FreeRsaKey(rsa);
    }
    return rc;
}

static int load_ec(ecc_key *ec, const uint8_t *der, size_t len)
{
    word32 at = 0;
    int rc = wc_ecc_init(ec);
    if (rc != 0) {
        return rc;
    }
    rc = wc_EccPrivateKeyDecode(der, &at, ec, (word32)len);
    if (rc != 0) {
        wc_ecc_free(ec);
    }
    return rc;
}

static plat_result judge_rsa(int bits, plat_private_key *k, plat_identity_fault *fault)
{
    if (bits < PLAT_RSA_MIN_BITS || bits > RSA_MOST_BITS) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the private key is RSA with %d bits; 2048 to 4096 are needed", bits);
    }
    k->kind = PLAT_KEY_RSA;
    return PLAT_OK;
}

static plat_result judge_curve(int curve, plat_private_key *k, plat_identity_fault *fault)
{
    if (curve != ECC_SECP256R1 && curve != ECC_SECP384R1) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the private key is on a curve other than P-256 and P-384");
    }
    k->kind = curve == ECC_SECP256R1 ? PLAT_KEY_EC_P256 : PLAT_KEY_EC_P384;
    return PLAT_OK;
}

static plat_result unreadable(bool decrypted, plat_identity_fault *fault)
{
    return decrypted ? plat_fault_set(fault, PLAT_ERR_PASSPHRASE,
                                      "the passphrase of the private key is wrong, or the key is "
                                      "damaged")
                     : plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                      "the private key is damaged, or of another kind than RSA, EC "
                                      "P-256 and EC P-384");
}

/* Finds the kind of a key. If decrypted is true and the key cannot be read, the passphrase is
 * reported as wrong. */
static plat_result judge(const raw_key *raw, bool decrypted, plat_private_key *k,
                         plat_identity_fault *fault)
{
    key_object *key = wolfSSL_Malloc(sizeof *key);
    if (key == NULL) {
        return plat_fault_memory(fault);
    }
    plat_result r = PLAT_OK;
    int rc = load_rsa(&key->rsa, raw->der, raw->len);
    if (rc == 0) {
        r = judge_rsa(8 * wc_RsaEncryptSize(&key->rsa), k, fault);
        wc_FreeRsaKey(&key->rsa);
    } else if (rc != MEMORY_E && (rc = load_ec(&key->ec, raw->der, raw->len)) == 0) {
        r = judge_curve(wc_ecc_get_curve_id(key->ec.idx), k, fault);
        wc_ecc_free(&key->ec);
    }
    if (rc != 0) {
        r = rc == MEMORY_E ? plat_fault_memory(fault) : unreadable(decrypted, fault);
    }
    plat_secret_free(key, sizeof *key);
    return r;
}

/* Decrypts a key in place. block is NULL if the key was DER. */
static plat_result decrypt(const plat_key_input *input, const plat_pem_block *block, raw_key *raw,
                           plat_identity_fault *fault)
{
    plat_passphrase p;
    plat_result r = plat_passphrase_ask(&p, input->passphrase, input->passphrase_user, fault);
    if (r == PLAT_OK) {
        r = block != NULL && plat_pem_is_encrypted(block)
                ? plat_pem_decrypt(block, raw->der, &raw->len, &p, fault)
                : plat_pkcs8_decrypt(raw->der, &raw->len, &p, fault);
    }
    plat_wipe(&p, sizeof p);
    return r;
}

/* Takes over the memory of raw for the key, or frees it. */
static plat_result finish(plat_private_key *k, const plat_key_input *input,
                          const plat_pem_block *block, raw_key *raw, plat_identity_fault *fault)
{
    bool encrypted = (block != NULL && plat_pem_is_encrypted(block)) ||
                     plat_pkcs8_is_encrypted(raw->der, raw->len);
    plat_result r = encrypted ? decrypt(input, block, raw, fault) : PLAT_OK;
    if (r == PLAT_OK) {
        r = judge(raw, encrypted, k, fault);
    }
    if (r != PLAT_OK) {
        plat_secret_free(raw->der, raw->cap);
        return r;
    }
    k->der = raw->der;
    k->len = raw->len;
    plat_wipe(raw->der + raw->len, raw->cap - raw->len);
    return PLAT_OK;
}

static plat_result read_block(plat_private_key *k, const plat_key_input *input,
                              const plat_pem_block *block, plat_identity_fault *fault)
{
    raw_key raw = { 0 };
    if (plat_pem_is(block->label, "OPENSSH PRIVATE KEY")) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the private key is in the form of OpenSSH; convert it to PEM with "
                              "\"ssh-keygen -p -m PKCS8\"");
    }
    plat_result r = plat_pem_decode(block, &raw.der, &raw.len);
    if (r != PLAT_OK) {
        return r == PLAT_ERR_MEMORY
                   ? plat_fault_memory(fault)
                   : plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                    "the private key is damaged: it is not base64");
    }
    raw.cap = raw.len;
    return finish(k, input, block, &raw, fault);
}

static plat_result read_pem(plat_private_key *k, const plat_key_input *input,
                            plat_identity_fault *fault)
{
    plat_pem_text in = { (const char *)input->bytes, input->len };
    plat_pem_block block;
    for (;;) {
        switch (plat_pem_next(&in, &block)) {
        case PLAT_PEM_NONE:
            return plat_fault_set(
                fault, PLAT_ERR_IDENTITY,
                "there is no private key in the text (-----BEGIN PRIVATE KEY-----)");
        case PLAT_PEM_CUT:
            return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                  "the text with the private key ends in the middle of a block");
        case PLAT_PEM_BLOCK: break;
        }
        if (plat_pem_ends_with(block.label, "PRIVATE KEY")) {
            return read_block(k, input, &block, fault);
        }
    }
}

static plat_result read_der(plat_private_key *k, const plat_key_input *input,
                            plat_identity_fault *fault)
{
    raw_key raw = { wolfSSL_Malloc(input->len), input->len, input->len };
    if (raw.der == NULL) {
        return plat_fault_memory(fault);
    }
    memcpy(raw.der, input->bytes, input->len);
    return finish(k, input, NULL, &raw, fault);
}

plat_result plat_private_key_read(plat_private_key *k, const plat_key_input *input,
                                  plat_identity_fault *fault)
{
    *k = (plat_private_key){ 0 };
    if (input->len == 0) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY, "the private key is empty");
    }
    return plat_pem_has_block(input->bytes, input->len) ? read_pem(k, input, fault)
                                                        : read_der(k, input, fault);
}

void plat_private_key_free(plat_private_key *k)
{
    plat_secret_free(k->der, k->len);
    *k = (plat_private_key){ 0 };
}

/* --- the public key --- */

static int write_public(const plat_private_key *k, key_object *key, uint8_t *out, size_t cap)
{
    int rc;
    if (k->kind == PLAT_KEY_RSA) {
        rc = load_rsa(&key->rsa, k->der, k->len);
        if (rc == 0) {
            rc = wc_RsaKeyToPublicDer(&key->rsa, out, (word32)cap);
            wc_FreeRsaKey(&key->rsa);
        }
        return rc;
    }
    rc = load_ec(&key->ec, k->der, k->len);
    if (rc == 0) {
        plat_curve_tables_tidy();
        rc = wc_EccPublicKeyToDer(&key->ec, out, (word32)cap, 1);
        plat_curve_tables_tidy();
        wc_ecc_free(&key->ec);
    }
    return rc;
}

plat_result plat_private_key_public(const plat_private_key *k, uint8_t *out, size_t cap,
                                    size_t *len, plat_identity_fault *fault)
{
    key_object *key = wolfSSL_Malloc(sizeof *key);
    int rc = key != NULL ? write_public(k, key, out, cap) : MEMORY_E;
    plat_secret_free(key, sizeof *key);
    if (rc > 0) {
        *len = (size_t)rc;
        return PLAT_OK;
    }
    return rc == MEMORY_E ? plat_fault_memory(fault)
                          : plat_fault_set(fault, PLAT_ERR_CRYPTO,
                                           "wolfCrypt could not write the public key (%d)", rc);
}

/* --- signing --- */

static enum wc_HashType hash_of(size_t digest_len)
{
    switch (digest_len) {
    case WC_SHA256_DIGEST_SIZE: return WC_HASH_TYPE_SHA256;
    case WC_SHA384_DIGEST_SIZE: return WC_HASH_TYPE_SHA384;
    case WC_SHA512_DIGEST_SIZE: return WC_HASH_TYPE_SHA512;
    default: return WC_HASH_TYPE_NONE;
    }
}

static int sign_pkcs1(const plat_sign_request *request, RsaKey *rsa, WC_RNG *rng, uint8_t *out,
                      size_t cap)
{
    byte info[DIGEST_INFO_MOST + WC_MAX_DIGEST_SIZE];
    word32 len = wc_EncodeSignature(info, request->digest, (word32)request->digest_len,
                                    wc_HashGetOID(hash_of(request->digest_len)));
    return wc_RsaSSL_Sign(info, len, out, (word32)cap, rsa, rng);
}

#ifdef WC_RSA_PSS
static int sign_pss(const plat_sign_request *request, RsaKey *rsa, WC_RNG *rng, uint8_t *out,
                    size_t cap)
{
    const enum wc_HashType hash = hash_of(request->digest_len);
    const int mask = hash == WC_HASH_TYPE_SHA256   ? WC_MGF1SHA256
                     : hash == WC_HASH_TYPE_SHA384 ? WC_MGF1SHA384
                                                   : WC_MGF1SHA512;
    return wc_RsaPSS_Sign_ex(request->digest, (word32)request->digest_len, out, (word32)cap, hash,
                             mask, (int)request->digest_len, rsa, rng);
}
#else
static int sign_pss(const plat_sign_request *request, RsaKey *rsa, WC_RNG *rng, uint8_t *out,
                    size_t cap)
{
    (void)request, (void)rsa, (void)rng, (void)out, (void)cap;
    return NOT_COMPILED_IN;
}
#endif

/* Makes the key use random numbers, so that the time of a signature tells nothing about the key. */
static int blind(RsaKey *rsa, WC_RNG *rng)
{
#ifdef WC_RSA_BLINDING
    return wc_RsaSetRNG(rsa, rng);
#else
    (void)rsa, (void)rng;
    return 0;
#endif
}

/* These functions return the size of the signature, or wolfCrypt's error code. */
static int sign_rsa(const plat_private_key *k, const plat_sign_request *request, WC_RNG *rng,
                    uint8_t *out, size_t cap)
{
    RsaKey *rsa = wolfSSL_Malloc(sizeof *rsa);
    int rc = rsa != NULL ? load_rsa(rsa, k->der, k->len) : MEMORY_E;
    if (rc == 0) {
        rc = blind(rsa, rng);
        if (rc == 0) {
            rc = request->scheme == PLAT_SIGN_RSA_PSS ? sign_pss(request, rsa, rng, out, cap)
                                                      : sign_pkcs1(request, rsa, rng, out, cap);
        }
        wc_FreeRsaKey(rsa);
    }
    plat_secret_free(rsa, sizeof *rsa);
    return rc;
}

static int sign_ec(const plat_private_key *k, const plat_sign_request *request, WC_RNG *rng,
                   uint8_t *out, size_t cap)
{
    ecc_key *ec = wolfSSL_Malloc(sizeof *ec);
    word32 len = (word32)cap;
    int rc = ec != NULL ? load_ec(ec, k->der, k->len) : MEMORY_E;
    if (rc == 0) {
        plat_curve_tables_tidy();
        rc = wc_ecc_sign_hash(request->digest, (word32)request->digest_len, out, &len, rng, ec);
        plat_curve_tables_tidy();
        wc_ecc_free(ec);
    }
    plat_secret_free(ec, sizeof *ec);
    return rc == 0 ? (int)len : rc;
}

static int sign(const plat_private_key *k, const plat_sign_request *request, uint8_t *out,
                size_t cap)
{
    WC_RNG rng;
    int rc = wc_InitRng(&rng);
    if (rc != 0) {
        return rc;
    }
    rc = k->kind == PLAT_KEY_RSA ? sign_rsa(k, request, &rng, out, cap)
                                 : sign_ec(k, request, &rng, out, cap);
    (void)wc_FreeRng(&rng);
    return rc;
}

plat_result plat_private_key_sign(const plat_private_key *k, const plat_sign_request *request,
                                  uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault)
{
    const bool is_rsa = k->kind == PLAT_KEY_RSA;
    if (hash_of(request->digest_len) == WC_HASH_TYPE_NONE ||
        is_rsa == (request->scheme == PLAT_SIGN_ECDSA)) {
        return plat_fault_set(fault, PLAT_ERR_ARG, "the private key cannot sign by this scheme");
    }
    int rc = sign(k, request, out, cap);
    if (rc > 0) {
        *len = (size_t)rc;
        return PLAT_OK;
    }
    return rc == MEMORY_E
               ? plat_fault_memory(fault)
               : plat_fault_set(fault, PLAT_ERR_CRYPTO,
                                "wolfCrypt could not sign with the private key (%d)", rc);
}
