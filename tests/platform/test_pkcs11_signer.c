#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <p11-kit/pkcs11.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/hash.h>

#include "device_fixture.h"
#include "gnutls_peer.h"
#include "platform/pkcs11.h"
#include "soft_token.h"
#include "wolfssl/identity/identity.h"
#include "wolfssl/x509/signature.h"

#define PIN_QUERY "pin-value=" SOFT_TOKEN_PIN

static gnutls_peer server;
static odd_pkcs11 *odd;

static const char *const versions[] = { "+VERS-TLS1.2", "+VERS-TLS1.3" };
static const char *const objects[DEVICE_KINDS] = { "object=p256", "object=p384", "object=rsa" };

static int make_all(void **state)
{
    static const char *const labels[DEVICE_KINDS] = { "p256", "p384", "rsa" };
    static const char *const ids[DEVICE_KINDS] = { "01", "02", "03" };
    make_everything(state);
    make_devices();
    soft_token_make();
    soft_token_add("another token");
    for (size_t i = 0; i < DEVICE_KINDS; i++) {
        byte der[2048];
        soft_token_import(der, pki_key_der(device_kinds[i].key, der, sizeof der), labels[i],
                          ids[i]);
    }
    odd = soft_token_odd();
    return 0;
}

static int remove_all(void **state)
{
    soft_token_remove();
    return remove_everything(state);
}

static void be_usual(void)
{
    *odd = (odd_pkcs11){ .failing = ODD_NONE };
}

static int begin(void **state)
{
    be_usual();
    return make_stream(state);
}

static int end(void **state)
{
    int rc = free_stream(state);
    assert_int_equal(odd->sessions, 0);
    return rc;
}

#define WITH_TOKEN(test) cmocka_unit_test_setup_teardown(test, begin, end)

static plat_signer *new_signer(const char *object, const char *query)
{
    const plat_pkcs11_config config = { .uri = soft_token_uri(object, query) };
    plat_identity_fault fault;
    plat_signer *signer = NULL;
    plat_result r = plat_pkcs11_signer_new(&config, &signer, &fault);
    if (r != PLAT_OK) {
        fail_msg("%s: %s: %s", object, plat_result_str(r), fault.text);
    }
    return signer;
}

static enum wc_HashType hash_of(uint16_t bits)
{
    return bits == 256   ? WC_HASH_TYPE_SHA256
           : bits == 384 ? WC_HASH_TYPE_SHA384
                         : WC_HASH_TYPE_SHA512;
}

/* Signs a message; if that succeeds, the signature must be good. */
static plat_result sign_message(const plat_signer *signer, size_t kind, plat_sign_scheme scheme,
                                uint16_t bits, plat_identity_fault *fault)
{
    static const uint8_t message[] = "a message";
    uint8_t digest[64], out[PLAT_SIGNATURE_MAX], info[PLAT_PUBLIC_KEY_MAX];
    size_t len = 0;
    const plat_sign_request request = { scheme, digest, bits / 8u };
    assert_int_equal(wc_Hash(hash_of(bits), message, sizeof message, digest, bits / 8u), 0);
    fault->text[0] = '\0';
    plat_result r = signer->sign(signer, &request, out, sizeof out, &len, fault);
    if (r != PLAT_OK) {
        return r;
    }
    const plat_signed proof = {
        .algorithm = { scheme == PLAT_SIGN_ECDSA       ? PLAT_SCHEME_ECDSA
                       : scheme == PLAT_SIGN_RSA_PKCS1 ? PLAT_SCHEME_RSA
                                                       : PLAT_SCHEME_RSA_PSS,
                       bits, (uint16_t)(bits / 8u) },
        .bytes = { message, sizeof message },
        .signature = { out, len },
    };
    const plat_der key = { info, pki_public_der(device_kinds[kind].key, info, sizeof info) };
    assert_int_equal(plat_signature_verify(&proof, key), PLAT_OK);
    return r;
}

