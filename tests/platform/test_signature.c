#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_pki.h"
#include "wolfssl/x509/signature.h"

#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/signature.h>

static const byte message[] = "what an issuer says of its subject";

static WC_RNG rng;
static RsaKey rsa;
static byte rsa_public[600];
static plat_der rsa_info;

static int make_keys(void **state)
{
    (void)state;
    pki_make_keys();
    assert_int_equal(wc_InitRng(&rng), 0);
    assert_int_equal(wc_InitRsaKey(&rsa, NULL), 0);
    assert_int_equal(wc_RsaSetRNG(&rsa, &rng), 0);
    assert_int_equal(wc_MakeRsaKey(&rsa, 2048, WC_RSA_EXPONENT, &rng), 0);
    int len = wc_RsaKeyToPublicDer(&rsa, rsa_public, sizeof rsa_public);
    assert_true(len > 0);
    rsa_info = (plat_der){ rsa_public, (size_t)len };
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    wc_FreeRsaKey(&rsa);
    wc_FreeRng(&rng);
    pki_free_keys();
    return 0;
}

/* Expects the signature to be valid, and to be invalid with any bit changed, truncated, or for
 * another message. */
static void expect_only(const char *what, plat_signed s, plat_der key)
{
    byte changed[600];
    if (plat_signature_verify(&s, key) != PLAT_OK) {
        fail_msg("%s is refused", what);
    }
    const plat_der good = s.signature;
    s.signature.at = changed;
    memcpy(changed, good.at, good.len);
    for (size_t i = 0; i < good.len; i += 7) {
        changed[i] ^= (byte)(1u << i % 8);
        assert_int_equal(plat_signature_verify(&s, key), PLAT_ERR_CERT_UNTRUSTED);
        changed[i] = good.at[i];
    }
    for (size_t len = 0; len < good.len; len += 31) {
        s.signature.len = len;
        assert_int_equal(plat_signature_verify(&s, key), PLAT_ERR_CERT_UNTRUSTED);
    }
    s.signature = good;
    s.bytes.len--;
    assert_int_equal(plat_signature_verify(&s, key), PLAT_ERR_CERT_UNTRUSTED);
}

static enum wc_HashType hash_of(unsigned bits)
{
    return bits == 256   ? WC_HASH_TYPE_SHA256
           : bits == 384 ? WC_HASH_TYPE_SHA384
                         : WC_HASH_TYPE_SHA512;
}

static void pss_signatures_count_with_their_own_hash_and_salt_only(void **state)
{
    (void)state;
    static const uint16_t hashes[] = { 256, 384, 512 };
    static const uint16_t salts[] = { 0, 20, 32, 48, 64, 100 };
    for (size_t h = 0; h < 3; h++) {
        const int mask = h == 0 ? WC_MGF1SHA256 : h == 1 ? WC_MGF1SHA384 : WC_MGF1SHA512;
        const word32 hash_len = hashes[h] / 8u;
        byte hash[64];
        byte signature[256];
        assert_int_equal(wc_Hash(hash_of(hashes[h]), message, sizeof message, hash, hash_len), 0);
        for (size_t i = 0; i < sizeof salts / sizeof salts[0]; i++) {
            int len = wc_RsaPSS_Sign_ex(hash, hash_len, signature, sizeof signature,
                                        hash_of(hashes[h]), mask, salts[i], &rsa, &rng);
            if (len == PSS_SALTLEN_E) {
                continue; /* skipped if this wolfSSL does not support long salts */
            }
            assert_int_equal(len, sizeof signature);
            plat_signed s = { .algorithm = { PLAT_SCHEME_RSA_PSS, hashes[h], salts[i] },
                              .bytes = { message, sizeof message },
                              .signature = { signature, sizeof signature } };
            expect_only("PSS", s, rsa_info);
            s.algorithm.salt_bytes++;
            assert_int_equal(plat_signature_verify(&s, rsa_info), PLAT_ERR_CERT_UNTRUSTED);
            s.algorithm.salt_bytes--;
            s.algorithm.hash_bits = hashes[(h + 1) % 3];
            assert_int_equal(plat_signature_verify(&s, rsa_info), PLAT_ERR_CERT_UNTRUSTED);
            s.algorithm = (plat_algorithm){ PLAT_SCHEME_RSA, hashes[h], 0 };
            assert_int_equal(plat_signature_verify(&s, rsa_info), PLAT_ERR_CERT_UNTRUSTED);
        }
    }
}

