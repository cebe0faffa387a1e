#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "tls_fixture.h"
#include "wolfssl/tls/tls_context.h"

/* Tests which version, cipher suite and group both sides agree on, and which ones the stream
 * refuses. */

static const struct unsafe_suite {
    const char *name;
    bool anonymous;
    bool rsa;
} unsafe_suites[] = {
    { "ADH-AES128-SHA", true, false },           { "ADH-AES256-GCM-SHA384", true, false },
    { "ECDHE-ECDSA-NULL-SHA", false, false },    { "ECDHE-ECDSA-RC4-SHA", false, false },
    { "ECDHE-RSA-RC4-SHA", false, true },        { "ECDHE-ECDSA-DES-CBC3-SHA", false, false },
    { "ECDHE-RSA-DES-CBC3-SHA", false, true },   { "ECDHE-ECDSA-AES128-SHA256", false, false },
    { "ECDHE-RSA-AES256-SHA384", false, true },  { "DHE-RSA-AES128-GCM-SHA256", false, true },
    { "TLS13-AES128-CCM-SHA256", false, false },
};
enum { UNSAFE_SUITES = sizeof unsafe_suites / sizeof unsafe_suites[0] };

static void good_chains_connect_with_both_versions_and_every_suite(void **state)
{
    (void)state;
    static const char *const suites[] = {
        "TLS13-CHACHA20-POLY1305-SHA256", "TLS13-AES128-GCM-SHA256",
        "TLS13-AES256-GCM-SHA384",        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-GCM-SHA256",  "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",    "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384"
    };
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        tls_peer_config c = good_config;
        if (strstr(suites[i], "-RSA-") != NULL) {
            c.chain[0] = &good_rsa;
            c.key = PKI_RSA;
        }
        c.suites = suites[i];
        c.max_version = strncmp(suites[i], "TLS13", 5) == 0 ? 0 : TLS1_2_VERSION;
        expect_success(suites[i], HOST, &c);
        restart_stream(); /* removes the session, since resuming it would select its suite */
    }
    tls_peer_config c = good_config;
    c.max_version = TLS1_2_VERSION;
    expect_success("TLS 1.2 only", HOST, &c);
    restart_stream();
    c.max_version = 0;
    c.min_version = WOLFSSL_TLSV1_3;
    expect_success("TLS 1.3 only", HOST, &c);
}

static void *connect_elsewhere(void *unused)
{
    (void)unused;
    expect_success("on another thread", HOST, &good_config);
    return NULL;
}

/* wolfSSL has tables for each thread; the memory sanitizer reports any that are not freed. */
static void a_thread_that_connected_may_end(void **state)
{
    (void)state;
    pthread_t thread;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&thread, NULL, connect_elsewhere, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

static void the_server_receives_the_name_but_never_an_address(void **state)
{
    (void)state;
    assert_int_equal(connect_to("hub.example.", &good_config), PLAT_OK);
    assert_string_equal(peer.sni, "hub.example");
    disconnect();
    assert_int_equal(connect_to("192.0.2.1", &good_config), PLAT_OK);
    assert_string_equal(peer.sni, "");
    disconnect();
}

/* A list with only TLS 1.2 suites does not remove wolfSSL's TLS 1.3 suites. Without setting the
 * highest version, the server would agree on one of those. */
static tls_peer_config server_with(const struct unsafe_suite *suite)
{
    return (tls_peer_config){ .chain = { suite->rsa ? &good_rsa : &good },
                              .chain_len = suite->anonymous ? 0 : 1,
                              .key = suite->rsa ? PKI_RSA : PKI_LEAF,
                              .max_version =
                                  strncmp(suite->name, "TLS13", 5) == 0 ? 0 : TLS1_2_VERSION,
                              .suites = suite->name };
}

static void unsafe_suites_and_old_versions_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNSAFE_SUITES; i++) {
        if (tls_peer_has_suite(unsafe_suites[i].name)) {
            tls_peer_config c = server_with(&unsafe_suites[i]);
            expect_refusal(unsafe_suites[i].name, HOST, &c, PLAT_ERR_TLS);
        }
    }
#ifdef NO_OLD_TLS
    print_message("skipped: TLS 1.1: this wolfSSL has none\n");
