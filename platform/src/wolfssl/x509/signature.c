#include "wolfssl/x509/signature.h"

#include <string.h>

#include "wolfssl/crypto/curve_tables.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/ed448.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/signature.h>

#define RSA_MAX_EXPONENT_BITS 64
#ifdef RSA_MAX_SIZE
#define RSA_MAX_BITS RSA_MAX_SIZE
#else
#define RSA_MAX_BITS 4096
#endif

/* Object identifiers 1.2.840.113549.1.1.x, 1.2.840.10045.x, 1.3.101.x and
 * 2.16.840.1.101.3.4.2.x. */
#define RSA_ENCRYPTION "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define RSA_MGF1       "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define RSA_PSS        "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define RSA_SHA256     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define RSA_SHA384     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"
#define RSA_SHA512     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"
#define EC_PUBLIC_KEY  "\x2a\x86\x48\xce\x3d\x02\x01"
#define ECDSA_SHA256   "\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define ECDSA_SHA384   "\x2a\x86\x48\xce\x3d\x04\x03\x03"
#define ECDSA_SHA512   "\x2a\x86\x48\xce\x3d\x04\x03\x04"
#define P256           "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P384           "\x2b\x81\x04\x00\x22"
#define P521           "\x2b\x81\x04\x00\x23"
#define ED25519        "\x2b\x65\x70"
#define ED448          "\x2b\x65\x71"
#define SHA256         "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define SHA384         "\x60\x86\x48\x01\x65\x03\x04\x02\x02"
#define SHA512         "\x60\x86\x48\x01\x65\x03\x04\x02\x03"

/* --- algorithms --- */

static bool is_absent_or_null(plat_der parameters)
{
    plat_der content;
    return parameters.len == 0 || (plat_der_take(&parameters, PLAT_DER_NULL, &content) &&
                                   content.len == 0 && parameters.len == 0);
}

/* Returns the bits of the hash that an AlgorithmIdentifier names, or 0 if it is too weak or
 * unknown. */
static uint16_t read_hash(plat_der identifier)
{
    plat_der oid;
    if (!plat_der_take(&identifier, PLAT_DER_OID, &oid) || !is_absent_or_null(identifier)) {
        return 0;
    }
    return plat_der_is(oid, SHA256)   ? 256
           : plat_der_is(oid, SHA384) ? 384
           : plat_der_is(oid, SHA512) ? 512
                                      : 0;
}

bool plat_digest_info_read(plat_der in, plat_der *digest)
{
    plat_der both, algorithm;
    return plat_der_take(&in, PLAT_DER_SEQUENCE, &both) && in.len == 0 &&
           plat_der_take(&both, PLAT_DER_SEQUENCE, &algorithm) &&
           plat_der_take(&both, PLAT_DER_OCTET_STRING, digest) && both.len == 0 &&
           digest->len > 0 && read_hash(algorithm) == 8 * digest->len;
}

static bool take_tagged(plat_der *in, unsigned number, uint8_t tag, plat_der *content)
{
    plat_der outer;
    return plat_der_take(in, (uint8_t)(PLAT_DER_CONTEXT_CONSTRUCTED + number), &outer) &&
           plat_der_take(&outer, tag, content) && outer.len == 0;
}

/* Reads the parameters of RSA-PSS (RFC 4055 section 3.1). The defaults are SHA-1, so hash and
 * mask must be present. Both must use the same hash, as TLS 1.3 requires and as is usual. */
