#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "gnutls_peer.h"

static gnutls_peer server;

static const char *const versions[] = { "+VERS-TLS1.2", "+VERS-TLS1.3" };

static int make_all(void **state)
{
    make_everything(state);
    make_devices();
    return 0;
}

static void use(plat_identity *identity)
{
    assert_int_equal(s->ops->set_identity(s, identity), PLAT_OK);
    plat_wolfssl_identities.release(identity); /* the stream has its own reference */
}

static void expect(const char *what, plat_result wanted, const gnutls_peer_config *config)
{
    plat_result r = gnutls_peer_connect(&server, config);
    if (r != wanted) {
        fail_msg("%s: %s (%s), not %s; GnuTLS: %s", what, plat_result_str(r), s->ops->detail(s),
                 plat_result_str(wanted), gnutls_strerror(server.failure));
    }
}

static void expect_login(const char *what, const gnutls_peer_config *config, unsigned presented)
{
    plat_result r = gnutls_peer_connect(&server, config);
    if (r != PLAT_OK || !server.done) {
        fail_msg("%s: %s (%s); GnuTLS: %s", what, plat_result_str(r), s->ops->detail(s),
                 gnutls_strerror(server.failure));
    }
    assert_int_equal(server.presented, presented);
    gnutls_peer_echo(&server);
    gnutls_peer_disconnect(&server);
}

/* --- what works --- */

static void each_kind_of_key_logs_in_with_each_version_and_each_kind_of_server(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        for (size_t v = 0; v < 2; v++) {
            for (int flags = 0; flags < 4; flags++) {
                const gnutls_peer_config c = { .versions = versions[v],
                                               .rsa = (flags & 1) != 0,
                                               .demand = (flags & 2) != 0,
                                               .root = &device_root };
                char what[64];
                snprintf(what, sizeof what, "%s, %s, %d", device_kinds[kind].name, versions[v],
                         flags);
                restart_stream();
                use(device_identity_of(kind));
                expect_login(what, &c, 2);
            }
        }
    }
}

static void rsa_signs_by_each_padding_and_hash(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *signatures;
    } cases[] = {
        { "+VERS-TLS1.2", "-SIGN-ALL:+SIGN-RSA-SHA256" },
        { "+VERS-TLS1.2", "-SIGN-ALL:+SIGN-RSA-SHA384" },
        { "+VERS-TLS1.2", "-SIGN-ALL:+SIGN-RSA-SHA512" },
        { "+VERS-TLS1.2", "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256" },
        { "+VERS-TLS1.2", "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA384" },
        { "+VERS-TLS1.3", "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256" },
        { "+VERS-TLS1.3", "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA384" },
        { "+VERS-TLS1.3", "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA512" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const gnutls_peer_config c = { .versions = cases[i].version,
                                       .signatures = cases[i].signatures,
                                       .rsa = true };
        restart_stream();
        use(device_identity_of(2));
        expect_login(cases[i].signatures, &c, 2);
    }
}

static void a_server_that_only_asks_gets_nothing_from_a_stream_without_identity(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        const gnutls_peer_config c = { .versions = versions[v] };
        restart_stream();
        expect_login(versions[v], &c, 0);
    }
}

static void a_signer_logs_in_with_each_kind_of_key(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        for (size_t v = 0; v < 2; v++) {
            static char pem[8192];
            const pki_cert *const certs[] = { &device_certs[kind], &device_ca };
            const gnutls_peer_config c = { .versions = versions[v], .root = &device_root };
            test_signer signer;
            plat_identity *identity = NULL;
            plat_identity_fault fault;
            test_signer_init(&signer, device_kinds[kind].key);
            const plat_identity_config config = {
                .chain = { pem, device_pem(pem, sizeof pem, certs, 2), NULL },
                .signer = &signer.base,
            };
            assert_int_equal(
                plat_wolfssl_identities.make(&plat_wolfssl_identities, &config, &identity, &fault),
                PLAT_OK);
            assert_int_equal(signer.signatures, 1);
            restart_stream();
            use(identity);
            expect_login(device_kinds[kind].name, &c, 2);
            assert_int_equal(signer.signatures, 2);
            assert_int_equal(signer.releases, 0);
            restart_stream();
            assert_int_equal(signer.releases, 1);
        }
    }
}

/* --- what fails --- */