static void other_signatures_count_with_their_own_key_and_hash_only(void **state)
{
    (void)state;
    static const uint16_t hashes[] = { 256, 384, 512 };
    byte signature[256];
    byte other[200];
    const plat_der other_info = { other, pki_public_der(PKI_LEAF, other, sizeof other) };
    for (size_t h = 0; h < 3; h++) {
        word32 len = sizeof signature;
        assert_int_equal(wc_SignatureGenerate(hash_of(hashes[h]), WC_SIGNATURE_TYPE_RSA_W_ENC,
                                              message, sizeof message, signature, &len, &rsa,
                                              sizeof rsa, &rng),
                         0);
        plat_signed s = { .algorithm = { PLAT_SCHEME_RSA, hashes[h], 0 },
                          .bytes = { message, sizeof message },
                          .signature = { signature, len } };
        expect_only("RSA", s, rsa_info);
        assert_int_equal(plat_signature_verify(&s, other_info), PLAT_ERR_CERT_UNTRUSTED);
        s.algorithm.hash_bits = hashes[(h + 1) % 3];
        assert_int_equal(plat_signature_verify(&s, rsa_info), PLAT_ERR_CERT_UNTRUSTED);
        s.algorithm.scheme = PLAT_SCHEME_ECDSA;
        assert_int_equal(plat_signature_verify(&s, rsa_info), PLAT_ERR_CERT_UNTRUSTED);
    }
}

#ifdef HAVE_ED25519
static void an_ed25519_signature_counts(void **state)
{
    (void)state;
    ed25519_key key;
    byte info[12 + ED25519_PUB_KEY_SIZE] = { 0x30, 42,   0x30, 5,    0x06, 3,
                                             0x2b, 0x65, 0x70, 0x03, 33,   0 };
    byte signature[ED25519_SIG_SIZE];
    word32 len = ED25519_PUB_KEY_SIZE;
    assert_int_equal(wc_ed25519_init(&key), 0);
    assert_int_equal(wc_ed25519_make_key(&rng, ED25519_KEY_SIZE, &key), 0);
    assert_int_equal(wc_ed25519_export_public(&key, info + 12, &len), 0);
    len = sizeof signature;
    assert_int_equal(wc_ed25519_sign_msg(message, sizeof message, signature, &len, &key), 0);
    wc_ed25519_free(&key);
    const plat_signed s = { .algorithm = { PLAT_SCHEME_ED25519, 0, 0 },
                            .bytes = { message, sizeof message },
                            .signature = { signature, sizeof signature } };
    assert_null(plat_key_flaw((plat_der){ info, sizeof info }));
    expect_only("Ed25519", s, (plat_der){ info, sizeof info });
}
#else
static void an_ed25519_signature_counts(void **state)
{
    (void)state;
    skip();
}
#endif

/* --- AlgorithmIdentifier --- */

#define OID_PSS     "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define OID_MGF1    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define OID_SHA(n)  "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n
#define SHA256      "\x30\x0d" OID_SHA("\x01") "\x05\x00"
#define SHA256_BARE "\x30\x0b" OID_SHA("\x01")
#define SHA512      "\x30\x0d" OID_SHA("\x03") "\x05\x00"
#define HASH(h)     "\xa0\x0f" h
#define MASK(h)     "\xa1\x1c\x30\x1a" OID_MGF1 h
#define SALT(n)     "\xa2\x03\x02\x01" n

