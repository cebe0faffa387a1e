#include "chain_keys.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/random.h>

static struct {
    bool made;
    WC_RNG rng;
    ecc_key ec[PLAN_KEYS];
    ed25519_key ed;
} keys;

static int curve_of(uint8_t key)
{
    switch (key) {
    case PLAN_KEY_P384: return ECC_SECP384R1;
    case PLAN_KEY_P224: return ECC_SECP224R1;
    default: return ECC_SECP256R1;
    }
}

/* Each private key is a hash of its number: the same in each run, and worthless to anybody else. */
static void derive(uint8_t key, byte secret[WC_SHA256_DIGEST_SIZE])
{
    const byte text[] = { 'c', 'h', 'a', 'i', 'n', key };
    FUZZ_CHECK(wc_Hash(WC_HASH_TYPE_SHA256, text, sizeof text, secret, WC_SHA256_DIGEST_SIZE) == 0);
    secret[0] &= 0x7F; /* makes the key smaller than the order of P-256 */
}

static void make_ec(uint8_t key)
{
    byte secret[WC_SHA256_DIGEST_SIZE];
    ecc_key *k = &keys.ec[key];
    word32 len = key == PLAN_KEY_P224 ? 27 : sizeof secret;
    derive(key, secret);
    FUZZ_CHECK(wc_ecc_init(k) == 0);
    FUZZ_CHECK(wc_ecc_import_private_key_ex(secret, len, NULL, 0, k, curve_of(key)) == 0);
    FUZZ_CHECK(wc_ecc_make_pub_ex(k, NULL, &keys.rng) == 0);
    FUZZ_CHECK(wc_ecc_set_rng(k, &keys.rng) == 0);
}

static void make_ed(void)
{
    byte secret[ED25519_KEY_SIZE];
    byte public[ED25519_PUB_KEY_SIZE];
    derive(PLAN_KEY_ED25519, secret);
    FUZZ_CHECK(wc_ed25519_init(&keys.ed) == 0);
    FUZZ_CHECK(wc_ed25519_import_private_only(secret, sizeof secret, &keys.ed) == 0);
    FUZZ_CHECK(wc_ed25519_make_public(&keys.ed, public, sizeof public) == 0);
    FUZZ_CHECK(
        wc_ed25519_import_private_key(secret, sizeof secret, public, sizeof public, &keys.ed) == 0);
}

static void free_keys(void)
{
    for (uint8_t k = 0; k < PLAN_KEYS; k++) {
        if (k != PLAN_KEY_ED25519) {
            wc_ecc_free(&keys.ec[k]);
        }
    }
    wc_ed25519_free(&keys.ed);
    wc_FreeRng(&keys.rng);
}

static void make_keys(void)
{
    if (keys.made) {
        return;
    }
    FUZZ_CHECK(wc_InitRng(&keys.rng) == 0);
    for (uint8_t k = 0; k < PLAN_KEYS; k++) {
        if (k != PLAN_KEY_ED25519) {
            make_ec(k);
        }
    }
    make_ed();
    keys.made = true;
    (void)atexit(free_keys);
}

static void put_curve(chain_der *d, uint8_t key)
{
    switch (key) {
    case PLAN_KEY_P384: DER_PUT_OID(d, "\x2B\x81\x04\x00\x22"); break;
    case PLAN_KEY_P224: DER_PUT_OID(d, "\x2B\x81\x04\x00\x21"); break;
    default: DER_PUT_OID(d, "\x2A\x86\x48\xCE\x3D\x03\x01\x07"); break;
    }
}

static size_t export_public(uint8_t key, byte *out, word32 cap)
{
    word32 len = cap;
    int rc = key == PLAN_KEY_ED25519 ? wc_ed25519_export_public(&keys.ed, out, &len)
                                     : wc_ecc_export_x963(&keys.ec[key], out, &len);
    FUZZ_CHECK(rc == 0);
    return len;
}

void keys_put_public(chain_der *d, uint8_t key)
{
    byte point[128];
    make_keys();
    size_t info = der_open(d, 0x30);
    size_t algorithm = der_open(d, 0x30);
    if (key == PLAN_KEY_ED25519) {
        DER_PUT_OID(d, "\x2B\x65\x70");
    } else {
        DER_PUT_OID(d, "\x2A\x86\x48\xCE\x3D\x02\x01");
        put_curve(d, key);
    }
    der_close(d, algorithm);
    size_t bits = der_open_bits(d);
    der_append(d, point, export_public(key, point, sizeof point));
    der_close(d, bits);
    der_close(d, info);
}

void keys_put_algorithm(chain_der *d, uint8_t key, plan_hash hash)
{
    size_t algorithm = der_open(d, 0x30);
    if (key == PLAN_KEY_ED25519) {
        DER_PUT_OID(d, "\x2B\x65\x70");
    } else if (hash == HASH_SHA256) {
        DER_PUT_OID(d, "\x2A\x86\x48\xCE\x3D\x04\x03\x02");
    } else if (hash == HASH_SHA384) {
        DER_PUT_OID(d, "\x2A\x86\x48\xCE\x3D\x04\x03\x03");
    } else {
        DER_PUT_OID(d, "\x2A\x86\x48\xCE\x3D\x04\x01");
    }
    der_close(d, algorithm);
}

static size_t sign_ec(uint8_t key, plan_hash hash, const uint8_t *bytes, size_t len, byte *out,
                      word32 cap)
{
    static const enum wc_HashType types[] = { WC_HASH_TYPE_SHA256, WC_HASH_TYPE_SHA384,
                                              WC_HASH_TYPE_SHA };
    byte digest[WC_MAX_DIGEST_SIZE];
    word32 digest_len = (word32)wc_HashGetDigestSize(types[hash]);
    FUZZ_CHECK(wc_Hash(types[hash], bytes, (word32)len, digest, digest_len) == 0);
    FUZZ_CHECK(wc_ecc_sign_hash(digest, digest_len, out, &cap, &keys.rng, &keys.ec[key]) == 0);
    return cap;
}

void keys_put_signature(chain_der *d, uint8_t key, plan_hash hash, const uint8_t *bytes, size_t len)
{
    byte signature[256];
    word32 n = sizeof signature;
    make_keys();
    if (key == PLAN_KEY_ED25519) {
        FUZZ_CHECK(wc_ed25519_sign_msg(bytes, (word32)len, signature, &n, &keys.ed) == 0);
    } else {
        n = (word32)sign_ec(key, hash, bytes, len, signature, n);
    }
    der_append(d, signature, n);
}
