#include "wolfssl/identity/key_decrypt.h"

#include <string.h>

#include "memory/wipe_memory.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/x509/der.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/des3.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/pwdbased.h>
#include <wolfssl/wolfcrypt/wc_encrypt.h>

/* 1.2.840.113549.1.5.x */
#define PBES2  "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"
#define PBKDF2 "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"

/* The object identifiers 1.2.840.113549.2.x, 1.2.840.113549.3.7 and 2.16.840.1.101.3.4.1.x. */
#define HMAC_SHA1   "\x2a\x86\x48\x86\xf7\x0d\x02\x07"
#define HMAC_SHA256 "\x2a\x86\x48\x86\xf7\x0d\x02\x09"
#define HMAC_SHA384 "\x2a\x86\x48\x86\xf7\x0d\x02\x0a"
#define HMAC_SHA512 "\x2a\x86\x48\x86\xf7\x0d\x02\x0b"
#define DES3_CBC    "\x2a\x86\x48\x86\xf7\x0d\x03\x07"
#define AES128_CBC  "\x60\x86\x48\x01\x65\x03\x04\x01\x02"
#define AES192_CBC  "\x60\x86\x48\x01\x65\x03\x04\x01\x16"
#define AES256_CBC  "\x60\x86\x48\x01\x65\x03\x04\x01\x2a"

#define SALT_MAX       64
#define ITERATIONS_MAX 10000000 /* takes some seconds; OpenSSL uses 2,048 */
#define CIPHER_KEY_MAX 32
#define CIPHER_IV_MAX  16
/* Length of the salt in the traditional form, which is the beginning of the IV. */
#define SALT_LEN 8

plat_result plat_passphrase_ask(plat_passphrase *p, plat_passphrase_fn ask, void *user,
                                plat_identity_fault *fault)
{
    *p = (plat_passphrase){ .len = 0 };
    if (ask == NULL) {
        return plat_fault_set(fault, PLAT_ERR_PASSPHRASE,
                              "the private key is encrypted, and no passphrase is given");
    }
    p->len = ask(user, p->text, sizeof p->text);
    if (p->len > sizeof p->text) {
        p->len = 0;
        return plat_fault_set(
            fault, PLAT_ERR_PASSPHRASE,
            "the private key is encrypted, and the application has no passphrase");
    }
    return PLAT_OK;
}

static plat_result wrong_passphrase(plat_identity_fault *fault)
{
    return plat_fault_set(fault, PLAT_ERR_PASSPHRASE,
                          "the passphrase of the private key is wrong, or the key is damaged");
}

static plat_result unknown_encryption(plat_identity_fault *fault)
{
    return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                          "the private key is encrypted in a way that is not supported; encrypt it "
                          "again with \"openssl pkcs8 -topk8 -v2 aes-256-cbc\"");
}

/* --- ciphers --- */

typedef struct cipher {
    const char *name; /* name in the header DEK-Info */
    const char *oid;
    uint8_t key_len;
    uint8_t iv_len;
} cipher;

static const cipher ciphers[] = {
    { "AES-128-CBC", AES128_CBC, 16, 16 },
    { "AES-192-CBC", AES192_CBC, 24, 16 },
    { "AES-256-CBC", AES256_CBC, 32, 16 },
    { "DES-EDE3-CBC", DES3_CBC, 24, 8 },
};

static int decrypt(const cipher *c, uint8_t *der, size_t len, const uint8_t *key, const uint8_t *iv)
{
    if (c->iv_len == CIPHER_IV_MAX) {
        return wc_AesCbcDecryptWithKey(der, der, (word32)len, key, c->key_len, iv);
    }
#ifndef NO_DES3
    return wc_Des3_CbcDecryptWithKey(der, der, (word32)len, key, iv);
#else
    return NOT_COMPILED_IN;
#endif
}

/* Removes padding by PKCS #7, whose last byte is its length. */
static bool strip_padding(const uint8_t *der, size_t *len, size_t block_len)
{
    const size_t padding = der[*len - 1];
    if (padding == 0 || padding > block_len || padding >= *len) {
        return false;
    }
    *len -= padding;
    return true;
}

/* --- PKCS #8 --- */

/* Reads an EncryptedPrivateKeyInfo: an AlgorithmIdentifier and an OCTET STRING. */
static bool read_encrypted(const uint8_t *der, size_t len, plat_der *algorithm, plat_der *secret)
{
    plat_der in = { der, len };
    plat_der outer;
    return plat_der_take(&in, PLAT_DER_SEQUENCE, &outer) && in.len == 0 &&
           plat_der_take(&outer, PLAT_DER_SEQUENCE, algorithm) &&
           plat_der_take(&outer, PLAT_DER_OCTET_STRING, secret) && outer.len == 0;
}