static plat_algorithm read_pss(plat_der parameters)
{
    plat_algorithm out = { .scheme = PLAT_SCHEME_RSA_PSS, .salt_bytes = 20 };
    const plat_algorithm unknown = { .scheme = PLAT_SCHEME_UNKNOWN };
    plat_der list, hash, mask, oid, inner, salt;
    bool has_salt;
    uint32_t bytes = out.salt_bytes;
    if (!plat_der_take(&parameters, PLAT_DER_SEQUENCE, &list) || parameters.len != 0 ||
        !take_tagged(&list, 0, PLAT_DER_SEQUENCE, &hash) ||
        !take_tagged(&list, 1, PLAT_DER_SEQUENCE, &mask) ||
        !plat_der_take(&mask, PLAT_DER_OID, &oid) || !plat_der_is(oid, RSA_MGF1) ||
        !plat_der_take(&mask, PLAT_DER_SEQUENCE, &inner) || mask.len != 0) {
        return unknown;
    }
    out.hash_bits = read_hash(hash);
    if (out.hash_bits == 0 || out.hash_bits != read_hash(inner) ||
        !plat_der_take_optional(&list, PLAT_DER_CONTEXT_CONSTRUCTED + 2, &salt, &has_salt) ||
        (has_salt && (!plat_der_take_unsigned(&salt, PLAT_DER_INTEGER, &bytes) || salt.len != 0)) ||
        bytes > RSA_MAX_BITS / 8 || list.len != 0) {
        return unknown;
    }
    out.salt_bytes = (uint16_t)bytes;
    return out;
}

plat_algorithm plat_algorithm_read(plat_der identifier)
{
    static const struct {
        const char *oid;
        size_t len;
        plat_algorithm algorithm;
    } known[] = {
        { RSA_SHA256, sizeof RSA_SHA256 - 1, { PLAT_SCHEME_RSA, 256, 0 } },
        { RSA_SHA384, sizeof RSA_SHA384 - 1, { PLAT_SCHEME_RSA, 384, 0 } },
        { RSA_SHA512, sizeof RSA_SHA512 - 1, { PLAT_SCHEME_RSA, 512, 0 } },
        { ECDSA_SHA256, sizeof ECDSA_SHA256 - 1, { PLAT_SCHEME_ECDSA, 256, 0 } },
        { ECDSA_SHA384, sizeof ECDSA_SHA384 - 1, { PLAT_SCHEME_ECDSA, 384, 0 } },
        { ECDSA_SHA512, sizeof ECDSA_SHA512 - 1, { PLAT_SCHEME_ECDSA, 512, 0 } },
        { ED25519, sizeof ED25519 - 1, { PLAT_SCHEME_ED25519, 0, 0 } },
        { ED448, sizeof ED448 - 1, { PLAT_SCHEME_ED448, 0, 0 } },
    };
    plat_der oid;
    if (!plat_der_take(&identifier, PLAT_DER_OID, &oid)) {
        return (plat_algorithm){ .scheme = PLAT_SCHEME_UNKNOWN };
    }
    if (plat_der_is(oid, RSA_PSS)) {
        return read_pss(identifier);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const plat_der wanted = { (const uint8_t *)known[i].oid, known[i].len };
        if (plat_der_equals(oid, wanted) && is_absent_or_null(identifier)) {
            return known[i].algorithm;
        }
    }
    return (plat_algorithm){ .scheme = PLAT_SCHEME_UNKNOWN };
}

/* --- keys --- */

typedef struct public_key {
    plat_scheme scheme;
    /* For RSA_PSS: the only algorithm that this key may use, unless its scheme is UNKNOWN. */
    plat_algorithm only;
    plat_der bits;
    plat_der modulus; /* modulus of an RSA key, without leading zeros */
    plat_der exponent;
    int curve; /* wolfCrypt's number of the curve; ECC_CURVE_INVALID: not an accepted curve */
} public_key;

static bool take_positive(plat_der *in, plat_der *out)
{
    if (!plat_der_take(in, PLAT_DER_INTEGER, out) || !plat_der_is_integer(*out) ||
        (out->at[0] & 0x80) != 0) {
        return false;
    }
    if (out->at[0] == 0) {
        out->at++;
        out->len--;
    }
    return out->len > 0;
}

static bool read_rsa(public_key *k)
{
    plat_der in = k->bits;
    plat_der pair;
    return plat_der_take(&in, PLAT_DER_SEQUENCE, &pair) && in.len == 0 &&
           take_positive(&pair, &k->modulus) && take_positive(&pair, &k->exponent) && pair.len == 0;
}