static void a_signer_that_fails_is_named(void **state)
{
    (void)state;
    static char pem[8192];
    static const struct {
        plat_result result;
        const char *why;
        plat_result wanted;
        const char *text;
    } cases[] = {
        { PLAT_ERR_SIGNER, "the token was removed", PLAT_ERR_SIGNER, "the token was removed" },
        { PLAT_ERR_SIGNER, NULL, PLAT_ERR_SIGNER, "the signer failed" },
        { PLAT_ERR_ARG, NULL, PLAT_ERR_SIGNER, "the signer failed" },
        { PLAT_ERR_MEMORY, NULL, PLAT_ERR_MEMORY, "the signer failed" },
    };
    const pki_cert *const certs[] = { &device_certs[0] };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t v = 0; v < 2; v++) {
            const gnutls_peer_config c = { .versions = versions[v] };
            test_signer signer;
            plat_identity *identity = NULL;
            plat_identity_fault fault;
            test_signer_init(&signer, PKI_LEAF);
            const plat_identity_config config = {
                .chain = { pem, device_pem(pem, sizeof pem, certs, 1), NULL },
                .signer = &signer.base,
            };
            assert_int_equal(
                plat_wolfssl_identities.make(&plat_wolfssl_identities, &config, &identity, &fault),
                PLAT_OK);
            restart_stream();
            use(identity);
            signer.result = cases[i].result;
            signer.why = cases[i].why;
            expect(cases[i].text, cases[i].wanted, &c);
            assert_non_null(strstr(s->ops->detail(s), cases[i].text));
            gnutls_peer_disconnect(&server);

            signer.result = PLAT_OK; /* the next attempt is independent of the failed one */
            expect_login("after the failure", &c, 1);
            restart_stream();
        }
    }
}

static void a_server_that_refuses_the_certificate_is_named_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        int alert;
        const char *why;
    } cases[] = {
        { GNUTLS_A_BAD_CERTIFICATE, "refuses the client certificate as bad" },
        { GNUTLS_A_UNSUPPORTED_CERTIFICATE, "kind of the client certificate" },
        { GNUTLS_A_CERTIFICATE_REVOKED, "certificate is revoked" },
        { GNUTLS_A_CERTIFICATE_EXPIRED, "certificate has expired, or is not valid yet" },
        { GNUTLS_A_CERTIFICATE_UNKNOWN, "does not accept the client certificate" },
        { GNUTLS_A_UNKNOWN_CA, "an intermediate certificate may be missing" },
        { GNUTLS_A_ACCESS_DENIED, "denies access" },
        { GNUTLS_A_DECRYPT_ERROR, "signature with the client's key is wrong" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t v = 0; v < 2; v++) {
            const gnutls_peer_config c = { .versions = versions[v], .alert = cases[i].alert };
            restart_stream();
            use(device_identity_of(0));
            expect(cases[i].why, PLAT_ERR_IDENTITY_REFUSED, &c);
            assert_non_null(strstr(s->ops->detail(s), cases[i].why));
            gnutls_peer_disconnect(&server);
        }
    }
}

static void a_missing_intermediate_is_noticed_by_the_server(void **state)
{
    (void)state;
    const pki_cert *const certs[] = { &device_certs[0] };
    for (size_t v = 0; v < 2; v++) {
        const gnutls_peer_config c = { .versions = versions[v], .root = &device_root };
        restart_stream();
        use(device_identity(certs, 1, PKI_LEAF));
        expect(versions[v], PLAT_ERR_IDENTITY_REFUSED, &c);
        assert_non_null(strstr(s->ops->detail(s), "intermediate"));
        gnutls_peer_disconnect(&server);
    }
}

static void an_expired_certificate_is_presented_all_the_same(void **state)
{
    (void)state;
    pki_cert expired;
    pki_spec spec = device_spec(0);
    spec.from_days = -30;
    spec.to_days = -1;
    pki_make(&expired, &spec);
    const pki_cert *const certs[] = { &expired, &device_ca };
    const gnutls_peer_config c = { .root = &device_root };
    use(device_identity(certs, 2, PKI_LEAF));
    expect("expired", PLAT_ERR_IDENTITY_REFUSED, &c);
    assert_non_null(strstr(s->ops->detail(s), "has expired"));
    gnutls_peer_disconnect(&server);
}

static void a_server_that_demands_a_certificate_is_named(void **state)
{
    (void)state;
    static const char *const why[] = { "seems to require a client certificate",
                                       "requires a client certificate" };
    for (size_t v = 0; v < 2; v++) {
        const gnutls_peer_config c = { .versions = versions[v], .demand = true };
        restart_stream();
        expect(versions[v], PLAT_ERR_IDENTITY_REFUSED, &c);
        assert_non_null(strstr(s->ops->detail(s), why[v]));
        gnutls_peer_disconnect(&server);
    }
}

/* --- changing it --- */

static void an_identity_may_be_changed_while_the_stream_is_closed_only(void **state)
{
    (void)state;
    const gnutls_peer_config c = { .root = &device_root };
    plat_identity *first = device_identity_of(0);
    plat_identity *second = device_identity_of(2);
    use(first);
    assert_int_equal(gnutls_peer_connect(&server, &c), PLAT_OK);
    assert_int_equal(s->ops->set_identity(s, second), PLAT_ERR_STATE);
    gnutls_peer_echo(&server);
    gnutls_peer_disconnect(&server);
    use(second);
    expect_login("second", &c, 2);
    assert_int_equal(s->ops->set_identity(s, NULL), PLAT_OK);
    expect_login("none", &c, 0);
}