bool plat_pkcs8_is_encrypted(const uint8_t *der, size_t len)
{
    plat_der algorithm, secret;
    return read_encrypted(der, len, &algorithm, &secret);
}

/* The parameters of PBES2 with PBKDF2 (RFC 8018 appendices A.2 and A.4). */
typedef struct pbes2 {
    plat_der salt;
    uint32_t iterations;
    int hash; /* wolfCrypt's number */
    const cipher *cipher;
    plat_der iv;
} pbes2;

static bool is_absent_or_null(plat_der parameters)
{
    plat_der content;
    return parameters.len == 0 || plat_der_take(&parameters, PLAT_DER_NULL, &content);
}

/* Reads the pseudo-random function; the default is HMAC-SHA1. */
static bool read_prf(plat_der identifier, bool found, int *hash)
{
    plat_der oid;
    *hash = WC_SHA;
    if (!found) {
        return true;
    }
    if (!plat_der_take(&identifier, PLAT_DER_OID, &oid) || !is_absent_or_null(identifier)) {
        return false;
    }
    *hash = plat_der_is(oid, HMAC_SHA1)     ? WC_SHA
            : plat_der_is(oid, HMAC_SHA256) ? WC_SHA256
            : plat_der_is(oid, HMAC_SHA384) ? WC_SHA384
            : plat_der_is(oid, HMAC_SHA512) ? WC_SHA512
                                            : -1;
    return *hash >= 0;
}

static bool read_derivation(plat_der identifier, pbes2 *p)
{
    plat_der oid, parameters, key_len, prf;
    bool found;
    return plat_der_take(&identifier, PLAT_DER_OID, &oid) && plat_der_is(oid, PBKDF2) &&
           plat_der_take(&identifier, PLAT_DER_SEQUENCE, &parameters) && identifier.len == 0 &&
           plat_der_take(&parameters, PLAT_DER_OCTET_STRING, &p->salt) && p->salt.len > 0 &&
           p->salt.len <= SALT_MAX &&
           plat_der_take_unsigned(&parameters, PLAT_DER_INTEGER, &p->iterations) &&
           p->iterations > 0 && p->iterations <= ITERATIONS_MAX &&
           plat_der_take_optional(&parameters, PLAT_DER_INTEGER, &key_len, &found) &&
           plat_der_take_optional(&parameters, PLAT_DER_SEQUENCE, &prf, &found) &&
           parameters.len == 0 && read_prf(prf, found, &p->hash);
}

static bool read_encryption(plat_der identifier, pbes2 *p)
{
    plat_der oid;
    if (!plat_der_take(&identifier, PLAT_DER_OID, &oid) ||
        !plat_der_take(&identifier, PLAT_DER_OCTET_STRING, &p->iv) || identifier.len != 0) {
        return false;
    }
    p->cipher = NULL;
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        if (plat_der_equals(
                oid, (plat_der){ (const uint8_t *)ciphers[i].oid, strlen(ciphers[i].oid) })) {
            p->cipher = &ciphers[i];
        }
    }
    return p->cipher != NULL && p->iv.len == p->cipher->iv_len;
}

static bool read_pbes2(plat_der parameters, pbes2 *p)
{
    plat_der both, derivation, encryption;
    return plat_der_take(&parameters, PLAT_DER_SEQUENCE, &both) && parameters.len == 0 &&
           plat_der_take(&both, PLAT_DER_SEQUENCE, &derivation) &&
           plat_der_take(&both, PLAT_DER_SEQUENCE, &encryption) && both.len == 0 &&
           read_derivation(derivation, p) && read_encryption(encryption, p);
}

/* These functions return the size of the key, or wolfCrypt's error code; 0 means that the
 * passphrase is wrong. */
static int decrypt_pbes2(uint8_t *der, plat_der secret, const pbes2 *p,
                         const plat_passphrase *passphrase)
{
    uint8_t key[CIPHER_KEY_MAX];
    size_t len = secret.len;
    if (len == 0 || len % p->cipher->iv_len != 0) {
        return 0;
    }
    int rc = wc_PBKDF2(key, (const byte *)passphrase->text, (int)passphrase->len, p->salt.at,
                       (int)p->salt.len, (int)p->iterations, p->cipher->key_len, p->hash);
    if (rc == 0) {
        uint8_t iv[CIPHER_IV_MAX];
        memcpy(iv, p->iv.at, p->iv.len);
        memmove(der, secret.at, len);
        rc = decrypt(p->cipher, der, len, key, iv);
    }
    plat_wipe(key, sizeof key);
    if (rc != 0) {
        return rc;
    }
    return strip_padding(der, &len, p->cipher->iv_len) ? (int)len : 0;
}