static int read_curve(plat_der parameters)
{
    plat_der oid;
    if (!plat_der_take(&parameters, PLAT_DER_OID, &oid) || parameters.len != 0) {
        return ECC_CURVE_INVALID; /* for example a curve with its own parameters */
    }
    return plat_der_is(oid, P256)   ? ECC_SECP256R1
           : plat_der_is(oid, P384) ? ECC_SECP384R1
           : plat_der_is(oid, P521) ? ECC_SECP521R1
                                    : ECC_CURVE_INVALID;
}

static bool read_key(plat_der info, public_key *k)
{
    plat_der both, algorithm, oid;
    *k = (public_key){ .scheme = PLAT_SCHEME_UNKNOWN, .curve = ECC_CURVE_INVALID };
    if (!plat_der_take(&info, PLAT_DER_SEQUENCE, &both) || info.len != 0 ||
        !plat_der_take(&both, PLAT_DER_SEQUENCE, &algorithm) ||
        !plat_der_take_bytes(&both, &k->bits) || both.len != 0 ||
        !plat_der_take(&algorithm, PLAT_DER_OID, &oid)) {
        return false;
    }
    if (plat_der_is(oid, RSA_ENCRYPTION)) {
        k->scheme = PLAT_SCHEME_RSA;
        return is_absent_or_null(algorithm) && read_rsa(k);
    }
    if (plat_der_is(oid, RSA_PSS)) {
        k->scheme = PLAT_SCHEME_RSA_PSS;
        k->only = algorithm.len > 0 ? read_pss(algorithm) : k->only;
        bool usable = algorithm.len == 0 || k->only.scheme == PLAT_SCHEME_RSA_PSS;
        return usable && read_rsa(k);
    }
    if (plat_der_is(oid, EC_PUBLIC_KEY)) {
        k->scheme = PLAT_SCHEME_ECDSA;
        k->curve = read_curve(algorithm);
        return true;
    }
    k->scheme = plat_der_is(oid, ED25519) ? PLAT_SCHEME_ED25519
                : plat_der_is(oid, ED448) ? PLAT_SCHEME_ED448
                                          : PLAT_SCHEME_UNKNOWN;
    return k->scheme == PLAT_SCHEME_UNKNOWN || algorithm.len == 0;
}

static size_t bit_length(plat_der number)
{
    size_t bits = 8 * number.len;
    for (unsigned top = 0x80; (number.at[0] & top) == 0; top >>= 1) {
        bits--;
    }
    return bits;
}

/* Returns the flaw of an RSA key, or NULL. A long exponent would make each check as slow as
 * signing; OpenSSL has the same limit. */
static const char *rsa_flaw(const public_key *k)
{
    size_t bits = bit_length(k->modulus);
    size_t exponent_bits = bit_length(k->exponent);
    bool even = (k->exponent.at[k->exponent.len - 1] & 1) == 0;
    if (bits < PLAT_RSA_MIN_BITS) {
        return "an RSA key in the chain is too weak: 2048 bits are needed";
    }
    if (even || exponent_bits < 2 || exponent_bits > RSA_MAX_EXPONENT_BITS) {
        return "an RSA key in the chain has an unusual exponent";
    }
    return bits > RSA_MAX_BITS ? "an RSA key in the chain is longer than this wolfSSL can compute"
                               : NULL;
}

static bool is_compiled(plat_scheme edwards)
{
#ifdef HAVE_ED25519
    if (edwards == PLAT_SCHEME_ED25519) {
        return true;
    }
#endif
#ifdef HAVE_ED448
    if (edwards == PLAT_SCHEME_ED448) {
        return true;
    }
#endif
    (void)edwards;
    return false;
}

const char *plat_key_flaw(plat_der info)
{
    public_key k;
    if (!read_key(info, &k)) {
        return "a key in the chain is malformed";
    }
    switch (k.scheme) {
    case PLAT_SCHEME_RSA:
    case PLAT_SCHEME_RSA_PSS: return rsa_flaw(&k);
    case PLAT_SCHEME_ECDSA:
        return k.curve != ECC_CURVE_INVALID
                   ? NULL
                   : "a key in the chain is on a curve other than P-256, P-384 and P-521";
    case PLAT_SCHEME_ED25519:
    case PLAT_SCHEME_ED448:
        if (is_compiled(k.scheme)) {
            return NULL;
        }
        break;
    case PLAT_SCHEME_UNKNOWN: break;
    }
    return "a key in the chain is too weak or of an unknown kind";
}

