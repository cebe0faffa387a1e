#include "certificate/key_request.h"

#include <string.h>

#include "iothub/connection_string.h"
#include "text/text_writer.h"

static plat_result sign(const plat_signer *self, const plat_sign_request *request, uint8_t *out,
                        size_t cap, size_t *len, plat_identity_fault *fault)
{
    const plat_signer *owner = ((const lent_signer *)(const void *)self)->owner;

    return owner->sign(owner, request, out, cap, len, fault);
}

void key_request_init(key_request *k, const iothub_certificate_options *options)
{
    memset(k, 0, sizeof *k);
    k->options = options;
    k->signer = (lent_signer){ .base = { .sign = sign }, .owner = options->signer };
}

static plat_result make_key(key_request *k, plat_identity_fault *fault)
{
    const plat_csr_maker *maker = k->options->maker;

    return k->signer.owner != NULL ? PLAT_OK
                                   : maker->make_key(maker, k->options->key_kind, &k->key, fault);
}

static plat_result encode(key_request *k, const uint8_t *der, size_t der_len,
                          plat_identity_fault *fault)
{
    const plat_crypto *crypto = k->options->platform->crypto;
    size_t len = 0;

    plat_result r = crypto->base64_encode(crypto, der, der_len, k->csr, PLAT_CSR_BASE64_MAX, &len);
    if (r != PLAT_OK) {
        *fault = (plat_identity_fault){ "the certificate request cannot be encoded" };
        len = 0;
    }
    k->csr[len] = '\0';
    return r;
}

static plat_result make_csr(key_request *k, const char *common_name, plat_identity_fault *fault)
{
    const iothub_certificate_options *o = k->options;
    plat_csr_config config = { .common_name = common_name };
    uint8_t der[PLAT_CSR_MAX];
    size_t len;

    if (k->signer.owner != NULL) {
        config.signer = &k->signer.base;
        config.public_key = o->public_key;
        config.public_key_len = o->public_key_len;
    } else {
        config.key = &k->key;
    }
    plat_result r = o->maker->make_csr(o->maker, &config, der, sizeof der, &len, fault);
    return r == PLAT_OK ? encode(k, der, len, fault) : r;
}

bool key_request_make(key_request *k, mqc_span common_name, plat_identity_fault *fault)
{
    char name[IOTHUB_ID_MAX + 1];
    iothub_text t;

    key_request_erase(k);
    iothub_text_init(&t, name, sizeof name);
    iothub_text_put_span(&t, common_name);
    if (iothub_text_finish(&t) != IOTHUB_OK) {
        *fault = (plat_identity_fault){ "the name of the device is too long" };
        return false;
    }
    if (make_key(k, fault) == PLAT_OK && make_csr(k, name, fault) == PLAT_OK) {
        return true;
    }
    key_request_erase(k);
    return false;
}

void key_request_erase(key_request *k)
{
    k->options->maker->erase_key(&k->key);
    k->csr[0] = '\0';
}