#else
    tls_peer_config c = good_config;
    c.max_version = TLS1_1_VERSION;
    expect_refusal("TLS 1.1", HOST, &c, PLAT_ERR_TLS);
#endif
}

/* Acts as if wolfSSL itself had offered the suite: the handshake succeeds, and then the stream
 * checks the suite. */
static void an_unsafe_suite_that_was_agreed_upon_is_refused_all_the_same(void **state)
{
    (void)state;
    size_t agreed = 0;
    for (size_t i = 0; i < UNSAFE_SUITES; i++) {
        const char *name = unsafe_suites[i].name;
        if (!tls_peer_has_suite(name)) {
            print_message("%s is not in this wolfSSL\n", name);
            continue;
        }
        tls_peer_config c = server_with(&unsafe_suites[i]);
        restart_stream();
        (void)wolfSSL_CTX_allow_anon_cipher(tls.profile->context->ctx);
        assert_int_equal(wolfSSL_CTX_set_cipher_list(tls.profile->context->ctx, name),
                         WOLFSSL_SUCCESS);
        assert_int_equal(connect_to(HOST, &c), PLAT_ERR_TLS);
        agreed += strstr(s->ops->detail(s), "unsafe cipher suite") != NULL ? 1 : 0;
        disconnect();
    }
    /* At least one suite each: without encryption, without a certificate, with CBC and with CCM. */
    assert_true(agreed >= 4);
}

static void only_what_was_offered_counts_as_safe(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "TLS13",
                                       "TLS13-AES128-GCM-SHA25",
                                       "ADH-AES128-SHA",
                                       "TLS13-AES128-CCM-SHA256",
                                       "ECDHE-RSA-AES128-SHA256",
                                       "RSA-AES256-GCM-SHA384",
                                       "AES256-GCM-SHA384" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (plat_tls_suite_is_safe(bad[i])) {
            fail_msg("\"%s\" counts as safe", bad[i]);
        }
    }
    assert_true(plat_tls_suite_is_safe("TLS13-AES128-GCM-SHA256"));
    assert_true(plat_tls_suite_is_safe("ECDHE-RSA-AES256-GCM-SHA384"));
    assert_false(plat_tls_group_is_safe(NULL));
    assert_false(plat_tls_group_is_safe("SECP224R1"));
    assert_true(plat_tls_group_is_safe("SECP256R1"));
}

static void a_server_gets_the_group_that_it_has_and_x25519_if_it_has_all(void **state)
{
    (void)state;
    static const struct {
        int only;
        const char *group;
    } cases[] = {
        { 0, "X25519" },
        { WOLFSSL_ECC_X25519, "X25519" },
        { WOLFSSL_ECC_SECP256R1, "SECP256R1" },
        { WOLFSSL_ECC_SECP384R1, "SECP384R1" },
        { WOLFSSL_ECC_SECP521R1, "SECP521R1" },
        { WOLFSSL_ECC_X448, "X448" },
    };
    tls_peer_config c = good_config;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        c.group = cases[i].only;
        assert_int_equal(connect_to(HOST, &c), PLAT_OK);
        assert_string_equal(wolfSSL_get_curve_name(tls.ssl), cases[i].group);
        expect_echo(cases[i].group);
        disconnect();
    }
    restart_stream(); /* removes sessions of the other TLS version */
    c = good_config;
    c.max_version = TLS1_2_VERSION;
    assert_int_equal(connect_to(HOST, &c), PLAT_OK);
    assert_string_equal(wolfSSL_get_curve_name(tls.ssl), "X25519");
    disconnect();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(good_chains_connect_with_both_versions_and_every_suite),
        WITH_STREAM(a_thread_that_connected_may_end),
        WITH_STREAM(the_server_receives_the_name_but_never_an_address),
        WITH_STREAM(unsafe_suites_and_old_versions_are_refused),
        WITH_STREAM(an_unsafe_suite_that_was_agreed_upon_is_refused_all_the_same),
        WITH_STREAM(only_what_was_offered_counts_as_safe),
        WITH_STREAM(a_server_gets_the_group_that_it_has_and_x25519_if_it_has_all),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
