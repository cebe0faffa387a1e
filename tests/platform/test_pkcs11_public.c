#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <p11-kit/pkcs11.h>

#include "csr_issuer.h"
#include "device_fixture.h"
#include "platform/csr.h"
#include "platform/pkcs11.h"
#include "soft_token.h"
#include "tls_fixture.h"
#include "wolfssl/identity/identity.h"

static odd_pkcs11 *odd;
static const char *const ids[DEVICE_KINDS] = { "01", "02", "03" };
static const char *const labels[DEVICE_KINDS] = { "p256", "p384", "rsa" };
static const char *const objects[DEVICE_KINDS] = { "object=p256", "object=p384", "object=rsa" };

static int make_all(void **state)
{
    make_everything(state);
    make_devices();
    soft_token_make();
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        byte der[2048];
        soft_token_import(der, pki_key_der(device_kinds[i].key, der, sizeof der), labels[i],
                          ids[i]);
        soft_token_store_certificate(device_certs[i].der, device_certs[i].len, labels[i]);
    }
    odd = soft_token_odd();
    return 0;
}

static int remove_all(void **state)
{
    soft_token_remove();
    return remove_everything(state);
}

static int be_usual(void **state)
{
    (void)state;
    *odd = (odd_pkcs11){ .failing = ODD_NONE };
    return 0;
}

static int expect_closed(void **state)
{
    (void)state;
    assert_int_equal(odd->sessions, 0);
    assert_int_equal(odd->logins, 0);
    return 0;
}

#define WITH_TOKEN(test) cmocka_unit_test_setup_teardown(test, be_usual, expect_closed)

static void public_keys_are_those_of_the_private_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        uint8_t wanted[PLAT_PUBLIC_KEY_MAX], read[PLAT_PUBLIC_KEY_MAX];
        size_t len = 0;
        plat_identity_fault fault;
        const size_t wanted_len = pki_public_der(device_kinds[i].key, wanted, sizeof wanted);
        const plat_pkcs11_config config = { .uri = soft_token_uri(objects[i], "") };
        assert_int_equal(plat_pkcs11_public_key(&config, read, sizeof read, &len, &fault), PLAT_OK);
        assert_int_equal(len, wanted_len);
        assert_memory_equal(read, wanted, len);
        for (size_t cap = 0; cap < wanted_len; cap += 7) {
            assert_int_equal(plat_pkcs11_public_key(&config, read, cap, &len, &fault),
                             PLAT_ERR_NO_SPACE);
            assert_true(fault.text[0] != '\0');
        }
        assert_int_equal(plat_pkcs11_public_key(&config, read, wanted_len, &len, &fault), PLAT_OK);
    }
}

static void certificates_are_read_as_they_were_stored(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        uint8_t read[2048];
        size_t len = 0;
        plat_identity_fault fault;
        const pki_cert *wanted = &device_certs[i];
        const plat_pkcs11_config config = { .uri = soft_token_uri(objects[i], "") };
        assert_int_equal(plat_pkcs11_certificate(&config, read, sizeof read, &len, &fault),
                         PLAT_OK);
        assert_int_equal(len, wanted->len);
        assert_memory_equal(read, wanted->der, len);
        assert_int_equal(plat_pkcs11_certificate(&config, read, wanted->len - 1, &len, &fault),
                         PLAT_ERR_NO_SPACE);
        assert_int_equal(len, wanted->len); /* the size that is needed */
        assert_int_equal(plat_pkcs11_certificate(&config, read, wanted->len, &len, &fault),
                         PLAT_OK);
    }
}

static void an_identity_can_be_made_of_the_token_alone(void **state)
{
    (void)state;
    uint8_t chain[4096];
    size_t len = 0;
    plat_identity *identity = NULL;
    plat_signer *signer = NULL;
    plat_identity_fault fault;
    const plat_pkcs11_config where = { .uri = soft_token_uri(objects[0],
                                                             "pin-value=" SOFT_TOKEN_PIN) };
    assert_int_equal(plat_pkcs11_certificate(&where, chain, sizeof chain, &len, &fault), PLAT_OK);
    assert_int_equal(plat_pkcs11_signer_new(&where, &signer, &fault), PLAT_OK);
    const plat_identity_config config = { .chain = { chain, len, NULL }, .signer = signer };
    assert_int_equal(
        plat_wolfssl_identities.make(&plat_wolfssl_identities, &config, &identity, &fault),
        PLAT_OK);
    plat_wolfssl_identities.release(identity);
    assert_int_equal(odd->logins, 1);
    odd->logins = 0;
}

