#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "key_forms.h"
#include "wolfssl/crypto/secret.h"
#include "wolfssl/identity/key_decrypt.h"

static int make_all(void **state)
{
    (void)state;
    pki_make_keys();
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    pki_remove_files();
    pki_free_keys();
    return 0;
}

static size_t answer(void *user, char *out, size_t cap)
{
    const char *text = user;
    if (text == NULL) {
        return cap + 1;
    }
    memset(out, '.', cap);
    size_t len = strlen(text);
    memcpy(out, text, len < cap ? len : cap);
    return len;
}

static plat_passphrase passphrase_of(const char *text)
{
    plat_passphrase p;
    plat_identity_fault fault;
    assert_int_equal(plat_passphrase_ask(&p, answer, (void *)(uintptr_t)text, &fault), PLAT_OK);
    return p;
}

static void an_application_may_have_no_passphrase(void **state)
{
    (void)state;
    char long_text[PLAT_PASSPHRASE_MAX + 2];
    plat_passphrase p;
    plat_identity_fault fault;
    assert_int_equal(plat_passphrase_ask(&p, NULL, NULL, &fault), PLAT_ERR_PASSPHRASE);
    assert_non_null(strstr(fault.text, "no passphrase is given"));
    assert_int_equal(plat_passphrase_ask(&p, answer, NULL, &fault), PLAT_ERR_PASSPHRASE);
    assert_non_null(strstr(fault.text, "the application has no passphrase"));
    memset(long_text, 'x', sizeof long_text);
    long_text[PLAT_PASSPHRASE_MAX] = '\0';
    assert_int_equal(passphrase_of(long_text).len, PLAT_PASSPHRASE_MAX);
    long_text[PLAT_PASSPHRASE_MAX] = 'x';
    long_text[PLAT_PASSPHRASE_MAX + 1] = '\0';
    assert_int_equal(plat_passphrase_ask(&p, answer, long_text, &fault), PLAT_ERR_PASSPHRASE);
    assert_int_equal(p.len, 0);
    assert_int_equal(passphrase_of("").len, 0);
}

/* Makes the DER of an encrypted form, and its block if the form is traditional. */
static size_t encrypted(const key_form *form, pki_key key, plat_pem_block *block, uint8_t *out)
{
    static uint8_t text[8192];
    size_t len = write_key_form(form, key, text, sizeof text);
    plat_pem_text in = { (const char *)text, len };
    uint8_t *der;
    if (!form->pem) {
        memcpy(out, text, len);
        return len;
    }
    assert_int_equal(plat_pem_next(&in, block), PLAT_PEM_BLOCK);
    assert_int_equal(plat_pem_decode(block, &der, &len), PLAT_OK);
    memcpy(out, der, len);
    plat_secret_free(der, len);
    return len;
}

static plat_result decrypt(const key_form *form, const plat_pem_block *block, uint8_t *der,
                           size_t *len, const char *passphrase, plat_identity_fault *fault)
{
    const plat_passphrase p = passphrase_of(passphrase);
    return form->traditional ? plat_pem_decrypt(block, der, len, &p, fault)
                             : plat_pkcs8_decrypt(der, len, &p, fault);
}

static void expect_key(const key_form *form, pki_key key, const uint8_t *der, size_t len)
{
    static uint8_t plain[4096];
    const key_form wanted = { .traditional = form->traditional };
    size_t wanted_len = write_key_form(&wanted, key, plain, sizeof plain);
    if (len != wanted_len || memcmp(der, plain, len) != 0) {
        fail_msg("%s: another key of %zu bytes, not %zu", form->name, len, wanted_len);
    }
}

