#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "wolfssl/identity/identity.h"
#include "wolfssl_heap.h"

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/memory.h>

static const plat_identities *const identities = &plat_wolfssl_identities;

static char chain[16384];
static size_t chain_len;
static uint8_t key[2048];
static size_t key_len;

static void use_kind(size_t kind)
{
    const pki_cert *const certs[] = { &device_certs[kind], &device_ca };
    chain_len = device_pem(chain, sizeof chain, certs, 2);
    key_len = pki_key_der(device_kinds[kind].key, key, sizeof key);
}

static int make_all(void **state)
{
    (void)state;
    pki_make_keys();
    make_devices();
    use_kind(0);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    pki_remove_files();
    pki_free_keys();
    return 0;
}

static plat_identity_config config_of_both(void)
{
    return (plat_identity_config){ .chain = { chain, chain_len, NULL },
                                   .key = { key, key_len, NULL } };
}

static void expect_refusal(const plat_identity_config *config, plat_result wanted, const char *why)
{
    plat_identity *id = (plat_identity *)chain;
    plat_identity_fault fault = { "" };
    plat_result r = identities->make(identities, config, &id, &fault);
    if (r != wanted || strstr(fault.text, why) == NULL) {
        fail_msg("%s, '%s'; not %s, '%s'", plat_result_str(r), fault.text, plat_result_str(wanted),
                 why);
    }
    assert_null(id);
}

static void each_kind_is_made_and_described(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        plat_identity_info info;
        uint8_t sha256[32];
        plat_identity *id = device_identity_of(kind);
        identities->describe(id, &info);
        assert_int_equal(info.key, device_kinds[kind].kind);
        assert_int_equal(info.certificates, 2);
        assert_string_equal(info.common_name, "device-1");
        assert_true(info.not_before_s < info.not_after_s);
        /* The certificate of device_ca ends before that of the device. */
        assert_true(info.chain_until_s < info.not_after_s);
        assert_int_equal(wc_Hash(WC_HASH_TYPE_SHA256, device_certs[kind].der,
                                 (word32)device_certs[kind].len, sha256, sizeof sha256),
                         0);
        assert_memory_equal(info.sha256, sha256, sizeof sha256);
        identities->release(id);
    }
    use_kind(0);
}

static void a_key_that_belongs_to_another_certificate_is_refused(void **state)
{
    (void)state;
    uint8_t other[2048];
    plat_identity_config config = config_of_both();
    config.key.data = other;
    config.key.len = pki_key_der(PKI_OTHER, other, sizeof other);
    expect_refusal(&config, PLAT_ERR_IDENTITY, "does not belong to the certificate");
    config.key.len = pki_key_der(PKI_INTERMEDIATE, other, sizeof other);
    expect_refusal(&config, PLAT_ERR_IDENTITY, "the first certificate");
    config.key.len = pki_key_der(PKI_RSA, other, sizeof other);
    expect_refusal(&config, PLAT_ERR_IDENTITY, "it is RSA, and the certificate is for EC P-256");
    config.key.len = pki_key_der(PKI_P384, other, sizeof other);
    expect_refusal(&config, PLAT_ERR_IDENTITY, "it is EC P-384");
}

static void an_rsa_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    RsaKey *other = malloc(sizeof *other);
    WC_RNG rng;
    uint8_t der[2048];
    use_kind(2);
    plat_identity_config config = config_of_both();
    assert_non_null(other);
    assert_int_equal(wc_InitRng(&rng), 0);
    assert_int_equal(wc_InitRsaKey(other, NULL), 0);
    assert_int_equal(wc_MakeRsaKey(other, 2048, WC_RSA_EXPONENT, &rng), 0);
    int len = wc_RsaKeyToDer(other, der, sizeof der);
    assert_true(len > 0);
    config.key.data = der;
    config.key.len = (size_t)len;
    expect_refusal(&config, PLAT_ERR_IDENTITY, "does not belong to the certificate");
    wc_FreeRsaKey(other);
    (void)wc_FreeRng(&rng);
    free(other);
    use_kind(0);
}

