#include "own_certificate.h"

#include <time.h>

#include "sample.h"

#define KEY   "issued-key"
#define CHAIN "issued-chain"

enum { CHAIN_MAX = 16384, PARTS_OF_LIFE = 5 };

static bool make_identity(own_certificate *o, const plat_identity_config *config)
{
    const plat_identities *identities = o->platform->identities;
    plat_identity_fault fault;

    if (identities->make(identities, config, &o->identity, &fault) != PLAT_OK) {
        (void)sample_fail(fault.text);
        return false;
    }
    o->credential = iothub_x509_credential(o->identity);
    return true;
}

static void release(own_certificate *o)
{
    o->platform->identities->release(o->identity);
    o->identity = NULL;
}

static bool has_life_left(const own_certificate *o)
{
    plat_identity_info info;

    o->platform->identities->describe(o->identity, &info);
    return info.not_after_s - time(NULL) > (info.not_after_s - info.not_before_s) / PARTS_OF_LIFE;
}

/* Key and chain do not belong together if the device lost its power between the two writes of
 * save. Then no identity can be made of them, and a new certificate is requested. */
bool own_certificate_load(own_certificate *o)
{
    uint8_t key[PLAT_MADE_KEY_MAX];
    uint8_t chain[CHAIN_MAX];
    plat_identity_config config = { .chain = { .data = chain }, .key = { .data = key } };
    plat_kv *kv = o->cache;

    if (kv == NULL || kv->ops->get(kv, KEY, key, sizeof key, &config.key.len) != PLAT_OK ||
        kv->ops->get(kv, CHAIN, chain, sizeof chain, &config.chain.len) != PLAT_OK ||
        !make_identity(o, &config)) {
        return false;
    }
    if (has_life_left(o)) {
        return true;
    }
    release(o);
    return false;
}

bool own_certificate_request(own_certificate *o, const char *name)
{
    const plat_csr_maker *maker = plat_wolfssl_csr_maker();
    const plat_csr_config config = { .common_name = name, .key = &o->key };
    const plat_crypto *crypto = o->platform->crypto;
    plat_identity_fault fault;
    uint8_t der[PLAT_CSR_MAX];
    size_t len;

    if (maker->make_key(maker, PLAT_KEY_EC_P256, &o->key, &fault) != PLAT_OK ||
        maker->make_csr(maker, &config, der, sizeof der, &len, &fault) != PLAT_OK) {
        (void)sample_fail(fault.text);
        return false;
    }
    if (crypto->base64_encode(crypto, der, len, o->request, PLAT_CSR_BASE64_MAX, &len) != PLAT_OK) {
        (void)sample_fail("the certificate request cannot be encoded");
        return false;
    }
    o->request[len] = '\0';
    return true;
}

static void save(const own_certificate *o, const iothub_assignment *a)
{
    plat_kv *kv = o->cache;

    if (kv == NULL) {
        return;
    }
    if (kv->ops->put(kv, KEY, o->key.der, o->key.len) != PLAT_OK ||
        kv->ops->put(kv, CHAIN, a->certificates, a->certificates_len) != PLAT_OK) {
        (void)sample_fail(kv->ops->detail(kv)); /* the certificate is used all the same */
    }
}

bool own_certificate_accept(own_certificate *o, const iothub_assignment *a)
{
    const plat_identity_config config = {
        .chain = { .data = a->certificates, .len = a->certificates_len },
        .key = { .data = o->key.der, .len = o->key.len },
    };

    if (!make_identity(o, &config)) {
        return false;
    }
    save(o, a);
    return true;
}

void own_certificate_end(own_certificate *o)
{
    release(o);
    plat_wolfssl_csr_maker()->erase_key(&o->key);
}