plat_key_kind plat_key_kind_of(plat_der info)
{
    public_key k;
    if (!read_key(info, &k)) {
        return (plat_key_kind)0;
    }
    if (k.scheme == PLAT_SCHEME_RSA) {
        return PLAT_KEY_RSA;
    }
    return k.curve == ECC_SECP256R1   ? PLAT_KEY_EC_P256
           : k.curve == ECC_SECP384R1 ? PLAT_KEY_EC_P384
                                      : (plat_key_kind)0;
}

/* --- signatures: each function returns wolfCrypt's code, 0 for a good signature --- */

static enum wc_HashType hash_type(plat_algorithm a)
{
    return a.hash_bits == 256   ? WC_HASH_TYPE_SHA256
           : a.hash_bits == 384 ? WC_HASH_TYPE_SHA384
                                : WC_HASH_TYPE_SHA512;
}

#ifdef WC_RSA_PSS
static int check_pss(const plat_signed *s, RsaKey *key)
{
    const plat_algorithm a = s->algorithm;
    const word32 hash_len = a.hash_bits / 8u;
    const int mask = a.hash_bits == 256   ? WC_MGF1SHA256
                     : a.hash_bits == 384 ? WC_MGF1SHA384
                                          : WC_MGF1SHA512;
    byte hash[WC_MAX_DIGEST_SIZE];
    byte block[RSA_MAX_BITS / 8];
    byte *salt_and_hash = NULL;
    int rc = wc_Hash(hash_type(a), s->bytes.at, (word32)s->bytes.len, hash, hash_len);
    if (rc != 0) {
        return rc;
    }
    memcpy(block, s->signature.at, s->signature.len);
    rc = wc_RsaPSS_VerifyInline_ex(block, (word32)s->signature.len, &salt_and_hash, hash_type(a),
                                   mask, a.salt_bytes, key);
    return rc <= 0 || salt_and_hash == NULL
               ? rc < 0 ? rc : SIG_VERIFY_E
               : wc_RsaPSS_CheckPadding_ex(hash, hash_len, salt_and_hash, (word32)rc, hash_type(a),
                                           a.salt_bytes, 8 * wc_RsaEncryptSize(key));
}
#else
static int check_pss(const plat_signed *s, RsaKey *key)
{
    (void)s;
    (void)key;
    return SIG_VERIFY_E;
}
#endif

static int check_rsa(const plat_signed *s, const public_key *k)
{
    if (s->signature.len != k->modulus.len || s->signature.len > RSA_MAX_BITS / 8) {
        return SIG_VERIFY_E;
    }
    RsaKey *key = wolfSSL_Malloc(sizeof *key);
    int rc = key != NULL ? wc_InitRsaKey(key, NULL) : MEMORY_E;
    if (rc == 0) {
        rc = wc_RsaPublicKeyDecodeRaw(k->modulus.at, (word32)k->modulus.len, k->exponent.at,
                                      (word32)k->exponent.len, key);
        if (rc == 0 && s->algorithm.scheme == PLAT_SCHEME_RSA_PSS) {
            rc = check_pss(s, key);
        } else if (rc == 0) {
            rc = wc_SignatureVerify(hash_type(s->algorithm), WC_SIGNATURE_TYPE_RSA_W_ENC,
                                    s->bytes.at, (word32)s->bytes.len, s->signature.at,
                                    (word32)s->signature.len, key, sizeof *key);
        }
        wc_FreeRsaKey(key);
    }
    wolfSSL_Free(key);
    return rc;
}

static int check_hash(const plat_signed *s, ecc_key *key)
{
    const word32 hash_len = s->algorithm.hash_bits / 8u;
    byte hash[WC_MAX_DIGEST_SIZE];
    int good = 0;
    int rc = wc_Hash(hash_type(s->algorithm), s->bytes.at, (word32)s->bytes.len, hash, hash_len);
    if (rc == 0) {
        plat_curve_tables_tidy();
        rc = wc_ecc_verify_hash(s->signature.at, (word32)s->signature.len, hash, hash_len, &good,
                                key);
    }
    return rc != 0 || good == 1 ? rc : SIG_VERIFY_E;
}

