#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "wolfssl/identity/client_chain.h"
#include "wolfssl/x509/signature.h"

static int make_all(void **state)
{
    (void)state;
    pki_make_keys();
    make_devices();
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    pki_remove_files();
    pki_free_keys();
    return 0;
}

static const pki_cert *const whole[] = { &device_certs[0], &device_ca, &device_root };

static plat_result read_pem(plat_client_chain *c, const pki_cert *const *certs, size_t count,
                            plat_identity_fault *fault)
{
    static char pem[65536];
    size_t len = device_pem(pem, sizeof pem, certs, count);
    return plat_client_chain_read(c, (const uint8_t *)pem, len, fault);
}

static void expect_refusal(const char *bytes, size_t len, const char *why)
{
    plat_client_chain c;
    plat_identity_fault fault = { "" };
    assert_int_equal(plat_client_chain_read(&c, (const uint8_t *)bytes, len, &fault),
                     PLAT_ERR_IDENTITY);
    if (strstr(fault.text, why) == NULL) {
        fail_msg("'%s' does not say '%s'", fault.text, why);
    }
    assert_null(c.pem);
}

static void expect_device(const plat_client_chain *c, size_t kind, size_t count)
{
    uint8_t key[1024];
    assert_int_equal(c->info.certificates, count);
    assert_int_equal(c->info.key, device_kinds[kind].kind);
    assert_string_equal(c->info.common_name, "device-1");
    assert_int_equal(c->key_len, pki_public_der(device_kinds[kind].key, key, sizeof key));
    assert_memory_equal(c->key, key, c->key_len);
}

static void pem_and_der_give_the_same_chain(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        const pki_cert *const certs[] = { &device_certs[kind], &device_ca, &device_root };
        for (size_t count = 1; count <= 3; count++) {
            uint8_t der[8192];
            plat_client_chain a, b;
            plat_identity_fault fault;
            assert_int_equal(read_pem(&a, certs, count, &fault), PLAT_OK);
            size_t len = device_der(der, sizeof der, certs, count);
            assert_int_equal(plat_client_chain_read(&b, der, len, &fault), PLAT_OK);
            expect_device(&a, kind, count);
            expect_device(&b, kind, count);
            assert_int_equal(a.pem_len, b.pem_len);
            assert_memory_equal(a.pem, b.pem, a.pem_len);
            plat_client_chain_free(&a);
            plat_client_chain_free(&b);
            assert_null(a.pem);
        }
    }
}

static void dates_are_described_and_not_judged(void **state)
{
    (void)state;
    static const int days[][2] = { { -30, -1 }, { 1, 30 }, { -1, 10 } };
    for (size_t i = 0; i < 3; i++) {
        pki_cert cert;
        pki_spec spec = device_spec(0);
        spec.from_days = days[i][0];
        spec.to_days = days[i][1];
        pki_make(&cert, &spec);
        const pki_cert *const certs[] = { &cert, &device_ca };
        plat_client_chain c;
        plat_identity_fault fault;
        const int64_t now = (int64_t)time(NULL);
        /* The certificate of device_ca ends in 20 days. */
        const int64_t until = spec.to_days < 20 ? spec.to_days : 20;
        assert_int_equal(read_pem(&c, certs, 2, &fault), PLAT_OK);
        assert_in_range(c.info.not_before_s - (now + spec.from_days * 86400 - 60), 0, 120);
        assert_in_range(c.info.not_after_s - (now + spec.to_days * 86400 - 60), 0, 120);
        assert_in_range(c.info.chain_until_s - (now + until * 86400 - 60), 0, 120);
        plat_client_chain_free(&c);
    }
}

static void other_text_and_blocks_are_skipped(void **state)
{
    (void)state;
    static char text[16384];
    plat_client_chain c;
    plat_identity_fault fault;
    int len = snprintf(text, sizeof text,
                       "Bag Attributes\n-----BEGIN PRIVATE KEY-----\nAAAA\n"
                       "-----END PRIVATE KEY-----\nsubject=CN\n");
    len += (int)device_pem(text + len, sizeof text - (size_t)len, whole, 1);
    len += snprintf(text + len, sizeof text - (size_t)len, "issuer=CN\r\n\n");
    len += (int)device_pem(text + len, sizeof text - (size_t)len, whole + 1, 1);
    assert_int_equal(plat_client_chain_read(&c, (const uint8_t *)text, (size_t)len + 1, &fault),
                     PLAT_OK); /* the length includes the NUL */
    expect_device(&c, 0, 2);
    plat_client_chain_free(&c);
}

static void a_wrong_order_is_named(void **state)
{
    (void)state;
    static const size_t orders[][3] = { { 1, 0, 2 }, { 0, 2, 1 }, { 2, 1, 0 }, { 0, 0, 1 } };
    static const char *const why[] = {
        "certificate 1 of the chain was not issued by certificate 2",
        "certificate 1 of the chain was not issued by certificate 2",
        "certificate 1 of the chain was not issued by certificate 2",
        "certificate 1 of the chain was not issued by certificate 2"
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        char pem[8192];
        const pki_cert *certs[3];
        for (size_t n = 0; n < 3; n++) {
            certs[n] = whole[orders[i][n]];
        }
        expect_refusal(pem, device_pem(pem, sizeof pem, certs, 3), why[i]);
    }
}