static void parameters_of_pss_are_read_strictly(void **state)
{
    (void)state;
#define CASE(text, hash, salt)                                    \
    {                                                             \
        { (const uint8_t *)(text), sizeof(text) - 1 }, hash, salt \
    }
    static const struct {
        plat_der identifier;
        unsigned hash, salt; /* 0: a signature with them is refused */
    } cases[] = {
        CASE(OID_PSS "\x30\x34" HASH(SHA256) MASK(SHA256) SALT("\x20"), 256, 32),
        CASE(OID_PSS "\x30\x34" HASH(SHA512) MASK(SHA512) SALT("\x40"), 512, 64),
        CASE(OID_PSS "\x30\x2f" HASH(SHA256) MASK(SHA256), 256, 20),
        CASE(OID_PSS "\x30\x2d\xa0\x0d" SHA256_BARE MASK(SHA256), 256, 20),
        CASE(OID_PSS "\x30\x34" HASH(SHA256) MASK(SHA512) SALT("\x20"), 0, 0),
        CASE(OID_PSS "\x30\x34" HASH(SHA256) MASK(SHA256) SALT("\x80"), 0, 0),
        CASE(OID_PSS "\x30\x39" HASH(SHA256) MASK(SHA256) SALT("\x20") "\xa3\x03\x02\x01\x01", 0,
             0),
        CASE(OID_PSS "\x30\x11" HASH(SHA256), 0, 0),
        CASE(OID_PSS "\x30\x00", 0, 0), /* SHA-1 */
        CASE(OID_PSS, 0, 0),
        CASE(OID_PSS "\x05\x00", 0, 0),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_algorithm a = plat_algorithm_read(cases[i].identifier);
        assert_int_equal(a.scheme, cases[i].hash != 0 ? PLAT_SCHEME_RSA_PSS : PLAT_SCHEME_UNKNOWN);
        assert_int_equal(a.hash_bits, cases[i].hash);
        assert_int_equal(a.salt_bytes, cases[i].salt);
    }
}

/* --- keys --- */

/* Returns an RSA key whose modulus has the given number of bits; all lengths are encoded with 16
 * bits. */
static plat_der rsa_key(byte *room, size_t bits, const char *exponent, size_t exponent_len)
{
    static const byte algorithm[] = { 0x30, 13,   0x06, 9, 0x2a, 0x86, 0x48, 0x86,
                                      0xf7, 0x0d, 1,    1, 1,    5,    0 };
    const size_t n = bits / 8 + 1;
    const size_t pair = 4 + n + 2 + exponent_len;
    const size_t string = 1 + 4 + pair;
    const size_t all = sizeof algorithm + 4 + string;
    const byte heads[] = { 0x30, 0x82, (byte)(all >> 8),    (byte)all,       /* */
                           0x03, 0x82, (byte)(string >> 8), (byte)string, 0, /* */
                           0x30, 0x82, (byte)(pair >> 8),   (byte)pair,      /* */
                           0x02, 0x82, (byte)(n >> 8),      (byte)n };
    byte *at = room;
    memcpy(at, heads, 4);
    memcpy(at + 4, algorithm, sizeof algorithm);
    at += 4 + sizeof algorithm;
    memcpy(at, heads + 4, sizeof heads - 4);
    at += sizeof heads - 4;
    memset(at, 0xff, n);
    at[0] = 0;
    at[1] = (byte)(bits % 8 == 0 ? 0x80 : 0xff);
    at += n;
    *at++ = 0x02;
    *at++ = (byte)exponent_len;
    memcpy(at, exponent, exponent_len);
    return (plat_der){ room, (size_t)(at + exponent_len - room) };
}

