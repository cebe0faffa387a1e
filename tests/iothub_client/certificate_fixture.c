#include "certificate_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fake_issuer *of_maker(const plat_csr_maker *m)
{
    return (fake_issuer *)(uintptr_t)m;
}

static fake_issuer *of_identities(const plat_identities *p)
{
    return (fake_issuer *)((uintptr_t)p - offsetof(fake_issuer, identities));
}

static plat_result make_key(const plat_csr_maker *self, plat_key_kind kind, plat_made_key *out,
                            plat_identity_fault *fault)
{
    fake_issuer *i = of_maker(self);

    i->keys++;
    *out = (plat_made_key){ .kind = kind };
    if (i->keys == i->fail_key) {
        *fault = (plat_identity_fault){ "no key can be made" };
        return PLAT_ERR_CRYPTO;
    }
    out->len = (size_t)snprintf((char *)out->der, sizeof out->der, "key %u", i->keys);
    return PLAT_OK;
}

static plat_result make_csr(const plat_csr_maker *self, const plat_csr_config *config, uint8_t *out,
                            size_t cap, size_t *len, plat_identity_fault *fault)
{
    fake_issuer *i = of_maker(self);

    *len = 0;
    if (i->fail_csr) {
        *fault = (plat_identity_fault){ "no request can be made" };
        return PLAT_ERR_CRYPTO;
    }
    i->requests++;
    const int n = config->key != NULL
                      ? snprintf((char *)out, cap, "%s: %.*s", config->common_name,
                                 (int)config->key->len, (const char *)config->key->der)
                      : snprintf((char *)out, cap, "%s: signer", config->common_name);
    *len = (size_t)n;
    return PLAT_OK;
}

static void erase_key(plat_made_key *key)
{
    memset(key, 0, sizeof *key);
}

static int64_t number_at(const uint8_t *at)
{
    int64_t n;

    memcpy(&n, at, sizeof n);
    return n;
}

static plat_result make(const plat_identities *self, const plat_identity_config *config,
                        plat_identity **out, plat_identity_fault *fault)
{
    fake_issuer *i = of_identities(self);
    const uint8_t *der = config->chain.data;
    char key[32];

    *out = NULL;
    *fault = (plat_identity_fault){ "the key does not belong to the certificate" };
    if (i->fail_identity || config->chain.len != FAKE_CERTIFICATE_SIZE) {
        return PLAT_ERR_IDENTITY;
    }
    const int key_len = snprintf(key, sizeof key, "key %lld", (long long)number_at(der + 2));
    if (config->signer == NULL && (config->key.len != (size_t)key_len ||
                                   memcmp(config->key.data, key, config->key.len) != 0)) {
        return PLAT_ERR_IDENTITY;
    }
    plat_identity *made = malloc(sizeof *made);
    assert_non_null(made);
    *made = (plat_identity){ .info = { .key = PLAT_KEY_EC_P256,
                                       .certificates = 1,
                                       .not_before_s = number_at(der + 10),
                                       .not_after_s = number_at(der + 18),
                                       .chain_until_s = number_at(der + 18),
                                       .common_name = "device1" } };
    i->alive++;
    *out = made;
    return PLAT_OK;
}

static fake_issuer *the_issuer; /* release has no other way to it */

static void release(plat_identity *identity)
{
    if (identity != NULL) {
        assert_true(the_issuer->alive > 0);
        the_issuer->alive--;
        free(identity);
    }
}

static void describe(const plat_identity *identity, plat_identity_info *out)
{
    *out = identity->info;
}

static plat_identity *hold(plat_identity *identity)
{
    return identity;
}

void fake_issuer_init(fake_issuer *i)
{
    *i = (fake_issuer){
        .maker = { .make_key = make_key, .make_csr = make_csr, .erase_key = erase_key },
        .identities = { .make = make, .describe = describe, .hold = hold, .release = release },
    };
    the_issuer = i;
}

void fake_issuer_put(uint8_t out[FAKE_CERTIFICATE_SIZE], unsigned key, int64_t from_s,
                     int64_t until_s)
{
    const int64_t number = key;

    out[0] = 0x30;
    out[1] = FAKE_CERTIFICATE_SIZE - 2;
    memcpy(out + 2, &number, sizeof number);
    memcpy(out + 10, &from_s, sizeof from_s);
    memcpy(out + 18, &until_s, sizeof until_s);
}

void fake_issuer_answer(char *out, size_t cap, const plat_crypto *crypto, unsigned key,
                        int64_t from_s, int64_t until_s)
{
    uint8_t der[FAKE_CERTIFICATE_SIZE];
    char text[64];
    size_t len;

    fake_issuer_put(der, key, from_s, until_s);
    assert_int_equal(crypto->base64_encode(crypto, der, sizeof der, text, sizeof text - 1, &len),
                     PLAT_OK);
    text[len] = '\0';
    snprintf(out, cap, "{\"certificates\":[\"%s\"],\"correlationId\":\"c\"}", text);
}
