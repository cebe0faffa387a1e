#include "certificate/issued_pair.h"

#include <string.h>

#include "text/wipe.h"

static uint8_t *chain_of(issued_pair *p)
{
    return p->bytes + ISSUED_PAIR_HEAD + p->key_len;
}

static size_t room_of(const issued_pair *p)
{
    return sizeof p->bytes - ISSUED_PAIR_HEAD - p->key_len;
}

void issued_pair_begin(issued_pair *p, const plat_made_key *key)
{
    issued_pair_erase(p);
    if (key != NULL) {
        p->key_len = key->len;
        memcpy(p->bytes + ISSUED_PAIR_HEAD, key->der, key->len);
    }
    p->bytes[0] = (uint8_t)(p->key_len >> 8);
    p->bytes[1] = (uint8_t)(p->key_len & 0xFF);
}

iothub_result issued_pair_read_chain(issued_pair *p, mqc_span array, const plat_crypto *crypto,
                                     iothub_error *why)
{
    return issued_chain_read(array, crypto, chain_of(p), room_of(p), &p->chain_len, why);
}

bool issued_pair_take_chain(issued_pair *p, mqc_span der)
{
    if (der.len > room_of(p)) {
        return false;
    }
    memcpy(chain_of(p), der.ptr, der.len);
    p->chain_len = der.len;
    return true;
}

plat_result issued_pair_load(issued_pair *p, plat_kv *kv, const char *name)
{
    size_t len = 0;

    issued_pair_erase(p);
    plat_result r = kv->ops->get(kv, name, p->bytes, sizeof p->bytes, &len);
    if (r != PLAT_OK) {
        issued_pair_erase(p);
        return r == PLAT_ERR_NO_SPACE ? PLAT_EOF : r;
    }
    const size_t key_len = (size_t)p->bytes[0] << 8 | p->bytes[1];
    if (len < ISSUED_PAIR_HEAD || key_len > PLAT_MADE_KEY_MAX ||
        key_len >= len - ISSUED_PAIR_HEAD) {
        issued_pair_erase(p);
        return PLAT_EOF;
    }
    p->key_len = key_len;
    p->chain_len = len - ISSUED_PAIR_HEAD - key_len;
    return PLAT_OK;
}

plat_result issued_pair_save(const issued_pair *p, plat_kv *kv, const char *name)
{
    return kv->ops->put(kv, name, p->bytes, ISSUED_PAIR_HEAD + p->key_len + p->chain_len);
}

plat_result issued_pair_identity(const issued_pair *p, const plat_identities *identities,
                                 const plat_signer *signer, plat_identity **out,
                                 plat_identity_fault *fault)
{
    const uint8_t *key = p->bytes + ISSUED_PAIR_HEAD;
    plat_identity_config config = { .chain = { .data = key + p->key_len, .len = p->chain_len } };

    if (p->key_len > 0) {
        config.key = (plat_identity_source){ .data = key, .len = p->key_len };
    } else {
        config.signer = signer;
    }
    return identities->make(identities, &config, out, fault);
}

void issued_pair_erase(issued_pair *p)
{
    iothub_wipe(p, sizeof *p);
}