static void rsa_keys_have_2048_bits_at_least_and_an_exponent_that_is_used(void **state)
{
    (void)state;
    static const struct {
        size_t bits;
        const char *exponent;
        size_t len;
        const char *flaw; /* part of the expected text; NULL: no flaw is expected */
    } cases[] = {
        { 2048, "\x01\x00\x01", 3, NULL },
        { 3072, "\x03", 1, NULL },
        { 4096, "\x01\x00\x01", 3, NULL },
        { 2048, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8, NULL },
        { 2040, "\x01\x00\x01", 3, "too weak" },
        { 8192, "\x01\x00\x01", 3, "longer than this wolfSSL" },
        { 2048, "\x01\x00\x00", 3, "exponent" },
        { 2048, "\x01", 1, "exponent" },
        { 2048, "\x01\xff\xff\xff\xff\xff\xff\xff\xff", 9, "exponent" },
        { 2048, "\x80", 1, "malformed" },
        { 2048, "\x00\x03", 2, "malformed" },
    };
    byte room[1200];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *flaw =
            plat_key_flaw(rsa_key(room, cases[i].bits, cases[i].exponent, cases[i].len));
        if ((flaw == NULL) != (cases[i].flaw == NULL) ||
            (flaw != NULL && strstr(flaw, cases[i].flaw) == NULL)) {
            fail_msg("case %zu: %s", i, flaw != NULL ? flaw : "no flaw");
        }
    }
}

static void keys_that_are_cut_short_or_longer_are_malformed(void **state)
{
    (void)state;
    byte room[700];
    memcpy(room, rsa_public, rsa_info.len);
    for (size_t len = 0; len <= rsa_info.len + 1; len++) {
        bool whole = len == rsa_info.len;
        assert_int_equal(plat_key_flaw((plat_der){ room, len }) == NULL, whole);
    }
}

static void each_key_of_a_client_is_recognised(void **state)
{
    (void)state;
    static const struct {
        pki_key key;
        int kind; /* a plat_key_kind; 0: none */
    } cases[] = {
        { PKI_LEAF, PLAT_KEY_EC_P256 },
        { PKI_P384, PLAT_KEY_EC_P384 },
        { PKI_RSA, PLAT_KEY_RSA },
        { PKI_P224, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        byte info[1024];
        if (pki_has_key(cases[i].key)) {
            size_t len = pki_public_der(cases[i].key, info, sizeof info);
            assert_int_equal(plat_key_kind_of((plat_der){ info, len }), cases[i].kind);
            for (size_t cut = 0; cut < len; cut++) {
                assert_int_equal(plat_key_kind_of((plat_der){ info, cut }), 0);
            }
        }
    }
}

static void the_digest_of_a_digest_info_is_found(void **state)
{
    (void)state;
    static const struct {
        int oid;
        size_t len;
        bool known;
    } cases[] = { { SHA256h, 32, true },
                  { SHA384h, 48, true },
                  { SHA512h, 64, true },
                  { SHAh, 20, false },
                  { SHA256h, 20, false } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        byte digest[64];
        byte info[128];
        plat_der found;
        memset(digest, 0x5a, sizeof digest);
        size_t len = wc_EncodeSignature(info, digest, (word32)cases[i].len, cases[i].oid);
        assert_int_equal(plat_digest_info_read((plat_der){ info, len }, &found), cases[i].known);
        if (cases[i].known) {
            assert_int_equal(found.len, cases[i].len);
            assert_memory_equal(found.at, digest, found.len);
        }
        for (size_t cut = 0; cut < len; cut++) {
            assert_false(plat_digest_info_read((plat_der){ info, cut }, &found));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pss_signatures_count_with_their_own_hash_and_salt_only),
        cmocka_unit_test(other_signatures_count_with_their_own_key_and_hash_only),
        cmocka_unit_test(an_ed25519_signature_counts),
        cmocka_unit_test(parameters_of_pss_are_read_strictly),
        cmocka_unit_test(rsa_keys_have_2048_bits_at_least_and_an_exponent_that_is_used),
        cmocka_unit_test(keys_that_are_cut_short_or_longer_are_malformed),
        cmocka_unit_test(each_key_of_a_client_is_recognised),
        cmocka_unit_test(the_digest_of_a_digest_info_is_found),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
