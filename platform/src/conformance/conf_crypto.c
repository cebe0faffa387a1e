#include <string.h>

#include "conformance/conf_groups.h"

#define HMAC   "plat_crypto.hmac_sha256"
#define RANDOM "plat_crypto.random"
#define SHA1   "plat_crypto.sha1"

enum {
    RANDOM_BYTES = 512,
    BITS_LEAST =
        1792, /* of 4,096 random bits; fewer or more ones have a probability below 10^-14 */
    BITS_MOST = 2304
};

/* RFC 4231, and a key and a message without bytes. A text of len bytes repeats its only character.
 */
static const struct hmac_case {
    const char *key;
    size_t key_len;
    const char *data;
    size_t len;
    uint8_t mac[PLAT_SHA256_SIZE];
} hmac_cases[] = {
    { "\x0b", 20, "Hi There", 8, { 0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf,
                                   0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83,
                                   0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7 } },
    { "\xaa",
      131,
      "Test Using Larger Than Block-Size Key - Hash Key First",
      54,
      { 0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f, 0x0d, 0x8a, 0x26,
        0xaa, 0xcb, 0xf5, 0xb7, 0x7f, 0x8e, 0x0b, 0xc6, 0x21, 0x37, 0x28,
        0xc5, 0x14, 0x05, 0x46, 0x04, 0x0f, 0x0e, 0xe3, 0x7f, 0x54 } },
    { "", 0, "", 0, { 0xb6, 0x13, 0x67, 0x9a, 0x08, 0x14, 0xd9, 0xec, 0x77, 0x2f, 0x95,
                      0xd7, 0x78, 0xc3, 0x5f, 0xc5, 0xff, 0x16, 0x97, 0xc4, 0x93, 0x71,
                      0x56, 0x53, 0xc6, 0xc7, 0x12, 0x14, 0x42, 0x92, 0xc5, 0xad } },
};

static const uint8_t sha1_abc[PLAT_SHA1_SIZE] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81,
                                                  0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
                                                  0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d };

static bool hmac_right(const struct conf_run *run, const struct hmac_case *h)
{
    const plat_crypto *crypto = run->c->platform->crypto;
    uint8_t mac[PLAT_SHA256_SIZE + 1];

    memset(run->out, h->key[0], h->key_len);
    mac[PLAT_SHA256_SIZE] = CONF_CANARY;
    return crypto->hmac_sha256(crypto, run->out, h->key_len, h->data, h->len, mac) == PLAT_OK &&
           memcmp(mac, h->mac, PLAT_SHA256_SIZE) == 0 && mac[PLAT_SHA256_SIZE] == CONF_CANARY;
}

static void check_hmac(struct conf_run *run)
{
    conf_run_rule(run, hmac_right(run, &hmac_cases[0]), HMAC,
                  "it computes the first answer of RFC 4231");
    conf_run_rule(run, hmac_right(run, &hmac_cases[1]), HMAC,
                  "it hashes a key that is longer than a block, as in RFC 4231");
    conf_run_rule(run, hmac_right(run, &hmac_cases[2]), HMAC, "key and message may be empty");
}

static unsigned ones(const uint8_t *bytes, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < 8 * len; i++) {
        n += (unsigned)bytes[i / 8] >> i % 8 & 1u;
    }
    return n;
}

static void check_random(struct conf_run *run)
{
    const plat_crypto *crypto = run->c->platform->crypto;
    uint8_t *a = run->in;
    uint8_t *b = run->out;

    memset(a, CONF_CANARY, RANDOM_BYTES + 1);
    memset(b, 0, RANDOM_BYTES);
    if (!conf_run_rule(run,
                       crypto->random(crypto, a, RANDOM_BYTES) == PLAT_OK &&
                           crypto->random(crypto, b, RANDOM_BYTES) == PLAT_OK,
                       RANDOM, "it makes bytes")) {
        return;
    }
    conf_run_rule(run, a[RANDOM_BYTES] == CONF_CANARY, RANDOM, "it writes len bytes and no more");
    conf_run_rule(run, memcmp(a, b, RANDOM_BYTES) != 0, RANDOM, "each call makes other bytes");
    bool repeats = false;
    for (size_t i = 16; i + 16 <= RANDOM_BYTES; i += 16) {
        repeats = repeats || memcmp(a, a + i, 16) == 0;
    }
    const unsigned bits = ones(a, RANDOM_BYTES);
    conf_run_rule(run, !repeats && bits >= BITS_LEAST && bits <= BITS_MOST, RANDOM,
                  "its bytes are random: they do not repeat, and half of the bits are ones");
}

void conf_crypto(struct conf_run *run)
{
    const plat_crypto *crypto = run->c->platform->crypto;
    uint8_t hash[PLAT_SHA1_SIZE];

    check_hmac(run);
    check_random(run);
    if (crypto->sha1 != NULL) {
        conf_run_rule(run,
                      crypto->sha1(crypto, "abc", 3, hash) == PLAT_OK &&
                          memcmp(hash, sha1_abc, sizeof hash) == 0,
                      SHA1, "it computes the first answer of RFC 3174");
    }
}
