#include "own_certificate.h"

#include <string.h>
#include <time.h>

#include "sample.h"

/* Name of the saved value: the size of the key in two bytes, the key, and the chain. One value,
 * because the key of one certificate is useless with the chain of another. */
#define SAVED "issued-certificate"

enum { SIZE_BYTES = 2, CHAIN_MAX = 16384, PARTS_OF_LIFE = 5 };

typedef struct saved_value {
    uint8_t bytes[SIZE_BYTES + PLAT_MADE_KEY_MAX + CHAIN_MAX];
    size_t len;
} saved_value;

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

static void erase(saved_value *v)
{
    volatile uint8_t *at = v->bytes;

    for (size_t i = 0; i < sizeof v->bytes; i++) {
        at[i] = 0;
    }
}

static bool make_saved(own_certificate *o, const saved_value *v)
{
    const uint8_t *key = v->bytes + SIZE_BYTES;
    const size_t key_len = v->len < SIZE_BYTES ? SIZE_MAX : v->bytes[0] * 256u + v->bytes[1];

    if (key_len > v->len - SIZE_BYTES) {
        return false;
    }
    const plat_identity_config config = {
        .chain = { .data = key + key_len, .len = v->len - SIZE_BYTES - key_len },
        .key = { .data = key, .len = key_len },
    };
    return make_identity(o, &config);
}

bool own_certificate_load(own_certificate *o)
{
    saved_value v;
    plat_kv *kv = o->cache;

    if (kv == NULL || kv->ops->get(kv, SAVED, v.bytes, sizeof v.bytes, &v.len) != PLAT_OK) {
        return false;
    }
    const bool made = make_saved(o, &v);
    erase(&v);
    if (!made || has_life_left(o)) {
        return made;
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
    saved_value v = { .len = SIZE_BYTES + o->key.len + a->certificates_len };
    plat_kv *kv = o->cache;

    if (kv == NULL || v.len > sizeof v.bytes) {
        return;
    }
    v.bytes[0] = (uint8_t)(o->key.len / 256);
    v.bytes[1] = (uint8_t)(o->key.len % 256);
    memcpy(v.bytes + SIZE_BYTES, o->key.der, o->key.len);
    memcpy(v.bytes + SIZE_BYTES + o->key.len, a->certificates, a->certificates_len);
    if (kv->ops->put(kv, SAVED, v.bytes, v.len) != PLAT_OK) {
        (void)sample_fail(kv->ops->detail(kv)); /* the certificate is used all the same */
    }
    erase(&v);
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