static void a_config_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    test_signer signer;
    test_signer_init(&signer, PKI_LEAF);
    plat_identity_config config = config_of_both();
    config.signer = &signer.base;
    expect_refusal(&config, PLAT_ERR_ARG, "a private key and a signer");
    assert_int_equal(signer.releases, 1);
    config = config_of_both();
    config.chain = (plat_identity_source){ 0 };
    expect_refusal(&config, PLAT_ERR_ARG, "no certificate chain");
    config = config_of_both();
    config.key.file = "key.pem";
    expect_refusal(&config, PLAT_ERR_ARG, "data and file");
    config = config_of_both();
    config.chain.file = "chain.pem";
    expect_refusal(&config, PLAT_ERR_ARG, "data and file");
}

static void files_are_read_and_their_faults_named(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_identity.XXXXXX";
    char chain_path[64], key_path[64], both_path[64];
    plat_identity *id;
    plat_identity_fault fault;
    assert_non_null(mkdtemp(dir));
    snprintf(chain_path, sizeof chain_path, "%s/chain.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/key.der", dir);
    snprintf(both_path, sizeof both_path, "%s/both.pem", dir);
    char key_pem[4096];
    int key_pem_len =
        wc_DerToPem(key, (word32)key_len, (byte *)key_pem, sizeof key_pem, ECC_PRIVATEKEY_TYPE);
    assert_true(key_pem_len > 0);
    FILE *files[] = { fopen(chain_path, "wb"), fopen(key_path, "wb"), fopen(both_path, "wb") };
    assert_int_equal(fwrite(chain, 1, chain_len, files[0]), chain_len);
    assert_int_equal(fwrite(key, 1, key_len, files[1]), key_len);
    assert_int_equal(fwrite(key_pem, 1, (size_t)key_pem_len, files[2]), key_pem_len);
    assert_int_equal(fwrite(chain, 1, chain_len, files[2]), chain_len);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fclose(files[i]), 0);
    }

    plat_identity_config config = { .chain = { .file = chain_path }, .key = { .file = key_path } };
    assert_int_equal(identities->make(identities, &config, &id, &fault), PLAT_OK);
    identities->release(id);
    config = (plat_identity_config){ .chain = { .file = both_path } };
    assert_int_equal(identities->make(identities, &config, &id, &fault), PLAT_OK);
    identities->release(id);

    config.chain.file = "/nonexistent/chain.pem";
    expect_refusal(&config, PLAT_ERR_IDENTITY,
                   "file of the certificate chain cannot be used: there is no such file");
    config.chain.file = chain_path;
    expect_refusal(&config, PLAT_ERR_IDENTITY, "no private key in the text");
    config.key.file = key_pem; /* A key is given in place of its path; it must never be shown. */
    expect_refusal(&config, PLAT_ERR_IDENTITY, "file of the private key cannot be used");
    (void)identities->make(identities, &config, &id, &fault);
    assert_null(strstr(fault.text, "BEGIN"));
    unlink(chain_path);
    unlink(key_path);
    unlink(both_path);
    assert_int_equal(rmdir(dir), 0);
}

static void a_signer_is_tried_and_released(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        use_kind(kind);
        test_signer signer;
        plat_identity *id;
        plat_identity_fault fault;
        test_signer_init(&signer, device_kinds[kind].key);
        plat_identity_config config = { .chain = { chain, chain_len, NULL },
                                        .signer = &signer.base };
        assert_int_equal(identities->make(identities, &config, &id, &fault), PLAT_OK);
        assert_int_equal(signer.signatures, 1);
        assert_ptr_equal(identities->hold(id), id);
        identities->release(id);
        assert_int_equal(signer.releases, 0);
        identities->release(id);
        assert_int_equal(signer.releases, 1);
        identities->release(NULL);

        test_signer_init(&signer, kind == 0 ? PKI_OTHER : PKI_LEAF);
        if (kind == 0) {
            expect_refusal(&config, PLAT_ERR_IDENTITY, "does not belong to the certificate");
            assert_int_equal(signer.releases, 1);
        }
        test_signer_init(&signer, device_kinds[kind].key);
        signer.result = PLAT_ERR_SIGNER;
        signer.why = "the token is not there";
        expect_refusal(&config, PLAT_ERR_SIGNER, "the token is not there");
        signer.why = NULL;
        expect_refusal(&config, PLAT_ERR_SIGNER, "the signer failed");
        assert_int_equal(signer.releases, 2);
    }
    use_kind(0);
}