static plat_result sign_usual(const plat_signer *signer, size_t kind, plat_identity_fault *fault)
{
    return sign_message(
        signer, kind, device_kinds[kind].kind == PLAT_KEY_RSA ? PLAT_SIGN_RSA_PSS : PLAT_SIGN_ECDSA,
        256, fault);
}

/* --- what works --- */

static void each_kind_of_key_logs_in_with_each_version_of_tls(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        for (size_t v = 0; v < 2; v++) {
            static char pem[8192];
            const pki_cert *const certs[] = { &device_certs[kind], &device_ca };
            const gnutls_peer_config c = { .versions = versions[v],
                                           .demand = true,
                                           .root = &device_root };
            plat_identity *identity = NULL;
            plat_identity_fault fault;
            const plat_identity_config config = {
                .chain = { pem, device_pem(pem, sizeof pem, certs, 2), NULL },
                .signer = new_signer(objects[kind], PIN_QUERY),
            };
            assert_int_equal(
                plat_wolfssl_identities.make(&plat_wolfssl_identities, &config, &identity, &fault),
                PLAT_OK);
            restart_stream();
            assert_int_equal(s->ops->set_identity(s, identity), PLAT_OK);
            plat_wolfssl_identities.release(identity);
            plat_result r = gnutls_peer_connect(&server, &c);
            if (r != PLAT_OK || !server.done) {
                fail_msg("%s, %s: %s (%s); GnuTLS: %s", device_kinds[kind].name, versions[v],
                         plat_result_str(r), s->ops->detail(s), gnutls_strerror(server.failure));
            }
            assert_int_equal(server.presented, 2);
            gnutls_peer_echo(&server);
            gnutls_peer_disconnect(&server);
            restart_stream(); /* ends the last reference */
        }
    }
}

static void each_kind_of_key_signs_with_each_scheme_and_hash(void **state)
{
    (void)state;
    static const uint16_t bits[] = { 256, 384, 512 };
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        plat_signer *signer = new_signer(objects[kind], PIN_QUERY);
        for (size_t b = 0; b < 3; b++) {
            for (int scheme = PLAT_SIGN_RSA_PKCS1; scheme <= PLAT_SIGN_ECDSA; scheme++) {
                plat_identity_fault fault;
                const bool fits =
                    (device_kinds[kind].kind == PLAT_KEY_RSA) == (scheme != PLAT_SIGN_ECDSA);
                plat_result r =
                    sign_message(signer, kind, (plat_sign_scheme)scheme, bits[b], &fault);
                assert_int_equal(r, fits ? PLAT_OK : PLAT_ERR_ARG);
                assert_int_equal(fault.text[0] == '\0', fits);
            }
        }
        signer->release(signer);
    }
}

/* If r or s of an ECDSA signature begins with zeros, the signature is shorter. Two hundred
 * signatures contain some of these. */
static void two_hundred_signatures_are_good_and_take_one_login(void **state)
{
    (void)state;
    plat_identity_fault fault;
    plat_signer *signer = new_signer("id=%01", PIN_QUERY);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(sign_usual(signer, 0, &fault), PLAT_OK);
    }
    assert_int_equal(odd->logins, 1);
    assert_int_equal(odd->sessions, 1);
    signer->release(signer);
}

static void a_key_that_wants_the_pin_each_time_gets_it(void **state)
{
    (void)state;
    plat_identity_fault fault;
    odd->asks_each_time = true;
    plat_signer *signer = new_signer(objects[2], PIN_QUERY);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(sign_usual(signer, 2, &fault), PLAT_OK);
        assert_int_equal(odd->context_logins, i);
    }
    odd->failing = ODD_LOGIN;
    odd->code = CKR_PIN_INCORRECT;
    odd->times = 1;
    assert_int_equal(sign_usual(signer, 2, &fault), PLAT_ERR_PASSPHRASE);
    assert_int_equal(sign_usual(signer, 2, &fault), PLAT_ERR_PASSPHRASE);
    assert_int_equal(odd->context_logins, 4);
    signer->release(signer);
}

typedef struct asked {
    unsigned times;
    const char *pin; /* NULL: there is no PIN */
} asked;

