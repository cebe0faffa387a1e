#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csr_issuer.h"
#include "device_fixture.h"
#include "platform/csr.h"
#include "wolfssl/crypto/crypto.h"
#include "wolfssl/identity/identity.h"
#include "wolfssl_heap.h"

static const plat_csr_maker *maker;

/* One key of each kind, made once: RSA takes a while. */
static plat_made_key keys[DEVICE_KINDS];

static int make_all(void **state)
{
    (void)state;
    plat_identity_fault fault;
    pki_make_keys();
    make_devices();
    maker = plat_wolfssl_csr_maker();
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        if (maker->make_key(maker, device_kinds[i].kind, &keys[i], &fault) != PLAT_OK) {
            return -1;
        }
    }
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        maker->erase_key(&keys[i]);
    }
    pki_free_keys();
    return 0;
}

static plat_result request(const plat_csr_config *config, uint8_t *out, size_t cap, size_t *len,
                           plat_identity_fault *fault)
{
    plat_result r = maker->make_csr(maker, config, out, cap, len, fault);
    assert_int_equal(r == PLAT_OK, fault->text[0] == '\0');
    assert_int_equal(r == PLAT_OK, *len > 0);
    return r;
}

/* --- what works --- */

static void an_issued_certificate_and_the_key_make_an_identity(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        uint8_t csr[PLAT_CSR_MAX], chain[4096];
        size_t len = 0;
        plat_identity *identity = NULL;
        plat_identity_fault fault;
        plat_identity_info info;
        const plat_csr_config config = { .common_name = "sn-007", .key = &keys[i] };
        assert_int_equal(request(&config, csr, sizeof csr, &len, &fault), PLAT_OK);
        gnutls_x509_crq_t crq = csr_read(csr, len, "sn-007");
        const size_t chain_len = csr_issue(crq, chain, sizeof chain);
        gnutls_x509_crq_deinit(crq);
        const plat_identity_config made = { .chain = { chain, chain_len, NULL },
                                            .key = { keys[i].der, keys[i].len, NULL } };
        plat_result r =
            plat_wolfssl_identities.make(&plat_wolfssl_identities, &made, &identity, &fault);
        if (r != PLAT_OK) {
            fail_msg("%s: %s", device_kinds[i].name, fault.text);
        }
        plat_wolfssl_identities.describe(identity, &info);
        assert_int_equal(info.key, device_kinds[i].kind);
        assert_int_equal(info.certificates, 2);
        assert_string_equal(info.common_name, "sn-007");
        plat_wolfssl_identities.release(identity);
    }
}

static void a_request_in_base64_is_short_enough_for_the_service(void **state)
{
    (void)state;
    static const size_t longest[DEVICE_KINDS] = { 400, 512, 1024 };
    char name[PLAT_COMMON_NAME_MAX + 1];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        uint8_t csr[PLAT_CSR_MAX];
        char text[PLAT_CSR_BASE64_MAX];
        size_t len = 0, text_len = 0;
        plat_identity_fault fault;
        const plat_csr_config config = { .common_name = name, .key = &keys[i] };
        assert_int_equal(request(&config, csr, sizeof csr, &len, &fault), PLAT_OK);
        gnutls_x509_crq_deinit(csr_read(csr, len, name));
        assert_true(len <= longest[i]);
        assert_int_equal(plat_wolfssl_crypto.base64_encode(&plat_wolfssl_crypto, csr, len, text,
                                                           sizeof text, &text_len),
                         PLAT_OK);
    }
    assert_true(4 * ((PLAT_CSR_MAX + 2) / 3) <= PLAT_CSR_BASE64_MAX);
}

static void a_signer_signs_with_each_kind_of_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        uint8_t csr[PLAT_CSR_MAX], public_key[1024];
        size_t len = 0;
        plat_identity_fault fault;
        test_signer signer;
        test_signer_init(&signer, device_kinds[i].key);
        const plat_csr_config config = {
            .common_name = "hardware",
            .signer = &signer.base,
            .public_key = public_key,
            .public_key_len = pki_public_der(device_kinds[i].key, public_key, sizeof public_key),
        };
        assert_int_equal(request(&config, csr, sizeof csr, &len, &fault), PLAT_OK);
        gnutls_x509_crq_deinit(csr_read(csr, len, "hardware"));
        assert_int_equal(signer.signatures, 1);
        assert_int_equal(signer.releases, 0);
    }
}

/* --- what fails --- */

static void a_signer_that_fails_or_has_another_key_is_named(void **state)
{
    (void)state;
    uint8_t csr[PLAT_CSR_MAX], public_key[1024];
    size_t len = 0;
    plat_identity_fault fault;
    test_signer signer;
    test_signer_init(&signer, PKI_LEAF);
    plat_csr_config config = {
        .common_name = "hardware",
        .signer = &signer.base,
        .public_key = public_key,
        .public_key_len = pki_public_der(PKI_OTHER, public_key, sizeof public_key),
    };
    assert_int_equal(request(&config, csr, sizeof csr, &len, &fault), PLAT_ERR_IDENTITY);
    assert_non_null(strstr(fault.text, "does not belong"));

    signer.result = PLAT_ERR_SIGNER;
    assert_int_equal(request(&config, csr, sizeof csr, &len, &fault), PLAT_ERR_SIGNER);
    assert_non_null(strstr(fault.text, "the signer failed"));
    signer.why = "the token was removed";
    assert_int_equal(request(&config, csr, sizeof csr, &len, &fault), PLAT_ERR_SIGNER);
    assert_string_equal(fault.text, "the token was removed");
}