/* Signs only with PKCS #1. This is enough for RSA, because TLS 1.2 can use it. */
static plat_result sign_pkcs1_only(const plat_signer *self, const plat_sign_request *request,
                                   uint8_t *out, size_t cap, size_t *len,
                                   plat_identity_fault *fault)
{
    static test_signer helper;
    (void)self;
    if (request->scheme != PLAT_SIGN_RSA_PKCS1) {
        return PLAT_ERR_ARG;
    }
    test_signer_init(&helper, PKI_RSA);
    return helper.base.sign(&helper.base, request, out, cap, len, fault);
}

static void a_signer_may_lack_one_padding_of_rsa(void **state)
{
    (void)state;
    static const plat_signer signer = { .sign = sign_pkcs1_only };
    plat_identity *id;
    plat_identity_fault fault;
    use_kind(2);
    const plat_identity_config config = { .chain = { chain, chain_len, NULL }, .signer = &signer };
    assert_int_equal(identities->make(identities, &config, &id, &fault), PLAT_OK);
    identities->release(id);
    use_kind(0);
}

static plat_result sign_too_much(const plat_signer *self, const plat_sign_request *request,
                                 uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault)
{
    (void)self, (void)request, (void)out, (void)fault;
    *len = cap + 1;
    return PLAT_OK;
}

static void a_signature_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static const plat_signer signer = { .sign = sign_too_much };
    const plat_identity_config config = { .chain = { chain, chain_len, NULL }, .signer = &signer };
    expect_refusal(&config, PLAT_ERR_SIGNER, "the signer returned a signature of");
}

static void each_identity_has_a_number_of_its_own(void **state)
{
    (void)state;
    plat_identity *a = device_identity_of(0);
    plat_identity *b = device_identity_of(0);
    assert_true(a->number != 0 && b->number != 0 && a->number != b->number);
    identities->release(a);
    identities->release(b);
}

/* --- threads --- */

enum { THREADS = 4, ROUNDS = 15 };

/* Holds, signs and releases; another thread may release the last reference. */
static void *use_often(void *user)
{
    plat_identity *id = user;
    static const uint8_t digest[32];
    const plat_sign_request request = { PLAT_SIGN_ECDSA, digest, sizeof digest };
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t signature[PLAT_SIGNATURE_MAX];
        plat_identity_fault fault;
        plat_identity_info info;
        size_t len = 0;
        plat_identity *mine = identities->hold(id);
        identities->describe(mine, &info);
        if (plat_identity_sign(mine, &request, signature, sizeof signature, &len, &fault) !=
                PLAT_OK ||
            info.key != PLAT_KEY_EC_P256) {
            return NULL;
        }
        identities->release(mine);
    }
    identities->release(id);
    return user;
}

static void threads_may_share_an_identity(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    plat_identity *id = device_identity_of(0);
    for (int i = 0; i < THREADS; i++) {
        (void)identities->hold(id);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use_often, id), 0);
    }
    identities->release(id);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, id);
    }
}

/* --- memory --- */

