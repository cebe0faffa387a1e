#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cert_writer.h"
#include "tls_fixture.h"

/* Complete handshakes with chains that wolfSSL alone judges wrongly; the chains are a few cases
 * of test_chain.c. */

#define CA     "ca usage=04"
#define SERVER "usage=80 for=server dns:" HOST

static written_cert top, middle, twin, server;
static const char *trusted;

static void trust(const written_cert *a, const written_cert *b)
{
    const pki_cert *const certs[] = { &a->cert, b != NULL ? &b->cert : NULL };
    trusted = pki_write_pem("paths.pem", certs, b != NULL ? 2 : 1);
}

/* Removes earlier sessions, which belong to the other TLS version. */
static void start_again(void)
{
    s->ops->deinit(s);
    assert_int_equal(tls_init(&tls, &wire.base, trusted), PLAT_OK);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#define VERSIONS (sizeof versions / sizeof versions[0])

/* Tries the chain with both versions of TLS. */
static void expect(const char *what, const char *host, tls_peer_config config, plat_result wanted)
{
    config.key = PKI_LEAF;
    for (size_t i = 0; i < VERSIONS; i++) {
        config.max_version = versions[i];
        start_again();
        if (wanted == PLAT_OK) {
            expect_success(what, host, &config);
        } else {
            expect_refusal(what, host, &config, wanted);
        }
    }
}

static void constraints_of_every_ca_hold_in_a_handshake(void **state)
{
    (void)state;
    static const struct {
        const char *root, *ca, *server, *host;
        plat_result wanted;
    } cases[] = {
        { CA " -dns:localhost", CA, "dns:localhost", "localhost", PLAT_ERR_CERT },
        { CA " +dns:other.test", CA " dns:ca.other.test", "dns:hub.judge.test", "hub.judge.test",
          PLAT_ERR_CERT },
        { CA " +dns:dge.test", CA, "dns:hub.judge.test", "hub.judge.test", PLAT_ERR_CERT },
        { CA " +dns:judge.test", CA, "dns:hub.judge.test", "hub.judge.test", PLAT_OK },
        { CA " +ip:10.0.0.0/255.0.0.0", CA, "ip:11.0.0.1", "11.0.0.1", PLAT_ERR_CERT },
        { CA " -ip:10.0.0.0/255.0.0.0", CA, "ip:10.0.0.1", "10.0.0.1", PLAT_ERR_CERT },
        { CA, CA " +ip:10.0.0.0/255.0.0.0", "ip:10.0.0.1", "10.0.0.1", PLAT_OK },
        { CA, CA " policy!", SERVER, HOST, PLAT_ERR_CERT },
        { CA, CA " unknown!", SERVER, HOST, PLAT_ERR_CERT },
        { CA, CA, SERVER " unknown!", HOST, PLAT_ERR_CERT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_cert(&top, "Root", PKI_ROOT, NULL, cases[i].root);
        write_cert(&middle, "CA", PKI_INTERMEDIATE, &top, cases[i].ca);
        write_cert(&server, "server", PKI_LEAF, &middle, cases[i].server);
        trust(&top, NULL);
        expect(cases[i].root, cases[i].host,
               (tls_peer_config){ .chain = { &server.cert, &middle.cert }, .chain_len = 2 },
               cases[i].wanted);
    }
}

static void an_anchor_that_may_not_sign_is_good_for_itself_alone(void **state)
{
    (void)state;
    write_cert(&top, "Cloud Root", PKI_ROOT, NULL, CA);
    write_cert(&middle, "gateway", PKI_INTERMEDIATE, NULL, "end dns:gateway.test");
    write_cert(&server, "server", PKI_LEAF, &middle, SERVER);
    trust(&top, &middle);
    expect("signed by the gateway", HOST,
           (tls_peer_config){ .chain = { &server.cert }, .chain_len = 1 }, PLAT_ERR_CERT);
    expect("shown too", HOST,
           (tls_peer_config){ .chain = { &server.cert, &middle.cert }, .chain_len = 2 },
           PLAT_ERR_CERT);

    write_cert(&middle, "Unknown Root", PKI_OTHER, NULL, CA);
    write_cert(&server, "server", PKI_LEAF, &middle, SERVER);
    trust(&top, &server);
    expect("itself, issued by a stranger", HOST,
           (tls_peer_config){ .chain = { &server.cert }, .chain_len = 1 }, PLAT_OK);
}

static void several_certificates_of_a_ca_and_bystanders_do_no_harm(void **state)
{
    (void)state;
    static const char *const bad[] = { "ca late", "ca unknown!", "ca policy!", "end" };
    write_cert(&top, "Root", PKI_ROOT, NULL, CA);
    write_cert(&middle, "CA", PKI_INTERMEDIATE, &top, CA);
    write_cert(&server, "server", PKI_LEAF, &middle,
               SERVER " aki=01"); /* the key identifier of an EC CA that has none */
    trust(&top, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_cert(&twin, "CA", PKI_INTERMEDIATE, &top, bad[i]);
        expect(bad[i], HOST,
               (tls_peer_config){ .chain = { &server.cert, &twin.cert, &middle.cert },
                                  .chain_len = 3 },
               PLAT_OK);
    }
    write_cert(&twin, "Bystander", PKI_OTHER, &top, "ca unknown!");
    expect("bystander", HOST,
           (tls_peer_config){ .chain = { &server.cert, &twin.cert, &middle.cert }, .chain_len = 3 },
           PLAT_OK);
    trust(&middle, NULL);
    expect("an intermediate is trusted", HOST,
           (tls_peer_config){ .chain = { &server.cert }, .chain_len = 1 }, PLAT_OK);
}

/* Debian's wolfSSL reads nine certificates and ignores a tenth without an error. */
static void chains_of_nine_connect_and_longer_ones_are_named_as_such(void **state)
{
    (void)state;
    static written_cert list[11];
    tls_peer_config c = { .chain_len = 9 };
    write_cert(&list[0], "Root", PKI_ROOT, NULL, CA);
    for (size_t i = 1; i < 11; i++) {
        char cn[8];
        snprintf(cn, sizeof cn, "CA %zu", i);
        write_cert(&list[i], cn, i % 2 != 0 ? PKI_INTERMEDIATE : PKI_OTHER, &list[i - 1], CA);
    }
    trust(&list[0], NULL);
    write_cert(&list[9], "server", PKI_LEAF, &list[8], SERVER);
    for (size_t i = 0; i < 9; i++) {
        c.chain[i] = &list[9 - i].cert;
    }
    expect("nine and the root", HOST, c, PLAT_OK);

    c.key = PKI_LEAF;
    c.chain[9] = &list[0].cert;
    c.chain_len = 10;
    plat_result r = connect_to(HOST, &c);
    if (r != PLAT_OK) {
        assert_non_null(strstr(s->ops->detail(s), "more certificates than"));
    }
    disconnect();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(constraints_of_every_ca_hold_in_a_handshake),
        WITH_STREAM(an_anchor_that_may_not_sign_is_good_for_itself_alone),
        WITH_STREAM(several_certificates_of_a_ca_and_bystanders_do_no_harm),
        WITH_STREAM(chains_of_nine_connect_and_longer_ones_are_named_as_such),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