static void a_config_that_cannot_be_used_is_refused(void **state)
{
    (void)state;
    static char too_long[PLAT_COMMON_NAME_MAX + 2];
    static const uint8_t junk[700] = { 0x30 };
    plat_made_key empty = { .kind = PLAT_KEY_EC_P256 };
    plat_made_key damaged = keys[0];
    plat_made_key oversized = { .len = PLAT_MADE_KEY_MAX + 1 };
    test_signer signer;
    memset(too_long, 'n', sizeof too_long - 1);
    damaged.der[8] ^= 0x01; /* the secret number does not belong to the public point any more */
    test_signer_init(&signer, PKI_LEAF);
    const struct {
        plat_csr_config config;
        plat_result result;
    } cases[] = {
        { { .key = &keys[0] }, PLAT_ERR_ARG },
        { { .common_name = "", .key = &keys[0] }, PLAT_ERR_ARG },
        { { .common_name = too_long, .key = &keys[0] }, PLAT_ERR_ARG },
        { { .common_name = "a\nb", .key = &keys[0] }, PLAT_ERR_ARG },
        { { .common_name = "\xc3\xa9", .key = &keys[0] }, PLAT_ERR_ARG },
        { { .common_name = "a" }, PLAT_ERR_ARG },
        { { .common_name = "a", .key = &keys[0], .signer = &signer.base }, PLAT_ERR_ARG },
        { { .common_name = "a", .signer = &signer.base }, PLAT_ERR_ARG },
        { { .common_name = "a", .signer = &signer.base, .public_key = junk }, PLAT_ERR_ARG },
        { { .common_name = "a", .signer = &signer.base, .public_key = junk, .public_key_len = 99 },
          PLAT_ERR_IDENTITY },
        { { .common_name = "a",
            .signer = &signer.base,
            .public_key = junk,
            .public_key_len = sizeof junk },
          PLAT_ERR_IDENTITY },
        { { .common_name = "a", .key = &empty }, PLAT_ERR_IDENTITY },
        { { .common_name = "a", .key = &damaged }, PLAT_ERR_IDENTITY },
        { { .common_name = "a", .key = &oversized }, PLAT_ERR_ARG },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t csr[PLAT_CSR_MAX];
        size_t len = 1;
        plat_identity_fault fault;
        plat_result r = request(&cases[i].config, csr, sizeof csr, &len, &fault);
        if (r != cases[i].result) {
            fail_msg("%zu: %s: %s", i, plat_result_str(r), fault.text);
        }
    }
    assert_int_equal(signer.signatures, 0);
}

static void every_smaller_buffer_is_refused_and_not_overrun(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        uint8_t csr[PLAT_CSR_MAX];
        size_t whole = 0, len = 0;
        plat_identity_fault fault;
        const plat_csr_config config = { .common_name = "small", .key = &keys[i] };
        assert_int_equal(request(&config, csr, sizeof csr, &whole, &fault), PLAT_OK);
        /* The lengths of ECDSA signatures differ by a few bytes. */
        for (size_t cap = 0; cap < whole - 8; cap += i == 2 ? 97 : 13) {
            memset(csr, 0xa5, sizeof csr);
            assert_int_equal(request(&config, csr, cap, &len, &fault), PLAT_ERR_NO_SPACE);
            for (size_t at = cap; at < sizeof csr; at++) {
                assert_int_equal(csr[at], 0xa5);
            }
        }
    }
}

/* --- the heap --- */

static void every_failed_allocation_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        unsigned nth = 0;
        bool failed;
        const plat_csr_config config = { .common_name = "heap", .key = &keys[i] };
        wolfssl_heap_begin();
        do {
            uint8_t csr[PLAT_CSR_MAX];
            size_t len = 0;
            plat_identity_fault fault;
            wolfssl_heap_fail(++nth);
            plat_result r = request(&config, csr, sizeof csr, &len, &fault);
            failed = wolfssl_heap_failed();
            assert_true(failed || r == PLAT_OK);
            assert_int_equal(wolfssl_heap_blocks(), 0);
        } while (failed);
        wolfssl_heap_end();
        assert_true(nth > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issued_certificate_and_the_key_make_an_identity),
        cmocka_unit_test(a_request_in_base64_is_short_enough_for_the_service),
        cmocka_unit_test(a_signer_signs_with_each_kind_of_key),
        cmocka_unit_test(a_signer_that_fails_or_has_another_key_is_named),
        cmocka_unit_test(a_config_that_cannot_be_used_is_refused),
        cmocka_unit_test(every_smaller_buffer_is_refused_and_not_overrun),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