static void every_failed_allocation_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        use_kind(kind);
        const plat_identity_config config = config_of_both();
        wolfssl_heap_begin();
        unsigned nth = 0;
        bool failed;
        do {
            plat_identity *id;
            plat_identity_fault fault;
            wolfssl_heap_fail(++nth);
            plat_result r = identities->make(identities, &config, &id, &fault);
            failed = wolfssl_heap_failed();
            assert_true(r == PLAT_OK || fault.text[0] != '\0');
            assert_true(failed || r == PLAT_OK);
            identities->release(id);
            if (r != PLAT_OK) {
                assert_int_equal(wolfssl_heap_blocks(), 0);
            }
        } while (failed);
        assert_true(nth > 5);
        wolfssl_heap_end();
    }
    use_kind(0);
}

/* Returns the bytes of the secret number in the DER of key. */
static const uint8_t *secret_of(size_t *len)
{
    *len = 32;
    /* Skips SEQUENCE (2 bytes), INTEGER 1 (3 bytes) and the head of OCTET STRING (2 bytes). */
    return key + 7;
}

static bool seen;

static void looking_free(void *block)
{
    size_t len;
    const uint8_t *secret = secret_of(&len);
    size_t size = block != NULL ? ((size_t *)block)[-2] : 0;
    for (size_t at = 0; at + len <= size; at++) {
        seen = seen || memcmp((uint8_t *)block + at, secret, len) == 0;
    }
    free(block != NULL ? (size_t *)block - 2 : NULL);
}

static void *looking_malloc(size_t size)
{
    size_t *block = malloc(size + 2 * sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    block[0] = size;
    return block + 2;
}

static void *looking_realloc(void *block, size_t size)
{
    void *next = looking_malloc(size);
    if (block != NULL && next != NULL) {
        size_t old = ((size_t *)block)[-2];
        memcpy(next, block, old < size ? old : size);
        looking_free(block);
    }
    return next;
}

static void no_memory_is_given_back_with_the_key_in_it(void **state)
{
    (void)state;
    plat_identity *id;
    plat_identity_fault fault;
    const plat_identity_config config = config_of_both();
    assert_int_equal(key[5], 0x04);
    assert_int_equal(key[6], 32);
    seen = false;
    assert_int_equal(wolfSSL_SetAllocators(looking_malloc, looking_free, looking_realloc), 0);
    assert_int_equal(identities->make(identities, &config, &id, &fault), PLAT_OK);
    identities->release(id);
    assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
    assert_false(seen);
}

static void its_parts_make_the_same_identity_again(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        use_kind(kind);
        const plat_identity_config config = config_of_both();
        plat_identity_parts parts;
        plat_identity_fault fault;
        plat_identity_info infos[2];
        plat_identity *made[2];
        assert_int_equal(identities->make(identities, &config, &made[0], &fault), PLAT_OK);
        assert_true(identities->show(made[0], &parts));
        const plat_identity_config again = {
            .chain = { .data = parts.chain_pem, .len = parts.chain_len },
            .key = { .data = parts.key_der, .len = parts.key_len }
        };
        assert_int_equal(identities->make(identities, &again, &made[1], &fault), PLAT_OK);
        for (size_t i = 0; i < 2; i++) {
            identities->describe(made[i], &infos[i]);
            identities->release(made[i]);
        }
        assert_memory_equal(infos[0].sha256, infos[1].sha256, sizeof infos[0].sha256);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_parts_make_the_same_identity_again),
        cmocka_unit_test(each_kind_is_made_and_described),
        cmocka_unit_test(a_key_that_belongs_to_another_certificate_is_refused),
        cmocka_unit_test(an_rsa_key_of_another_certificate_is_refused),
        cmocka_unit_test(a_config_that_contradicts_itself_is_refused),
        cmocka_unit_test(files_are_read_and_their_faults_named),
        cmocka_unit_test(a_signer_is_tried_and_released),
        cmocka_unit_test(a_signer_may_lack_one_padding_of_rsa),
        cmocka_unit_test(a_signature_that_is_too_long_is_refused),
        cmocka_unit_test(each_identity_has_a_number_of_its_own),
        cmocka_unit_test(threads_may_share_an_identity),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_leaks_nothing),
        cmocka_unit_test(no_memory_is_given_back_with_the_key_in_it),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