static size_t tell_pin(void *user, const char *token, char *out, size_t cap)
{
    asked *a = user;
    a->times++;
    assert_string_equal(token, SOFT_TOKEN_LABEL);
    assert_int_equal(cap, PLAT_PKCS11_PIN_MAX);
    if (a->pin == NULL) {
        return cap + 1;
    }
    memcpy(out, a->pin, strlen(a->pin));
    return strlen(a->pin);
}

static void the_pin_comes_from_a_file_or_a_callback(void **state)
{
    (void)state;
    static const char *const forms[] = { "pin-source=%s", "pin-source=file:%s",
                                         "pin-source=file://%s" };
    static const char *const texts[] = { SOFT_TOKEN_PIN, SOFT_TOKEN_PIN "\n",
                                         SOFT_TOKEN_PIN "\r\n" };
    for (size_t i = 0; i < 9; i++) {
        char query[256];
        snprintf(query, sizeof query, forms[i % 3], soft_token_file("pin", texts[i / 3]));
        plat_signer *signer = new_signer(objects[0], query);
        signer->release(signer);
    }
    asked a = { .pin = SOFT_TOKEN_PIN };
    const plat_pkcs11_config config = { soft_token_uri(objects[0], ""), tell_pin, &a };
    plat_identity_fault fault;
    plat_signer *signer = NULL;
    assert_int_equal(plat_pkcs11_signer_new(&config, &signer, &fault), PLAT_OK);
    assert_int_equal(a.times, 1);
    assert_int_equal(sign_usual(signer, 0, &fault), PLAT_OK);
    assert_int_equal(a.times, 1);
    signer->release(signer);
}

static void *sign_often(void *user)
{
    plat_identity_fault fault;
    for (int i = 0; i < 25; i++) {
        if (sign_usual(user, 0, &fault) != PLAT_OK) {
            return user;
        }
    }
    return NULL;
}

static void four_threads_sign_at_the_same_time(void **state)
{
    (void)state;
    pthread_t threads[4];
    plat_signer *signer = new_signer(objects[0], PIN_QUERY);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, signer), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    signer->release(signer);
}

static void a_token_that_was_removed_can_be_used_when_it_is_back(void **state)
{
    (void)state;
    plat_identity_fault fault;
    asked a = { .pin = SOFT_TOKEN_PIN };
    const plat_pkcs11_config config = { soft_token_uri(objects[1], ""), tell_pin, &a };
    plat_signer *signer = NULL;
    assert_int_equal(plat_pkcs11_signer_new(&config, &signer, &fault), PLAT_OK);
    for (unsigned round = 1; round <= 5; round++) {
        odd->removed = true;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(sign_usual(signer, 1, &fault), PLAT_ERR_SIGNER);
            assert_non_null(strstr(fault.text, "insert it"));
            assert_int_equal(odd->sessions, 0);
        }
        odd->removed = false;
        assert_int_equal(sign_usual(signer, 1, &fault), PLAT_OK);
        assert_int_equal(a.times, 1 + round);
        assert_int_equal(odd->sessions, 1);
    }
    signer->release(signer);
}

/* --- what fails --- */

typedef struct refusal {
    const char *uri; /* NULL: the URI is made of object and query */
    const char *object;
    const char *query;
    plat_result result;
    const char *text; /* part of the sentence */
} refusal;

static void expect_refused(const char *uri, const refusal *c)
{
    const plat_pkcs11_config config = { .uri = uri };
    plat_identity_fault fault;
    plat_signer *signer = (plat_signer *)&fault;
    plat_result r = plat_pkcs11_signer_new(&config, &signer, &fault);
    if (r != c->result || strstr(fault.text, c->text) == NULL) {
        fail_msg("%s: %s: %s", uri != NULL ? uri : "NULL", plat_result_str(r), fault.text);
    }
    assert_null(signer);
    assert_null(strstr(fault.text, SOFT_TOKEN_PIN));
    assert_null(strstr(fault.text, "9999"));
    assert_true(strlen(fault.text) < sizeof fault.text - 1); /* the text was not cut */
}