static void a_session_is_not_resumed_with_another_identity(void **state)
{
    (void)state;
    gnutls_peer_keep_tickets(&server);
    for (size_t v = 1; v < 2; v++) {
        const gnutls_peer_config c = { .versions = versions[v], .root = &device_root };
        plat_identity *first = device_identity_of(0);
        plat_identity *second = device_identity_of(2);
        restart_stream();
        for (int i = 0; i < 6; i++) {
            plat_identity *identity = i < 2 ? first : i < 4 ? second : i == 4 ? first : NULL;
            assert_int_equal(s->ops->set_identity(s, identity), PLAT_OK);
            plat_result r = gnutls_peer_connect(&server, &c);
            assert_int_equal(r, PLAT_OK);
            assert_int_equal(s->ops->resumed(s), i == 1 || i == 3 || i == 4);
            gnutls_peer_echo(&server);
            gnutls_peer_disconnect(&server);
        }
        plat_wolfssl_identities.release(first);
        plat_wolfssl_identities.release(second);
    }
    gnutls_peer_free(&server);
}

static void a_server_that_shares_no_suite_is_not_said_to_want_a_certificate(void **state)
{
    (void)state;
    const gnutls_peer_config c = { .versions = "+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC" };
    expect("no suite", PLAT_ERR_TLS, &c);
    assert_non_null(strstr(s->ops->detail(s), "no safe cipher suite"));
    gnutls_peer_disconnect(&server);
}

static void versions_can_be_limited(void **state)
{
    (void)state;
    static const struct {
        plat_tls_version min, max;
        const char *server;
        plat_result wanted;
    } cases[] = {
        { PLAT_TLS_ANY, PLAT_TLS_ANY, "+VERS-TLS1.2:+VERS-TLS1.3", PLAT_OK },
        { PLAT_TLS_1_2, PLAT_TLS_1_3, "+VERS-TLS1.2", PLAT_OK },
        { PLAT_TLS_ANY, PLAT_TLS_1_2, "+VERS-TLS1.2:+VERS-TLS1.3", PLAT_OK },
        { PLAT_TLS_ANY, PLAT_TLS_1_2, "+VERS-TLS1.3", PLAT_ERR_TLS },
        { PLAT_TLS_1_2, PLAT_TLS_1_2, "+VERS-TLS1.2", PLAT_OK },
        { PLAT_TLS_1_3, PLAT_TLS_ANY, "+VERS-TLS1.2:+VERS-TLS1.3", PLAT_OK },
        { PLAT_TLS_1_3, PLAT_TLS_ANY, "+VERS-TLS1.2", PLAT_ERR_TLS },
        { PLAT_TLS_1_3, PLAT_TLS_1_3, "+VERS-TLS1.3", PLAT_OK },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_identity *identity = device_identity_of(0);
        const plat_stream_config config = { .ca_file = ca_file,
                                            .min_version = cases[i].min,
                                            .max_version = cases[i].max,
                                            .identity = identity };
        const gnutls_peer_config c = { .versions = cases[i].server, .root = &device_root };
        s->ops->deinit(s);
        assert_int_equal(plat_tls_init(&tls, &wire.base, &config), PLAT_OK);
        plat_wolfssl_identities.release(identity);
        expect(cases[i].server, cases[i].wanted, &c);
        if (cases[i].wanted == PLAT_OK) {
            bool is_1_3 = gnutls_protocol_get_version(server.session) == GNUTLS_TLS1_3;
            assert_int_equal(is_1_3, strstr(cases[i].server, "1.3") != NULL &&
                                         cases[i].max != PLAT_TLS_1_2);
        }
        gnutls_peer_disconnect(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(each_kind_of_key_logs_in_with_each_version_and_each_kind_of_server),
        WITH_STREAM(rsa_signs_by_each_padding_and_hash),
        WITH_STREAM(a_server_that_only_asks_gets_nothing_from_a_stream_without_identity),
        WITH_STREAM(a_signer_logs_in_with_each_kind_of_key),
        WITH_STREAM(a_signer_that_fails_is_named),
        WITH_STREAM(a_server_that_refuses_the_certificate_is_named_with_its_reason),
        WITH_STREAM(a_missing_intermediate_is_noticed_by_the_server),
        WITH_STREAM(an_expired_certificate_is_presented_all_the_same),
        WITH_STREAM(a_server_that_demands_a_certificate_is_named),
        WITH_STREAM(an_identity_may_be_changed_while_the_stream_is_closed_only),
        WITH_STREAM(a_session_is_not_resumed_with_another_identity),
        WITH_STREAM(a_server_that_shares_no_suite_is_not_said_to_want_a_certificate),
        WITH_STREAM(versions_can_be_limited),
    };
    return cmocka_run_group_tests(tests, make_all, remove_everything);
}