static void a_request_is_signed_by_a_key_in_the_token(void **state)
{
    (void)state;
    const plat_csr_maker *maker = plat_wolfssl_csr_maker();
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        uint8_t csr[PLAT_CSR_MAX], public_key[PLAT_PUBLIC_KEY_MAX];
        size_t len = 0;
        plat_signer *signer = NULL;
        plat_identity_fault fault;
        const plat_pkcs11_config where = { .uri = soft_token_uri(objects[i],
                                                                 "pin-value=" SOFT_TOKEN_PIN) };
        plat_csr_config config = { .common_name = "device-1", .public_key = public_key };
        assert_int_equal(plat_pkcs11_public_key(&where, public_key, sizeof public_key,
                                                &config.public_key_len, &fault),
                         PLAT_OK);
        assert_int_equal(plat_pkcs11_signer_new(&where, &signer, &fault), PLAT_OK);
        config.signer = signer;
        assert_int_equal(maker->make_csr(maker, &config, csr, sizeof csr, &len, &fault), PLAT_OK);
        gnutls_x509_crq_deinit(csr_read(csr, len, "device-1"));
        signer->release(signer);
    }
    assert_int_equal(odd->logins, DEVICE_KINDS);
    odd->logins = 0;
}

static void a_missing_or_ambiguous_object_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *object;
        plat_result result;
        const char *key_text;
        const char *certificate_text;
    } cases[] = {
        { "object=absent", PLAT_ERR_IDENTITY, "no public key", "no certificate" },
        { "", PLAT_ERR_IDENTITY, "more than one public key", "more than one certificate" },
        { "object=p256;type=private", PLAT_ERR_ARG, "than a public key", "than a certificate" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t read[2048];
        size_t len = 1;
        plat_identity_fault fault;
        const plat_pkcs11_config config = { .uri = soft_token_uri(cases[i].object, "") };
        assert_int_equal(plat_pkcs11_public_key(&config, read, sizeof read, &len, &fault),
                         cases[i].result);
        assert_non_null(strstr(fault.text, cases[i].key_text));
        assert_int_equal(len, 0);
        assert_int_equal(plat_pkcs11_certificate(&config, read, sizeof read, &len, &fault),
                         cases[i].result);
        assert_non_null(strstr(fault.text, cases[i].certificate_text));
        assert_int_equal(len, 0);
    }
}

/* Makes each function fail at each of its calls. The tested call must fail with a text, or read
 * the right bytes. */
static void a_token_that_fails_is_reported(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (int call = ODD_GET_INFO; call <= ODD_GET_ATTRIBUTE; call++) {
        for (unsigned after = 0; after < 8; after++) {
            for (size_t i = 0; i < DEVICE_KINDS; i++) {
                uint8_t read[PLAT_PUBLIC_KEY_MAX], wanted[PLAT_PUBLIC_KEY_MAX];
                size_t len = 0;
                plat_identity_fault fault;
                const plat_pkcs11_config config = { .uri = soft_token_uri(objects[i], "") };
                odd->failing = (odd_call)call;
                odd->code = CKR_DEVICE_ERROR;
                odd->after = after;
                odd->times = 1;
                plat_result r = plat_pkcs11_public_key(&config, read, sizeof read, &len, &fault);
                assert_int_equal(r == PLAT_OK, fault.text[0] == '\0');
                if (r == PLAT_OK) {
                    const size_t n = pki_public_der(device_kinds[i].key, wanted, sizeof wanted);
                    assert_int_equal(len, n);
                    assert_memory_equal(read, wanted, n);
                } else {
                    assert_int_equal(r, PLAT_ERR_SIGNER);
                    refused++;
                }
                assert_int_equal(odd->sessions, 0);
            }
        }
    }
    assert_true(refused >= 3 * 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TOKEN(public_keys_are_those_of_the_private_keys),
        WITH_TOKEN(certificates_are_read_as_they_were_stored),
        WITH_TOKEN(an_identity_can_be_made_of_the_token_alone),
        WITH_TOKEN(a_request_is_signed_by_a_key_in_the_token),
        WITH_TOKEN(a_missing_or_ambiguous_object_is_named),
        WITH_TOKEN(a_token_that_fails_is_reported),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