static void each_mistake_is_named_with_its_remedy(void **state)
{
    (void)state;
    const refusal cases[] = {
        { "", NULL, NULL, PLAT_ERR_ARG, "must begin with \"pkcs11:\"" },
        { "file:/etc/key.pem", NULL, NULL, PLAT_ERR_ARG, "must begin with \"pkcs11:\"" },
        { "pkcs11:object=%zz", NULL, NULL, PLAT_ERR_ARG, "malformed" },
        { "pkcs11:object", NULL, NULL, PLAT_ERR_ARG, "malformed" },
        { "pkcs11:colour=red", NULL, NULL, PLAT_ERR_ARG, "not known" },
        { "pkcs11:object=a?module-path=/nowhere/module.so&pin-value=9999", NULL, NULL,
          PLAT_ERR_SIGNER, "module /nowhere/module.so cannot be loaded; correct module-path=" },
        { "pkcs11:object=a?module-name=nowhere&pin-value=9999", NULL, NULL, PLAT_ERR_SIGNER,
          "no PKCS #11 module fits the URI" },
        { "pkcs11:object=p256?module-path=" ODD_MODULE "&" PIN_QUERY, NULL, NULL, PLAT_ERR_ARG,
          "2 PKCS #11 tokens fit the URI; add token=" },
        { "pkcs11:token=absent;object=p256?module-path=" ODD_MODULE "&" PIN_QUERY, NULL, NULL,
          PLAT_ERR_SIGNER, "no PKCS #11 token that fits the URI is present; insert it" },
        { "pkcs11:token=device%20token;slot-id=77;object=p256?module-path=" ODD_MODULE
          "&" PIN_QUERY,
          NULL, NULL, PLAT_ERR_SIGNER, "no PKCS #11 token" },
        { NULL, "object=absent", PIN_QUERY, PLAT_ERR_IDENTITY, "has no private key that fits" },
        { NULL, "id=%09", PIN_QUERY, PLAT_ERR_IDENTITY, "has no private key that fits" },
        { NULL, "object=p256;id=%02", PIN_QUERY, PLAT_ERR_IDENTITY, "has no private key" },
        { NULL, "type=private", PIN_QUERY, PLAT_ERR_IDENTITY, "more than one private key" },
        { NULL, "object=p256;type=cert", PIN_QUERY, PLAT_ERR_ARG, "another kind of object" },
        { NULL, "object=p256;type=public", PIN_QUERY, PLAT_ERR_ARG, "another kind of object" },
        { NULL, "object=p256", "", PLAT_ERR_PASSPHRASE, "needs a PIN; add pin-source=" },
        { NULL, "object=p256", "pin-source=/nowhere/pin", PLAT_ERR_PASSPHRASE, "file of the PIN" },
        { NULL, "object=p256", "pin-value=9999", PLAT_ERR_PASSPHRASE, "refuses the PIN" },
        { NULL, "object=p256", "pin-value=", PLAT_ERR_PASSPHRASE, "correct the PIN" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const refusal *c = &cases[i];
        expect_refused(c->uri != NULL ? c->uri : soft_token_uri(c->object, c->query), c);
        assert_int_equal(odd->sessions, 0);
    }
    const refusal missing = { .result = PLAT_ERR_ARG, .text = "missing" };
    expect_refused(NULL, &missing);
}

static void a_uri_or_pin_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char uri[PLAT_PKCS11_URI_MAX + 2];
    static char query[512] = "pin-value=";
    memset(uri, 'a', sizeof uri - 1);
    memcpy(uri, "pkcs11:object=", 14);
    const refusal too_long = { .result = PLAT_ERR_ARG, .text = "longer than 4096" };
    expect_refused(uri, &too_long);

    memset(query + 10, '9', PLAT_PKCS11_PIN_MAX + 1);
    const refusal long_pin = { .result = PLAT_ERR_PASSPHRASE, .text = "longer than 255" };
    expect_refused(soft_token_uri(objects[0], query), &long_pin);
    query[10 + PLAT_PKCS11_PIN_MAX] = '\0'; /* the longest PIN that is tried */
    const refusal wrong_pin = { .result = PLAT_ERR_PASSPHRASE, .text = "PIN" };
    expect_refused(soft_token_uri(objects[0], query), &wrong_pin);
}