static int check_ecdsa(const plat_signed *s, const public_key *k)
{
    ecc_key *key = wolfSSL_Malloc(sizeof *key);
    int rc = key != NULL ? wc_ecc_init(key) : MEMORY_E;
    if (rc == 0) {
        rc = wc_ecc_import_x963_ex(k->bits.at, (word32)k->bits.len, key, k->curve);
        rc = rc == 0 ? check_hash(s, key) : rc;
        wc_ecc_free(key);
    }
    wolfSSL_Free(key);
    return rc;
}

#ifdef HAVE_ED25519
static int check_ed25519(const plat_signed *s, const public_key *k)
{
    ed25519_key key;
    int good = 0;
    int rc = wc_ed25519_init(&key);
    if (rc == 0) {
        rc = wc_ed25519_import_public(k->bits.at, (word32)k->bits.len, &key);
        if (rc == 0) {
            rc = wc_ed25519_verify_msg(s->signature.at, (word32)s->signature.len, s->bytes.at,
                                       (word32)s->bytes.len, &good, &key);
        }
        wc_ed25519_free(&key);
    }
    return rc != 0 || good == 1 ? rc : SIG_VERIFY_E;
}
#else
static int check_ed25519(const plat_signed *s, const public_key *k)
{
    (void)s;
    (void)k;
    return SIG_VERIFY_E;
}
#endif

#ifdef HAVE_ED448
static int check_ed448(const plat_signed *s, const public_key *k)
{
    ed448_key key;
    int good = 0;
    int rc = wc_ed448_init(&key);
    if (rc == 0) {
        rc = wc_ed448_import_public(k->bits.at, (word32)k->bits.len, &key);
        if (rc == 0) {
            rc = wc_ed448_verify_msg(s->signature.at, (word32)s->signature.len, s->bytes.at,
                                     (word32)s->bytes.len, &good, &key, NULL, 0);
        }
        wc_ed448_free(&key);
    }
    return rc != 0 || good == 1 ? rc : SIG_VERIFY_E;
}
#else
static int check_ed448(const plat_signed *s, const public_key *k)
{
    (void)s;
    (void)k;
    return SIG_VERIFY_E;
}
#endif

/* Returns whether the key may use the algorithm: a key may prescribe the hash and the minimum
 * length of the salt (RFC 4055 section 3.1). */
static bool is_for(const public_key *k, plat_algorithm a)
{
    if (k->scheme != PLAT_SCHEME_RSA_PSS) {
        return k->scheme == a.scheme ||
               (k->scheme == PLAT_SCHEME_RSA && a.scheme == PLAT_SCHEME_RSA_PSS);
    }
    return a.scheme == PLAT_SCHEME_RSA_PSS &&
           (k->only.scheme == PLAT_SCHEME_UNKNOWN ||
            (k->only.hash_bits == a.hash_bits && k->only.salt_bytes <= a.salt_bytes));
}

static int check(const plat_signed *s, const public_key *k)
{
    switch (s->algorithm.scheme) {
    case PLAT_SCHEME_RSA:
    case PLAT_SCHEME_RSA_PSS: return check_rsa(s, k);
    case PLAT_SCHEME_ECDSA: return check_ecdsa(s, k);
    case PLAT_SCHEME_ED25519: return check_ed25519(s, k);
    case PLAT_SCHEME_ED448: return check_ed448(s, k);
    case PLAT_SCHEME_UNKNOWN: break;
    }
    return SIG_VERIFY_E;
}

plat_result plat_signature_verify(const plat_signed *s, plat_der key)
{
    public_key k;
    if (!read_key(key, &k) || !is_for(&k, s->algorithm)) {
        return PLAT_ERR_CERT_UNTRUSTED;
    }
    int rc = check(s, &k);
    return rc == 0 ? PLAT_OK : rc == MEMORY_E ? PLAT_ERR_MEMORY : PLAT_ERR_CERT_UNTRUSTED;
}