/* Reads the parameters of PBES1 (RFC 8018 appendix A.3) and of PKCS #12: salt and iterations. */
static bool read_pbes1(plat_der parameters)
{
    plat_der both, salt;
    uint32_t iterations;
    return plat_der_take(&parameters, PLAT_DER_SEQUENCE, &both) && parameters.len == 0 &&
           plat_der_take(&both, PLAT_DER_OCTET_STRING, &salt) && salt.len <= SALT_MAX &&
           plat_der_take_unsigned(&both, PLAT_DER_INTEGER, &iterations) && both.len == 0 &&
           iterations > 0 && iterations <= ITERATIONS_MAX;
}

static int decrypt_pbes1(uint8_t *der, size_t len, const plat_passphrase *passphrase)
{
    int n = wc_DecryptPKCS8Key(der, (word32)len, passphrase->text, (int)passphrase->len);
    switch (n) {
    case MEMORY_E:
    case ASN_INPUT_E:
    case ALGO_ID_E:
    case ASN_UNKNOWN_OID_E:
    case NOT_COMPILED_IN: return n;
    default: return n > 0 && (size_t)n <= len ? n : 0;
    }
}

plat_result plat_pkcs8_decrypt(uint8_t *der, size_t *len, const plat_passphrase *passphrase,
                               plat_identity_fault *fault)
{
    plat_der algorithm, oid, secret;
    pbes2 p;
    int n;
    if (!read_encrypted(der, *len, &algorithm, &secret) ||
        !plat_der_take(&algorithm, PLAT_DER_OID, &oid)) {
        return unknown_encryption(fault);
    }
    if (plat_der_is(oid, PBES2)) {
        n = read_pbes2(algorithm, &p) ? decrypt_pbes2(der, secret, &p, passphrase) : ALGO_ID_E;
    } else {
        n = read_pbes1(algorithm) ? decrypt_pbes1(der, *len, passphrase) : ALGO_ID_E;
    }
    if (n <= 0) {
        return n == 0          ? wrong_passphrase(fault)
               : n == MEMORY_E ? plat_fault_memory(fault)
                               : unknown_encryption(fault);
    }
    *len = (size_t)n;
    return PLAT_OK;
}

/* --- the traditional form --- */

static const cipher *find_cipher(plat_pem_text name)
{
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        if (plat_pem_is(name, ciphers[i].name)) {
            return &ciphers[i];
        }
    }
    return NULL;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool read_hex(plat_pem_text text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text.at[2 * i]);
        int low = hex_value(text.at[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

/* DEK-Info: AES-256-CBC,0123... */
static const cipher *read_dek_info(const plat_pem_block *block, uint8_t iv[CIPHER_IV_MAX])
{
    plat_pem_text info;
    if (!plat_pem_header(block, "DEK-Info", &info)) {
        return NULL;
    }
    const char *comma = memchr(info.at, ',', info.len);
    if (comma == NULL) {
        return NULL;
    }
    const size_t n = (size_t)(comma - info.at);
    const cipher *c = find_cipher((plat_pem_text){ info.at, n });
    const plat_pem_text hex = { comma + 1, info.len - n - 1 };
    return c != NULL && read_hex(hex, iv, c->iv_len) ? c : NULL;
}

bool plat_pem_is_encrypted(const plat_pem_block *block)
{
    plat_pem_text value;
    return plat_pem_header(block, "Proc-Type", &value) && plat_pem_ends_with(value, "ENCRYPTED");
}

plat_result plat_pem_decrypt(const plat_pem_block *block, uint8_t *der, size_t *len,
                             const plat_passphrase *passphrase, plat_identity_fault *fault)
{
    uint8_t iv[CIPHER_IV_MAX];
    uint8_t key[CIPHER_KEY_MAX];
    const cipher *c = read_dek_info(block, iv);
    if (c == NULL) {
        return unknown_encryption(fault);
    }
    if (*len % c->iv_len != 0) {
        return wrong_passphrase(fault);
    }
    int rc = wc_PBKDF1_ex(key, c->key_len, NULL, 0, (const byte *)passphrase->text,
                          (int)passphrase->len, iv, SALT_LEN, 1, WC_MD5, NULL);
    if (rc == 0) {
        rc = decrypt(c, der, *len, key, iv);
    }
    plat_wipe(key, sizeof key);
    if (rc == MEMORY_E) {
        return plat_fault_memory(fault);
    }
    if (rc != 0) { /* this wolfCrypt was built without MD5 or the cipher */
        return unknown_encryption(fault);
    }
    return strip_padding(der, len, c->iv_len) ? PLAT_OK : wrong_passphrase(fault);
}