static void a_callback_without_a_pin_is_asked_again_at_the_next_attempt(void **state)
{
    (void)state;
    asked a = { .pin = SOFT_TOKEN_PIN };
    const plat_pkcs11_config config = { soft_token_uri(objects[0], ""), tell_pin, &a };
    plat_identity_fault fault;
    plat_signer *signer = NULL;
    assert_int_equal(plat_pkcs11_signer_new(&config, &signer, &fault), PLAT_OK);
    odd->removed = true;
    assert_int_equal(sign_usual(signer, 0, &fault), PLAT_ERR_SIGNER);
    odd->removed = false;
    a.pin = NULL;
    assert_int_equal(sign_usual(signer, 0, &fault), PLAT_ERR_PASSPHRASE);
    a.pin = SOFT_TOKEN_PIN;
    assert_int_equal(sign_usual(signer, 0, &fault), PLAT_OK);
    assert_int_equal(a.times, 3);
    signer->release(signer);
}

static void a_refused_pin_is_not_tried_again(void **state)
{
    (void)state;
    static const CK_RV codes[] = { CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_EXPIRED,
                                   CKR_PIN_INVALID, CKR_PIN_LEN_RANGE };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        plat_identity_fault fault;
        be_usual();
        plat_signer *signer = new_signer(objects[0], PIN_QUERY);
        *odd = (odd_pkcs11){ .removed = true, .sessions = odd->sessions };
        assert_int_equal(sign_usual(signer, 0, &fault), PLAT_ERR_SIGNER);
        *odd = (odd_pkcs11){ .failing = ODD_LOGIN, .code = codes[i], .times = 1 };
        for (int attempt = 0; attempt < 5; attempt++) {
            assert_int_equal(sign_usual(signer, 0, &fault), PLAT_ERR_PASSPHRASE);
            assert_true(fault.text[0] != '\0');
        }
        assert_int_equal(odd->logins, 1);
        signer->release(signer);
        assert_int_equal(odd->sessions, 0);
    }
}

static const CK_RV failures[] = {
    CKR_GENERAL_ERROR,
    CKR_FUNCTION_FAILED,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_REMOVED,
    CKR_TOKEN_NOT_PRESENT,
    CKR_SESSION_HANDLE_INVALID,
    CKR_SESSION_CLOSED,
    CKR_KEY_HANDLE_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_HOST_MEMORY,
    CKR_DEVICE_MEMORY,
    CKR_USER_NOT_LOGGED_IN,
    CKR_SESSION_COUNT,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_USER_PIN_NOT_INITIALIZED,
    CKR_MECHANISM_INVALID,
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
    0x80000123,
};

/* Makes each function fail at each of its calls while a signer is made. Either no signer is
 * made, or it works. */
static void a_token_that_fails_while_a_signer_is_made_is_reported(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (int call = ODD_GET_INFO; call <= ODD_GET_ATTRIBUTE; call++) {
        for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
            for (unsigned after = 0; after < 4; after++) {
                const plat_pkcs11_config config = { .uri = soft_token_uri(objects[0], PIN_QUERY) };
                plat_identity_fault fault;
                plat_signer *signer = NULL;
                *odd = (odd_pkcs11){ (odd_call)call, failures[i], after, 1, .removed = false };
                plat_result r = plat_pkcs11_signer_new(&config, &signer, &fault);
                assert_int_equal(r == PLAT_OK, signer != NULL);
                assert_int_equal(r == PLAT_OK, fault.text[0] == '\0');
                assert_null(strstr(fault.text, SOFT_TOKEN_PIN));
                if (r == PLAT_OK) {
                    assert_int_equal(sign_usual(signer, 0, &fault), PLAT_OK);
                    signer->release(signer);
                } else {
                    refused++;
                }
                assert_int_equal(odd->sessions, 0);
            }
        }
    }
    assert_true(refused >= 9 * sizeof failures / sizeof failures[0]);
}