static void an_issuer_with_the_right_name_and_another_key_is_none(void **state)
{
    (void)state;
    pki_cert other;
    char pem[8192];
    pki_spec spec = { .name = "Device CA",
                      .key = PKI_OTHER,
                      .ca = true,
                      .path_len = -1,
                      .from_days = -1,
                      .to_days = 30 };
    pki_make(&other, &spec);
    const pki_cert *const certs[] = { &device_certs[0], &other };
    expect_refusal(pem, device_pem(pem, sizeof pem, certs, 2), "was not issued by certificate 2");
}

static void what_is_no_chain_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const char key[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    static const char bad[] = "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n";
    static const char none[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    static const char other[] = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    expect_refusal("", 0, "empty");
    expect_refusal("text", 4, "neither PEM nor DER");
    expect_refusal(key, strlen(key), "is a private key");
    expect_refusal(bad, strlen(bad), "not base64");
    expect_refusal(none, strlen(none), "certificate 1 of the chain cannot be read");
    expect_refusal(other, strlen(other), "no certificate in the text");
}

static void too_many_certificates_and_too_large_ones_are_refused(void **state)
{
    (void)state;
    static char pem[65536];
    const pki_cert *roots[PLAT_CLIENT_CHAIN_MAX + 1];
    plat_client_chain c;
    plat_identity_fault fault;
    for (size_t i = 0; i <= PLAT_CLIENT_CHAIN_MAX; i++) {
        roots[i] = &device_root; /* a root is issued by itself */
    }
    assert_int_equal(read_pem(&c, roots, PLAT_CLIENT_CHAIN_MAX, &fault), PLAT_OK);
    plat_client_chain_free(&c);
    expect_refusal(pem, device_pem(pem, sizeof pem, roots, PLAT_CLIENT_CHAIN_MAX + 1),
                   "more than 9 certificates");
    static uint8_t large[PLAT_CLIENT_CHAIN_BYTES + 5];
    large[0] = 0x30; /* the bytes are a SEQUENCE of zeros */
    large[1] = 0x82;
    large[2] = (PLAT_CLIENT_CHAIN_BYTES + 1) >> 8;
    large[3] = (PLAT_CLIENT_CHAIN_BYTES + 1) & 0xff;
    expect_refusal((const char *)large, sizeof large, "larger than 16384 bytes");
}

static void a_weak_key_is_refused(void **state)
{
    (void)state;
    static const pki_key weak[] = { PKI_RSA_1024, PKI_P224 };
    for (size_t i = 0; i < 2; i++) {
        if (pki_has_key(weak[i])) {
            pki_cert cert;
            char pem[4096];
            const pki_cert *const certs[] = { &cert };
            pki_spec spec = device_spec(0);
            spec.key = weak[i];
            pki_make(&cert, &spec);
            expect_refusal(pem, device_pem(pem, sizeof pem, certs, 1), "unsupported key");
        }
    }
}

/* Each truncated text is refused with a reason, or is read as a chain of fewer certificates. */
static void every_truncation_is_refused_or_a_shorter_chain(void **state)
{
    (void)state;
    static char pem[16384];
    static uint8_t der[8192];
    const size_t pem_len = device_pem(pem, sizeof pem, whole, 2);
    const size_t der_len = device_der(der, sizeof der, whole, 2);
    for (size_t len = 0; len + 2 < pem_len; len++) {
        plat_client_chain c;
        plat_identity_fault fault = { "" };
        plat_result r = plat_client_chain_read(&c, (const uint8_t *)pem, len, &fault);
        assert_true(r == PLAT_OK ? c.info.certificates == 1 : fault.text[0] != '\0');
        plat_client_chain_free(&c);
    }
    for (size_t len = 0; len < der_len; len++) {
        plat_client_chain c;
        plat_identity_fault fault = { "" };
        plat_result r = plat_client_chain_read(&c, der, len, &fault);
        assert_int_equal(r, len == device_certs[0].len ? PLAT_OK : PLAT_ERR_IDENTITY);
        assert_true(r == PLAT_OK || fault.text[0] != '\0');
        plat_client_chain_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_and_der_give_the_same_chain),
        cmocka_unit_test(dates_are_described_and_not_judged),
        cmocka_unit_test(other_text_and_blocks_are_skipped),
        cmocka_unit_test(a_wrong_order_is_named),
        cmocka_unit_test(an_issuer_with_the_right_name_and_another_key_is_none),
        cmocka_unit_test(what_is_no_chain_is_refused_with_its_reason),
        cmocka_unit_test(too_many_certificates_and_too_large_ones_are_refused),
        cmocka_unit_test(a_weak_key_is_refused),
        cmocka_unit_test(every_truncation_is_refused_or_a_shorter_chain),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