static void each_encryption_of_openssl_is_undone_or_named(void **state)
{
    (void)state;
    static const pki_key keys[] = { PKI_RSA, PKI_LEAF, PKI_P384 };
    for (size_t i = 0; i < key_form_count; i++) {
        const key_form *form = &key_forms[i];
        for (size_t k = 0; form->cipher != NULL && k < 3; k++) {
            static uint8_t der[8192];
            plat_pem_block block = { 0 };
            plat_identity_fault fault = { "" };
            size_t len = encrypted(form, keys[k], &block, der);
            assert_int_equal(plat_pkcs8_is_encrypted(der, len), !form->traditional);
            assert_int_equal(plat_pem_is_encrypted(&block), form->traditional);
            plat_result r = decrypt(form, &block, der, &len, KEY_PASSPHRASE, &fault);
            if (r != (form->supported ? PLAT_OK : PLAT_ERR_IDENTITY)) {
                fail_msg("%s: %s (%s)", form->name, plat_result_str(r), fault.text);
            }
            if (form->supported) {
                expect_key(form, keys[k], der, len);
            } else {
                assert_non_null(strstr(fault.text, "openssl pkcs8"));
            }
        }
    }
}

/* A wrong passphrase may by chance remain unnoticed here, but then the result is not a key. */
static void a_wrong_passphrase_never_gives_the_key(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", "x", "correct horse battery stapl",
                                         "correct horse battery staplf",
                                         "Correct horse battery staple" };
    for (size_t i = 0; i < key_form_count; i++) {
        const key_form *form = &key_forms[i];
        for (size_t w = 0; form->cipher != NULL && form->supported && w < 5; w++) {
            static uint8_t der[8192];
            static uint8_t plain[4096];
            const key_form plain_form = { .traditional = form->traditional };
            size_t plain_len = write_key_form(&plain_form, PKI_LEAF, plain, sizeof plain);
            plat_pem_block block = { 0 };
            plat_identity_fault fault = { "" };
            size_t len = encrypted(form, PKI_LEAF, &block, der);
            plat_result r = decrypt(form, &block, der, &len, wrong[w], &fault);
            assert_true(r == PLAT_ERR_PASSPHRASE || r == PLAT_OK);
            assert_true(r == PLAT_OK || strstr(fault.text, "passphrase") != NULL);
            assert_false(r == PLAT_OK && len == plain_len && memcmp(der, plain, len) == 0);
        }
    }
}

static void headers_that_are_malformed_are_refused(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "Proc-Type: 4,ENCRYPTED\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEE\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEGG\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF00\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: ROT13,0011223344556677\n",
    };
    const plat_passphrase p = passphrase_of(KEY_PASSPHRASE);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        const plat_pem_block block = { .headers = { headers[i], strlen(headers[i]) } };
        uint8_t der[16] = { 0 };
        size_t len = sizeof der;
        plat_identity_fault fault;
        assert_true(plat_pem_is_encrypted(&block));
        assert_int_equal(plat_pem_decrypt(&block, der, &len, &p, &fault), PLAT_ERR_IDENTITY);
    }
}

static void every_length_that_is_no_whole_block_is_refused(void **state)
{
    (void)state;
    static const char headers[] =
        "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\nProc-Type: 4,ENCRYPTED\n";
    const plat_pem_block block = { .headers = { headers, sizeof headers - 1 } };
    const plat_passphrase p = passphrase_of(KEY_PASSPHRASE);
    for (size_t n = 1; n < 64; n++) {
        uint8_t der[64] = { 0 };
        size_t len = n;
        plat_identity_fault fault;
        plat_result r = plat_pem_decrypt(&block, der, &len, &p, &fault);
        assert_true(r == PLAT_ERR_PASSPHRASE || (n % 16 == 0 && len < n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_application_may_have_no_passphrase),
        cmocka_unit_test(each_encryption_of_openssl_is_undone_or_named),
        cmocka_unit_test(a_wrong_passphrase_never_gives_the_key),
        cmocka_unit_test(headers_that_are_malformed_are_refused),
        cmocka_unit_test(every_length_that_is_no_whole_block_is_refused),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
