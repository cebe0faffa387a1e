#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "key_forms.h"
#include "wolfssl/identity/private_key.h"
#include "wolfssl/x509/signature.h"

#include <wolfssl/wolfcrypt/hash.h>

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

static unsigned asked; /* number of calls of answer */

static size_t answer(void *user, char *out, size_t cap)
{
    const char *text = user;
    asked++;
    assert_int_equal(cap, PLAT_PASSPHRASE_MAX);
    memcpy(out, text, strlen(text));
    return strlen(text);
}

static plat_result read_key(plat_private_key *k, const uint8_t *bytes, size_t len,
                            const char *passphrase, plat_identity_fault *fault)
{
    const plat_key_input input = { bytes, len, passphrase != NULL ? answer : NULL,
                                   (void *)(uintptr_t)passphrase };
    asked = 0;
    fault->text[0] = '\0';
    return plat_private_key_read(k, &input, fault);
}

/* Checks that the public key of a fixture accepts a signature of the key. */
static void expect_signature(const plat_private_key *k, pki_key key, plat_sign_scheme scheme,
                             size_t digest_len)
{
    static const uint8_t bytes[] = "some bytes";
    uint8_t digest[64], public_key[1024], signature[PLAT_SIGNATURE_MAX];
    plat_identity_fault fault;
    size_t len = 0;
    const enum wc_HashType hash = digest_len == 32   ? WC_HASH_TYPE_SHA256
                                  : digest_len == 48 ? WC_HASH_TYPE_SHA384
                                                     : WC_HASH_TYPE_SHA512;
    assert_int_equal(wc_Hash(hash, bytes, sizeof bytes, digest, (word32)digest_len), 0);
    const plat_sign_request request = { scheme, digest, digest_len };
    plat_result r = plat_private_key_sign(k, &request, signature, sizeof signature, &len, &fault);
    if (r != PLAT_OK) {
        fail_msg("scheme %d, %zu: %s", (int)scheme, digest_len, fault.text);
    }
    const plat_signed proof = {
        .algorithm = { scheme == PLAT_SIGN_ECDSA     ? PLAT_SCHEME_ECDSA
                       : scheme == PLAT_SIGN_RSA_PSS ? PLAT_SCHEME_RSA_PSS
                                                     : PLAT_SCHEME_RSA,
                       (uint16_t)(8 * digest_len), (uint16_t)digest_len },
        .bytes = { bytes, sizeof bytes },
        .signature = { signature, len },
    };
    size_t public_len = pki_public_der(key, public_key, sizeof public_key);
    assert_int_equal(plat_signature_verify(&proof, (plat_der){ public_key, public_len }), PLAT_OK);
}

static void each_form_of_each_kind_is_read_and_signs(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        const pki_key key = device_kinds[kind].key;
        for (size_t i = 0; i < key_form_count; i++) {
            const key_form *form = &key_forms[i];
            plat_private_key k;
            plat_identity_fault fault;
            size_t len = write_key_form(form, key, bytes, sizeof bytes);
            plat_result r = read_key(&k, bytes, len, KEY_PASSPHRASE, &fault);
            if (r != (form->supported ? PLAT_OK : PLAT_ERR_IDENTITY)) {
                fail_msg("%s, %s: %s", device_kinds[kind].name, form->name, fault.text);
            }
            assert_int_equal(asked, form->cipher != NULL ? 1 : 0);
            if (r == PLAT_OK) {
                assert_int_equal(k.kind, device_kinds[kind].kind);
                expect_signature(&k, key, key == PKI_RSA ? PLAT_SIGN_RSA_PKCS1 : PLAT_SIGN_ECDSA,
                                 32);
            }
            plat_private_key_free(&k);
            assert_null(k.der);
        }
    }
}

static void an_encrypted_key_needs_the_right_passphrase(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    for (size_t i = 0; i < key_form_count; i++) {
        const key_form *form = &key_forms[i];
        if (form->cipher == NULL || !form->supported) {
            continue;
        }
        plat_private_key k;
        plat_identity_fault fault;
        size_t len = write_key_form(form, PKI_LEAF, bytes, sizeof bytes);
        assert_int_equal(read_key(&k, bytes, len, NULL, &fault), PLAT_ERR_PASSPHRASE);
        assert_non_null(strstr(fault.text, "no passphrase is given"));
        for (int n = 0; n < 20; n++) { /* repeated, because the padding may look right by chance */
            char wrong[] = "wrong A";
            wrong[6] = (char)('A' + n);
            assert_int_equal(read_key(&k, bytes, len, wrong, &fault), PLAT_ERR_PASSPHRASE);
            assert_non_null(strstr(fault.text, "passphrase of the private key is wrong"));
            assert_null(strstr(fault.text, "wrong A"));
            assert_null(k.der);
        }
    }
}

static void each_scheme_and_hash_signs(void **state)
{
    (void)state;
    static const size_t digests[] = { 32, 48, 64 };
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        const pki_key key = device_kinds[kind].key;
        uint8_t der[2048];
        plat_private_key k;
        plat_identity_fault fault;
        assert_int_equal(read_key(&k, der, pki_key_der(key, der, sizeof der), NULL, &fault),
                         PLAT_OK);
        for (size_t d = 0; d < 3; d++) {
            if (key == PKI_RSA) {
                expect_signature(&k, key, PLAT_SIGN_RSA_PKCS1, digests[d]);
                expect_signature(&k, key, PLAT_SIGN_RSA_PSS, digests[d]);
            } else {
                expect_signature(&k, key, PLAT_SIGN_ECDSA, digests[d]);
            }
        }
        plat_private_key_free(&k);
    }
}

