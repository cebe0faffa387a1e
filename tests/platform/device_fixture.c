#include "device_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/identity/identity.h"

const device_kind device_kinds[DEVICE_KINDS] = {
    { PKI_LEAF, PLAT_KEY_EC_P256, "EC P-256" },
    { PKI_P384, PLAT_KEY_EC_P384, "EC P-384" },
    { PKI_RSA, PLAT_KEY_RSA, "RSA" },
};

pki_cert device_root, device_ca, device_certs[DEVICE_KINDS];

pki_spec device_spec(size_t kind)
{
    return (pki_spec){
        .name = "device-1",
        .key = device_kinds[kind].key,
        .issuer = &device_ca,
        .issuer_key = PKI_INTERMEDIATE,
        .key_usage = "digitalSignature",
        .extended_key_usage = "clientAuth",
        .from_days = -1,
        .to_days = 30,
    };
}

void make_devices(void)
{
    pki_spec spec = { .name = "Device Root",
                      .key = PKI_ROOT,
                      .ca = true,
                      .path_len = -1,
                      .key_usage = "keyCertSign,cRLSign",
                      .from_days = -1,
                      .to_days = 60 };
    pki_make(&device_root, &spec);
    spec.name = "Device CA";
    spec.key = PKI_INTERMEDIATE;
    spec.issuer = &device_root;
    spec.issuer_key = PKI_ROOT;
    spec.to_days = 20; /* ends before the devices' certificates */
    pki_make(&device_ca, &spec);
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        spec = device_spec(i);
        pki_make(&device_certs[i], &spec);
    }
}

size_t device_pem(char *out, size_t cap, const pki_cert *const *certs, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        int n = wc_DerToPem(certs[i]->der, (word32)certs[i]->len, (byte *)out + len,
                            (word32)(cap - len), CERT_TYPE);
        assert_true(n > 0);
        len += (size_t)n;
    }
    return len;
}

size_t device_der(uint8_t *out, size_t cap, const pki_cert *const *certs, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(certs[i]->len <= cap - len);
        memcpy(out + len, certs[i]->der, certs[i]->len);
        len += certs[i]->len;
    }
    return len;
}

plat_identity *device_identity(const pki_cert *const *certs, size_t count, pki_key key)
{
    static char chain[32768];
    uint8_t der[2048];
    plat_identity *identity = NULL;
    plat_identity_fault fault;
    const plat_identity_config config = {
        .chain = { chain, device_pem(chain, sizeof chain, certs, count), NULL },
        .key = { der, pki_key_der(key, der, sizeof der), NULL },
    };
    plat_result r =
        plat_wolfssl_identities.make(&plat_wolfssl_identities, &config, &identity, &fault);
    if (r != PLAT_OK) {
        fail_msg("%s: %s", plat_result_str(r), fault.text);
    }
    return identity;
}

plat_identity *device_identity_of(size_t kind)
{
    const pki_cert *const certs[] = { &device_certs[kind], &device_ca };
    return device_identity(certs, 2, device_kinds[kind].key);
}

/* --- a signer --- */

static plat_result sign(const plat_signer *self, const plat_sign_request *request, uint8_t *out,
                        size_t cap, size_t *len, plat_identity_fault *fault)
{
    test_signer *s = (test_signer *)(uintptr_t)self; /* the tests own it, and it is not const */
    uint8_t der[2048];
    plat_private_key key;
    s->signatures++;
    s->last = *request;
    if (s->result != PLAT_OK) {
        if (s->why != NULL) {
            snprintf(fault->text, sizeof fault->text, "%s", s->why);
        }
        return s->result;
    }
    const plat_key_input input = { der, pki_key_der(s->key, der, sizeof der), NULL, NULL };
    assert_int_equal(plat_private_key_read(&key, &input, fault), PLAT_OK);
    plat_result r = plat_private_key_sign(&key, request, out, cap, len, fault);
    plat_private_key_free(&key);
    return r;
}

static void release(const plat_signer *self)
{
    ((test_signer *)(uintptr_t)self)->releases++;
}

void test_signer_init(test_signer *s, pki_key key)
{
    *s = (test_signer){ .base = { .sign = sign, .release = release }, .key = key };
}