/* Makes each function fail once or several times while a signature is made. After one failure, a
 * second attempt succeeds; further failures are reported, and the signer works again afterwards. */
static void a_token_that_fails_while_it_signs_is_tried_again(void **state)
{
    (void)state;
    plat_identity_fault fault;
    for (int call = ODD_SIGN_INIT; call <= ODD_SIGN; call++) {
        for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
            for (unsigned times = 1; times <= 3; times++) {
                be_usual();
                plat_signer *signer = new_signer(objects[0], PIN_QUERY);
                odd->failing = (odd_call)call;
                odd->code = failures[i];
                odd->times = times;
                plat_result r = sign_usual(signer, 0, &fault);
                const plat_result wanted = failures[i] == CKR_HOST_MEMORY         ? PLAT_ERR_MEMORY
                                           : failures[i] == CKR_MECHANISM_INVALID ? PLAT_ERR_ARG
                                           : failures[i] == CKR_USER_PIN_NOT_INITIALIZED
                                               ? PLAT_ERR_PASSPHRASE
                                           : times == 1 ? PLAT_OK
                                                        : PLAT_ERR_SIGNER;
                if (r != wanted) {
                    fail_msg("%d 0x%lx %u: %s: %s", call, failures[i], times, plat_result_str(r),
                             fault.text);
                }
                assert_int_equal(r == PLAT_OK, fault.text[0] == '\0');
                odd->times = 0;
                assert_int_equal(sign_usual(signer, 0, &fault), PLAT_OK);
                signer->release(signer);
                assert_int_equal(odd->sessions, 0);
            }
        }
    }
}

static void a_signature_of_a_wrong_size_is_refused(void **state)
{
    (void)state;
    plat_identity_fault fault;
    plat_signer *signer = new_signer(objects[0], PIN_QUERY);
    odd->short_by = 2;
    assert_int_equal(sign_usual(signer, 0, &fault), PLAT_ERR_SIGNER);
    assert_non_null(strstr(fault.text, "62 bytes"));
    odd->short_by = 0;
    assert_int_equal(sign_usual(signer, 0, &fault), PLAT_OK);
    signer->release(signer);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    static char pem[8192];
    pki_cert other;
    pki_spec spec = device_spec(0);
    spec.key = PKI_OTHER;
    pki_make(&other, &spec);
    const pki_cert *const certs[] = { &other };
    plat_identity *identity = NULL;
    plat_identity_fault fault;
    const plat_identity_config config = {
        .chain = { pem, device_pem(pem, sizeof pem, certs, 1), NULL },
        .signer = new_signer(objects[0], PIN_QUERY),
    };
    assert_int_equal(
        plat_wolfssl_identities.make(&plat_wolfssl_identities, &config, &identity, &fault),
        PLAT_ERR_IDENTITY);
    assert_null(identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TOKEN(each_kind_of_key_logs_in_with_each_version_of_tls),
        WITH_TOKEN(each_kind_of_key_signs_with_each_scheme_and_hash),
        WITH_TOKEN(two_hundred_signatures_are_good_and_take_one_login),
        WITH_TOKEN(a_key_that_wants_the_pin_each_time_gets_it),
        WITH_TOKEN(the_pin_comes_from_a_file_or_a_callback),
        WITH_TOKEN(four_threads_sign_at_the_same_time),
        WITH_TOKEN(a_token_that_was_removed_can_be_used_when_it_is_back),
        WITH_TOKEN(each_mistake_is_named_with_its_remedy),
        WITH_TOKEN(a_uri_or_pin_that_is_too_long_is_refused),
        WITH_TOKEN(a_callback_without_a_pin_is_asked_again_at_the_next_attempt),
        WITH_TOKEN(a_refused_pin_is_not_tried_again),
        WITH_TOKEN(a_token_that_fails_while_a_signer_is_made_is_reported),
        WITH_TOKEN(a_token_that_fails_while_it_signs_is_tried_again),
        WITH_TOKEN(a_signature_of_a_wrong_size_is_refused),
        WITH_TOKEN(a_key_of_another_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