static void a_scheme_that_does_not_fit_the_key_is_refused(void **state)
{
    (void)state;
    static const uint8_t digest[64];
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        const bool is_rsa = device_kinds[kind].key == PKI_RSA;
        const plat_sign_request bad[] = {
            { is_rsa ? PLAT_SIGN_ECDSA : PLAT_SIGN_RSA_PKCS1, digest, 32 },
            { is_rsa ? PLAT_SIGN_ECDSA : PLAT_SIGN_RSA_PSS, digest, 32 },
            { is_rsa ? PLAT_SIGN_RSA_PSS : PLAT_SIGN_ECDSA, digest, 20 },
            { is_rsa ? PLAT_SIGN_RSA_PSS : PLAT_SIGN_ECDSA, digest, 0 },
        };
        uint8_t der[2048], out[PLAT_SIGNATURE_MAX];
        plat_private_key k;
        plat_identity_fault fault;
        size_t len;
        assert_int_equal(
            read_key(&k, der, pki_key_der(device_kinds[kind].key, der, sizeof der), NULL, &fault),
            PLAT_OK);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(plat_private_key_sign(&k, &bad[i], out, sizeof out, &len, &fault),
                             PLAT_ERR_ARG);
        }
        plat_private_key_free(&k);
    }
}

static void weak_and_unknown_keys_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *why;
    } texts[] = {
        { "", "is empty" },
        { "text", "damaged, or of another kind" },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no private key" },
        { "-----BEGIN PRIVATE KEY-----\nAAAA\n", "in the middle of a block" },
        { "-----BEGIN PRIVATE KEY-----\n****\n-----END PRIVATE KEY-----\n", "not base64" },
        { "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
          "ssh-keygen" },
    };
    plat_private_key k;
    plat_identity_fault fault;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(
            read_key(&k, (const uint8_t *)texts[i].bytes, strlen(texts[i].bytes), NULL, &fault),
            PLAT_ERR_IDENTITY);
        if (strstr(fault.text, texts[i].why) == NULL) {
            fail_msg("'%s' does not say '%s'", fault.text, texts[i].why);
        }
    }
    static const pki_key weak[] = { PKI_RSA_1024, PKI_P224 };
    static const char *const why[] = { "2048 to 4096 are needed", "P-256 and P-384" };
    for (size_t i = 0; i < 2; i++) {
        uint8_t der[2048];
        if (pki_has_key(weak[i])) {
            assert_int_equal(read_key(&k, der, pki_key_der(weak[i], der, sizeof der), NULL, &fault),
                             PLAT_ERR_IDENTITY);
            assert_non_null(strstr(fault.text, why[i]));
        }
    }
}

static void a_key_behind_other_blocks_is_found(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    static const char before[] = "text\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                                 "-----END EC PARAMETERS-----\n"
                                 "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    plat_private_key k;
    plat_identity_fault fault;
    memcpy(bytes, before, sizeof before - 1);
    size_t len = write_key_form(&key_forms[0], PKI_LEAF, bytes + sizeof before - 1, 4096);
    assert_int_equal(read_key(&k, bytes, sizeof before - 1 + len, NULL, &fault), PLAT_OK);
    expect_signature(&k, PKI_LEAF, PLAT_SIGN_ECDSA, 32);
    plat_private_key_free(&k);
}

static void every_truncation_and_every_changed_byte_is_refused_or_a_key(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    static const size_t forms[] = { 0, 1, 2, 3, 6, 10, 15 };
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        const key_form *form = &key_forms[forms[f]];
        /* Fewer bytes are tried if each try must derive a key. */
        const size_t step = form->cipher != NULL ? 7 : 1;
        const size_t len = write_key_form(form, PKI_LEAF, bytes, sizeof bytes);
        for (size_t at = 0; at < len; at += step) {
            plat_private_key k;
            plat_identity_fault fault;
            plat_result r = read_key(&k, bytes, at, KEY_PASSPHRASE, &fault);
            assert_true(r == PLAT_OK || fault.text[0] != '\0');
            plat_private_key_free(&k);
            bytes[at] ^= 0x11;
            r = read_key(&k, bytes, len, KEY_PASSPHRASE, &fault);
            assert_true(r == PLAT_OK || fault.text[0] != '\0');
            plat_private_key_free(&k);
            bytes[at] ^= 0x11;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_of_each_kind_is_read_and_signs),
        cmocka_unit_test(an_encrypted_key_needs_the_right_passphrase),
        cmocka_unit_test(each_scheme_and_hash_signs),
        cmocka_unit_test(a_scheme_that_does_not_fit_the_key_is_refused),
        cmocka_unit_test(weak_and_unknown_keys_are_named),
        cmocka_unit_test(a_key_behind_other_blocks_is_found),
        cmocka_unit_test(every_truncation_and_every_changed_byte_is_refused_or_a_key),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
