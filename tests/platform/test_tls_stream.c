#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_pki.h"
#include "tls_peer.h"
#include "wolfssl/tls_context.h"
#include "wolfssl_tls.h"

#define HOST      "hub.example"
#define NO_LENGTH -1

static pki_cert root, rsa_root, intermediate, good, good_rsa;
static const char *ca_file;

static scripted_stream wire;
static plat_tls_stream tls;
static plat_stream *const s = &tls.base;
static tls_peer peer;

/* --- certificates --- */

static const pki_spec good_spec = {
    .name = "device gateway",
    .key = PKI_LEAF,
    .issuer = &root,
    .issuer_key = PKI_ROOT,
    .dns = HOST,
    .ip = "192.0.2.1",
    .key_usage = "digitalSignature",
    .extended_key_usage = "serverAuth",
    .from_days = -1,
    .to_days = 30,
};

static const pki_spec ca_spec = {
    .name = "Test Intermediate",
    .key = PKI_INTERMEDIATE,
    .issuer = &root,
    .issuer_key = PKI_ROOT,
    .ca = true,
    .path_len = NO_LENGTH,
    .key_usage = "keyCertSign,cRLSign",
    .from_days = -1,
    .to_days = 30,
};

static pki_spec root_spec(const char *name, pki_key key)
{
    pki_spec spec = ca_spec;
    spec.name = name;
    spec.key = key;
    spec.issuer = NULL;
    return spec;
}

static int make_everything(void **state)
{
    (void)state;
    (void)wolfSSL_Init();
    pki_make_keys();
    pki_spec spec = root_spec("Test Root", PKI_ROOT);
    pki_make(&root, &spec);
    spec = root_spec("Test RSA Root", PKI_RSA);
    pki_make(&rsa_root, &spec);
    pki_make(&intermediate, &ca_spec);
    pki_make(&good, &good_spec);
    spec = good_spec;
    spec.key = PKI_RSA;
    pki_make(&good_rsa, &spec);
    ca_file = pki_write_pem("roots.pem", (const pki_cert *const[]){ &root, &rsa_root }, 2);
    return 0;
}

static int remove_everything(void **state)
{
    (void)state;
    pki_remove_files();
    pki_free_keys();
    return 0;
}

static int make_stream(void **state)
{
    (void)state;
    scripted_init(&wire);
    assert_int_equal(plat_tls_init(&tls, &wire.base, ca_file), PLAT_OK);
    return 0;
}

static int free_stream(void **state)
{
    (void)state;
    s->ops->deinit(s);
    scripted_free(&wire);
    return 0;
}

/* --- driving both ends --- */

static const tls_peer_config good_config = { .chain = { &good }, .chain_len = 1, .key = PKI_LEAF };

/* Until the client is open or failed, or both ends wait for each other: WOULD_BLOCK. */
static plat_result shake_hands(plat_stage *stage)
{
    for (size_t before = SIZE_MAX, moved = 0; moved != before;) {
        before = moved;
        plat_result r = s->ops->progress(s, 0, stage);
        if (r != PLAT_WOULD_BLOCK) {
            return r;
        }
        tls_peer_step(&peer);
        moved = peer.fed + peer.taken - scripted_unread(&wire);
    }
    return PLAT_WOULD_BLOCK;
}

static plat_result connect_to(const char *host, const tls_peer_config *config)
{
    plat_stage stage;
    assert_int_equal(s->ops->open(s, host, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, config);
    plat_result r = shake_hands(&stage);
    assert_int_equal(stage, r == PLAT_OK ? PLAT_STAGE_OPEN : PLAT_STAGE_TLS);
    return r;
}

static void disconnect(void)
{
    s->ops->close(s);
    tls_peer_stop(&peer);
}

static void expect_refusal(const char *what, const char *host, const tls_peer_config *config,
                           plat_result wanted)
{
    uint8_t byte = 'x';
    size_t n;
    plat_result r = connect_to(host, config);
    if (r != wanted) {
        fail_msg("%s: %s (%s), not %s", what, plat_result_str(r), s->ops->detail(s),
                 plat_result_str(wanted));
    }
    assert_string_not_equal(s->ops->detail(s), "");
    assert_null(strchr(s->ops->detail(s), '\n'));
    assert_int_equal(s->ops->send(s, &byte, 1, &n), wanted);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), wanted);
    tls_peer_step(&peer);
    assert_int_equal(peer.got_len, 0);
    disconnect();
}

static void expect_echo(const char *what)
{
    uint8_t buf[16];
    size_t n;
    assert_int_equal(s->ops->send(s, (const uint8_t *)"ping", 4, &n), PLAT_OK);
    assert_int_equal(n, 4);
    tls_peer_step(&peer);
    if (peer.got_len < 4 || memcmp(peer.got + peer.got_len - 4, "ping", 4) != 0) {
        fail_msg("%s: the server did not get the bytes", what);
    }
    tls_peer_send(&peer, "pong", 4);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "pong", 4);
}

static void expect_success(const char *what, const char *host, const tls_peer_config *config)
{
    plat_result r = connect_to(host, config);
    if (r != PLAT_OK) {
        fail_msg("%s: %s (%s)", what, plat_result_str(r), s->ops->detail(s));
    }
    assert_string_equal(s->ops->detail(s), "");
    expect_echo(what);
    disconnect();
}

/* --- good servers --- */

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
    }
    tls_peer_config c = good_config;
    c.max_version = TLS1_2_VERSION;
    expect_success("TLS 1.2 only", HOST, &c);
    c.max_version = 0;
    c.min_version = WOLFSSL_TLSV1_3;
    expect_success("TLS 1.3 only", HOST, &c);
}

static void intermediates_may_come_in_any_order_with_others_among_them(void **state)
{
    (void)state;
    pki_cert leaf, second, under_second, stranger;
    pki_spec spec = good_spec;
    spec.issuer = &intermediate;
    spec.issuer_key = PKI_INTERMEDIATE;
    pki_make(&leaf, &spec);
    spec = ca_spec;
    spec.name = "Second Intermediate";
    spec.key = PKI_OTHER;
    spec.issuer = &intermediate;
    spec.issuer_key = PKI_INTERMEDIATE;
    pki_make(&second, &spec);
    spec = good_spec;
    spec.issuer = &second;
    spec.issuer_key = PKI_OTHER;
    pki_make(&under_second, &spec);
    spec = root_spec("Stranger", PKI_OTHER);
    pki_make(&stranger, &spec);

    expect_success("one", HOST,
                   &(tls_peer_config){ { &leaf, &intermediate }, 2, PKI_LEAF, 0, 0, NULL });
    expect_success("with root", HOST,
                   &(tls_peer_config){ { &leaf, &intermediate, &root }, 3, PKI_LEAF, 0, 0, NULL });
    expect_success(
        "two", HOST,
        &(tls_peer_config){ { &under_second, &second, &intermediate }, 3, PKI_LEAF, 0, 0, NULL });
    expect_success(
        "disordered", HOST,
        &(tls_peer_config){
            { &under_second, &intermediate, &stranger, &second }, 4, PKI_LEAF, 0, 0, NULL });
    /* what an earlier connection presented does not help a later one */
    expect_refusal("missing", HOST, &(tls_peer_config){ { &leaf }, 1, PKI_LEAF, 0, 0, NULL },
                   PLAT_ERR_CERT_UNTRUSTED);
    expect_refusal("gap", HOST,
                   &(tls_peer_config){ { &under_second, &second }, 2, PKI_LEAF, 0, 0, NULL },
                   PLAT_ERR_CERT_UNTRUSTED);
}

static void names_and_addresses_are_found_in_the_alternative_names_only(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *host;
        const char *dns;
        size_t dns_len;
        const char *ip;
        bool matches;
    } cases[] = {
        { "name", "hub.example", "hub.example", 0, NULL, true },
        { "final dot", "hub.example.", "hub.example", 0, NULL, true },
        { "case", "HUB.example", "hub.EXAMPLE", 0, NULL, true },
        { "wildcard", "hub.example.com", "*.example.com", 0, NULL, true },
        { "IPv4", "192.0.2.1", NULL, 0, "192.0.2.1", true },
        { "IPv6", "2001:db8::1", NULL, 0, "2001:0db8::0001", true },
        { "other name", "hub.example", "pub.example", 0, NULL, false },
        { "partial wildcard", "hub.example.com", "h*.example.com", 0, NULL, false },
        { "two labels", "a.hub.example.com", "*.example.com", 0, NULL, false },
        { "bare wildcard", "hub.example", "*", 0, NULL, false },
        { "NUL", "hub.example", "hub.example\0.evil.org", 21, NULL, false },
        { "common name only", "hub.example", NULL, 0, NULL, false },
        { "other address", "192.0.2.2", NULL, 0, "192.0.2.1", false },
        { "address as name", "192.0.2.1", "192.0.2.1", 0, NULL, false },
        { "name of an address", "hub.example", NULL, 0, "192.0.2.1", false },
        { "other IPv6", "2001:db8::2", NULL, 0, "2001:db8::1", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pki_cert leaf;
        pki_spec spec = good_spec;
        spec.name = cases[i].host; /* the common name would match each time */
        spec.dns = cases[i].dns;
        spec.dns_len = cases[i].dns_len;
        spec.ip = cases[i].ip;
        pki_make(&leaf, &spec);
        const tls_peer_config c = { { &leaf }, 1, PKI_LEAF, 0, 0, NULL };
        if (cases[i].matches) {
            expect_success(cases[i].what, cases[i].host, &c);
        } else {
            expect_refusal(cases[i].what, cases[i].host, &c, PLAT_ERR_CERT_HOST);
        }
    }
}

static void the_server_is_told_the_name_but_never_an_address(void **state)
{
    (void)state;
    assert_int_equal(connect_to("hub.example.", &good_config), PLAT_OK);
    assert_string_equal(peer.sni, "hub.example");
    disconnect();
    assert_int_equal(connect_to("192.0.2.1", &good_config), PLAT_OK);
    assert_string_equal(peer.sni, "");
    disconnect();
}

/* --- bad servers --- */

typedef void (*spoil)(pki_spec *leaf, pki_spec *ca);

static void expired(pki_spec *leaf, pki_spec *ca)
{
    (void)ca;
    leaf->from_days = -30;
    leaf->to_days = -1;
}

static void not_yet_valid(pki_spec *leaf, pki_spec *ca)
{
    (void)ca;
    leaf->from_days = 2;
}

static void weak_rsa(pki_spec *leaf, pki_spec *ca)
{
    (void)ca;
    leaf->key = PKI_RSA_1024;
}

static void signed_with_sha1(pki_spec *leaf, pki_spec *ca)
{
    (void)ca;
    leaf->signature = CTC_SHAwECDSA;
}

static void key_signs_certificates_only(pki_spec *leaf, pki_spec *ca)
{
    (void)ca;
    leaf->key_usage = "keyCertSign";
}

static void client_only(pki_spec *leaf, pki_spec *ca)
{
    (void)ca;
    leaf->extended_key_usage = "clientAuth";
}

static void issuer_not_a_ca(pki_spec *leaf, pki_spec *ca)
{
    (void)leaf;
    ca->ca = false;
}

static void issuer_may_not_sign(pki_spec *leaf, pki_spec *ca)
{
    (void)leaf;
    ca->key_usage = "digitalSignature";
}

static void issuer_expired(pki_spec *leaf, pki_spec *ca)
{
    (void)leaf;
    ca->from_days = -30;
    ca->to_days = -1;
}

static void issuer_signed_with_sha1(pki_spec *leaf, pki_spec *ca)
{
    (void)leaf;
    ca->signature = CTC_SHAwECDSA;
}

static void issuer_weak(pki_spec *leaf, pki_spec *ca)
{
    leaf->issuer_key = PKI_RSA_1024;
    ca->key = PKI_RSA_1024;
}

static void issuer_for_clients_only(pki_spec *leaf, pki_spec *ca)
{
    (void)leaf;
    ca->extended_key_usage = "clientAuth";
}

static void signature_of_another_key(pki_spec *leaf, pki_spec *ca)
{
    (void)ca;
    leaf->issuer_key = PKI_OTHER;
}

static void issuer_from_a_false_root(pki_spec *leaf, pki_spec *ca)
{
    (void)leaf;
    ca->issuer_key = PKI_OTHER; /* with the name of the true one */
}

static void bad_certificates_are_refused_each_for_its_own_reason(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        spoil spoil;
        plat_result wanted;
    } cases[] = {
        { "expired", expired, PLAT_ERR_CERT_DATE },
        { "not yet valid", not_yet_valid, PLAT_ERR_CERT_DATE },
        { "RSA 1024", weak_rsa, PLAT_ERR_CERT },
        { "SHA-1", signed_with_sha1, PLAT_ERR_CERT },
        { "keyCertSign only", key_signs_certificates_only, PLAT_ERR_CERT },
        { "clientAuth only", client_only, PLAT_ERR_CERT },
        { "issuer is no CA", issuer_not_a_ca, PLAT_ERR_CERT },
        { "issuer may not sign", issuer_may_not_sign, PLAT_ERR_CERT },
        { "issuer expired", issuer_expired, PLAT_ERR_CERT_DATE },
        { "issuer with SHA-1", issuer_signed_with_sha1, PLAT_ERR_CERT },
        { "issuer with RSA 1024", issuer_weak, PLAT_ERR_CERT },
        { "issuer for clients", issuer_for_clients_only, PLAT_ERR_CERT },
        { "signature of another key", signature_of_another_key, PLAT_ERR_CERT_UNTRUSTED },
        { "false root", issuer_from_a_false_root, PLAT_ERR_CERT_UNTRUSTED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pki_cert ca, leaf;
        pki_spec ca_copy = ca_spec;
        pki_spec leaf_copy = good_spec;
        leaf_copy.issuer = &ca;
        leaf_copy.issuer_key = PKI_INTERMEDIATE;
        cases[i].spoil(&leaf_copy, &ca_copy);
        pki_make(&ca, &ca_copy);
        pki_make(&leaf, &leaf_copy);
        const tls_peer_config c = { { &leaf, &ca }, 2, leaf_copy.key, 0, 0, NULL };
        expect_refusal(cases[i].what, HOST, &c, cases[i].wanted);
    }
}

static void strangers_are_not_trusted(void **state)
{
    (void)state;
    pki_cert other_root, leaf, self_signed;
    pki_spec spec = root_spec("Nobody's Root", PKI_OTHER);
    pki_make(&other_root, &spec);
    spec = good_spec;
    spec.issuer = &other_root;
    spec.issuer_key = PKI_OTHER;
    pki_make(&leaf, &spec);
    spec.issuer = NULL;
    pki_make(&self_signed, &spec);

    expect_refusal("unknown root", HOST, &(tls_peer_config){ { &leaf }, 1, PKI_LEAF, 0, 0, NULL },
                   PLAT_ERR_CERT_UNTRUSTED);
    expect_refusal("root presented", HOST,
                   &(tls_peer_config){ { &leaf, &other_root }, 2, PKI_LEAF, 0, 0, NULL },
                   PLAT_ERR_CERT_UNTRUSTED);
    expect_refusal("self-signed", HOST,
                   &(tls_peer_config){ { &self_signed }, 1, PKI_LEAF, 0, 0, NULL },
                   PLAT_ERR_CERT_UNTRUSTED);
}

static void a_path_longer_than_its_authority_allows_is_refused(void **state)
{
    (void)state;
    pki_cert first, second, leaf;
    for (int path_len = 0; path_len < 2; path_len++) {
        pki_spec spec = ca_spec;
        spec.path_len = path_len;
        pki_make(&first, &spec);
        spec = ca_spec;
        spec.name = "Second Intermediate";
        spec.key = PKI_OTHER;
        spec.issuer = &first;
        spec.issuer_key = PKI_INTERMEDIATE;
        pki_make(&second, &spec);
        spec = good_spec;
        spec.issuer = &second;
        spec.issuer_key = PKI_OTHER;
        pki_make(&leaf, &spec);
        const tls_peer_config c = { { &leaf, &second, &first }, 3, PKI_LEAF, 0, 0, NULL };
        if (path_len == 0) {
            expect_refusal("path length 0", HOST, &c, PLAT_ERR_CERT);
        } else {
            expect_success("path length 1", HOST, &c);
        }
    }
}

static void a_certificate_that_is_itself_in_the_file_is_trusted(void **state)
{
    (void)state;
    pki_cert self_signed;
    pki_spec spec = good_spec;
    spec.issuer = NULL;
    pki_make(&self_signed, &spec);
    const char *file = pki_write_pem("pinned.pem", (const pki_cert *const[]){ &self_signed }, 1);
    s->ops->deinit(s);
    assert_int_equal(plat_tls_init(&tls, &wire.base, file), PLAT_OK);

    expect_success("pinned", HOST, &(tls_peer_config){ { &self_signed }, 1, PKI_LEAF, 0, 0, NULL });
    expect_refusal("another", HOST, &good_config, PLAT_ERR_CERT_UNTRUSTED);
}

static void unsafe_suites_and_old_versions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *suites;
        bool anonymous;
        bool rsa;
    } cases[] = {
        { "ADH-AES128-SHA", true, false },           { "ADH-AES256-GCM-SHA384", true, false },
        { "ECDHE-ECDSA-NULL-SHA", false, false },    { "ECDHE-ECDSA-RC4-SHA", false, false },
        { "ECDHE-RSA-RC4-SHA", false, true },        { "ECDHE-ECDSA-DES-CBC3-SHA", false, false },
        { "ECDHE-RSA-DES-CBC3-SHA", false, true },   { "ECDHE-ECDSA-AES128-SHA256", false, false },
        { "ECDHE-RSA-AES256-SHA384", false, true },  { "DHE-RSA-AES128-GCM-SHA256", false, true },
        { "TLS13-AES128-CCM-SHA256", false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tls_peer_config c = { { cases[i].rsa ? &good_rsa : &good },
                              cases[i].anonymous ? 0 : 1,
                              cases[i].rsa ? PKI_RSA : PKI_LEAF,
                              0,
                              0,
                              cases[i].suites };
        expect_refusal(cases[i].suites, HOST, &c, PLAT_ERR_TLS);
    }
    tls_peer_config c = good_config;
    c.max_version = TLS1_1_VERSION;
    expect_refusal("TLS 1.1", HOST, &c, PLAT_ERR_TLS);
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

/* --- a handshake that goes wrong half-way --- */

/* How many bytes the server sends until the client is satisfied. */
static size_t measure_flight(void)
{
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    size_t flight = peer.fed - scripted_unread(&wire);
    disconnect();
    return flight;
}

static void a_handshake_one_byte_at_a_time_never_blocks_and_succeeds(void **state)
{
    (void)state;
    plat_stage stage;
    wire.recv_max = 1;
    wire.send_max = 1;
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, &good_config);
    size_t stalls = 0;
    plat_result r;

    for (size_t step = 0; step < 100000; step++) {
        peer.budget = 1; /* the server's next byte, then silence */
        r = s->ops->progress(s, 0, &stage);
        if (r != PLAT_WOULD_BLOCK) {
            break;
        }
        assert_int_equal(stage, PLAT_STAGE_TLS);
        plat_poll p;
        s->ops->poll(s, false, &p);
        assert_true(p.want_read);
        assert_false(p.ready_now);
        stalls++;
        tls_peer_step(&peer);
    }

    assert_int_equal(r, PLAT_OK);
    assert_true(stalls > 500);
    peer.budget = SIZE_MAX;
    tls_peer_step(&peer);
    wire.recv_max = 0;
    wire.send_max = 0;
    expect_echo("trickle");
    tls_peer_stop(&peer);
}

static void a_server_that_stops_anywhere_leaves_the_client_waiting_until_it_is_closed(void **state)
{
    (void)state;
    size_t flight = measure_flight();
    for (size_t budget = 0; budget < flight; budget += 61) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &good_config);
        peer.budget = budget;

        assert_int_equal(shake_hands(&stage), PLAT_WOULD_BLOCK);

        assert_int_equal(stage, PLAT_STAGE_TLS);
        disconnect();
    }
}

static void a_server_that_leaves_anywhere_ends_the_handshake(void **state)
{
    (void)state;
    size_t flight = measure_flight();
    for (size_t budget = 0; budget < flight; budget += 61) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &good_config);
        peer.budget = budget;
        wire.recv_then = PLAT_WOULD_BLOCK;
        assert_int_equal(shake_hands(&stage), PLAT_WOULD_BLOCK);
        wire.recv_then = PLAT_EOF;

        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_ERR_TLS);

        assert_int_equal(stage, PLAT_STAGE_TLS);
        assert_string_equal(s->ops->detail(s),
                            HOST ": the peer closed the connection without a word");
        disconnect();
    }
}

static void a_changed_byte_anywhere_never_ends_in_a_connection(void **state)
{
    (void)state;
    size_t flight = measure_flight();
    for (size_t at = 0; at < flight; at += 23) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        tls_peer_start(&peer, &wire, &good_config);
        peer.corrupt_at = at;

        plat_result r = shake_hands(&stage);

        if (r == PLAT_OK && peer.done) {
            fail_msg("connected with byte %zu changed", at);
        }
        disconnect();
    }
}

static void plain_text_on_the_port_is_not_tls(void **state)
{
    (void)state;
    static const char *const banners[] = { "220 mail.example ESMTP\r\n", "HTTP/1.1 400 Bad\r\n\r\n",
                                           "\x20\x02\x00\x05\x00", "SSH-2.0-OpenSSH_9.2\r\n" };
    for (size_t i = 0; i < sizeof banners / sizeof banners[0]; i++) {
        plat_stage stage;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        scripted_feed(&wire, banners[i], strlen(banners[i]));
        scripted_feed(&wire, "more of it", 10);
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_ERR_TLS);
        assert_int_equal(stage, PLAT_STAGE_TLS);
        assert_string_not_equal(s->ops->detail(s), "");
        s->ops->close(s);
    }
}

static void every_failure_below_comes_through_with_its_own_words(void **state)
{
    (void)state;
    unsigned nth = 1;
    for (;; nth++) {
        plat_stage stage = PLAT_STAGE_RESOLVE;
        scripted_fail(&wire, SCRIPTED_ANY, nth, PLAT_ERR_IO);
        plat_result r = s->ops->open(s, HOST, 8883, 0);
        tls_peer_start(&peer, &wire, &good_config);
        if (r == PLAT_OK) {
            r = shake_hands(&stage);
        }
        if (r == PLAT_OK) {
            break;
        }
        assert_int_equal(r, PLAT_ERR_IO);
        assert_string_equal(s->ops->detail(s), "scripted failure");
        disconnect();
        assert_string_equal(s->ops->detail(s), "");
    }
    assert_true(nth > 8);
    disconnect();
}

static void stages_below_are_passed_on(void **state)
{
    (void)state;
    for (plat_stage at = PLAT_STAGE_RESOLVE; at < PLAT_STAGE_TLS; at++) {
        plat_stage stage;
        wire.stall_at = at;
        assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_WOULD_BLOCK);
        assert_int_equal(stage, at);
        scripted_fail(&wire, SCRIPTED_PROGRESS, 1, PLAT_ERR_CONNECT);
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_ERR_CONNECT);
        assert_int_equal(stage, at);
        s->ops->close(s);
    }
}

/* --- bytes --- */

static uint8_t big[50000];

static void fill_big(void)
{
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (uint8_t)(i * 7u + (i >> 8));
    }
}

static void big_sends_go_out_as_records_and_arrive_whole_through_a_narrow_wire(void **state)
{
    (void)state;
    fill_big();
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    size_t sent = 0;
    unsigned blocked = 0;

    wire.send_room = 0;
    while (sent < sizeof big) {
        size_t n;
        /* a copy at another address, and more behind it than last time */
        static uint8_t copy[sizeof big];
        memcpy(copy + blocked % 3, big + sent, sizeof big - sent - 3);
        size_t len = sizeof big - sent > 3 ? sizeof big - sent - 3 : sizeof big - sent;
        const uint8_t *from = sizeof big - sent > 3 ? copy + blocked % 3 : big + sent;
        plat_result r = s->ops->send(s, from, len, &n);
        if (r == PLAT_WOULD_BLOCK) {
            plat_poll p;
            s->ops->poll(s, false, &p);
            assert_true(p.want_write); /* also when the caller has nothing else to send */
            blocked++;
            wire.send_room = 1000;
            continue;
        }
        assert_int_equal(r, PLAT_OK);
        assert_true(n > 0 && n <= 16384);
        sent += n;
        tls_peer_step(&peer);
    }

    tls_peer_step(&peer);
    assert_true(blocked > 30);
    assert_int_equal(peer.got_len, sizeof big);
    assert_memory_equal(peer.got, big, sizeof big);
    disconnect();
}

static void one_recv_collects_many_records_and_the_rest_is_announced(void **state)
{
    (void)state;
    uint8_t buf[200];
    size_t n;
    plat_poll p;
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    expect_echo("before"); /* takes the session tickets as well */
    for (int i = 0; i < 10; i++) {
        tls_peer_send(&peer, "0123456789", 10);
    }

    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 100);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);

    fill_big();
    tls_peer_send(&peer, big, 1000);
    assert_int_equal(s->ops->recv(s, buf, 150, &n), PLAT_OK);
    assert_int_equal(n, 150);
    assert_int_equal(scripted_unread(&wire), 0);
    s->ops->poll(s, false, &p);
    assert_true(p.ready_now); /* the descriptor will stay silent */
    size_t total = n;
    while (s->ops->recv(s, buf, sizeof buf, &n) == PLAT_OK) {
        assert_memory_equal(buf, big + total, n);
        total += n;
    }
    assert_int_equal(total, 1000);
    s->ops->poll(s, false, &p);
    assert_false(p.ready_now);
    disconnect();
}

static void an_announced_end_is_told_from_a_cut_one(void **state)
{
    (void)state;
    uint8_t byte;
    size_t n;
    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    tls_peer_step(&peer);
    tls_peer_send(&peer, "x", 1);
    tls_peer_close_notify(&peer);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_OK);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_EOF);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_EOF);
    disconnect();

    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    wire.recv_then = PLAT_EOF;
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_ERR_IO);
    assert_string_equal(s->ops->detail(s), HOST ": the peer closed the connection without a word");
    wire.recv_then = PLAT_WOULD_BLOCK;
    disconnect();

    assert_int_equal(connect_to(HOST, &good_config), PLAT_OK);
    s->ops->close(s);
    tls_peer_step(&peer);
    tls_peer_step(&peer);
    assert_true(peer.failed); /* it heard our close_notify */
    assert_true((wolfSSL_get_shutdown(peer.ssl) & WOLFSSL_RECEIVED_SHUTDOWN) != 0);
    tls_peer_stop(&peer);
}

static void a_certificate_that_changed_is_judged_anew_on_reconnect(void **state)
{
    (void)state;
    pki_cert other;
    pki_spec spec = good_spec;
    spec.dns = "other.example";
    pki_make(&other, &spec);
    const tls_peer_config changed = { { &other }, 1, PKI_LEAF, 0, 0, NULL };

    for (int i = 0; i < 3; i++) {
        expect_success("before", HOST, &good_config);
        expect_refusal("changed", HOST, &changed, PLAT_ERR_CERT_HOST);
    }
}

/* --- trust --- */

static void roots_that_cannot_be_read_are_an_error_that_names_the_file(void **state)
{
    (void)state;
    const char *empty = pki_write_pem("empty.pem", NULL, 0);
    const char *const bad[] = { "/nonexistent/roots.pem", empty, "/" };
    for (size_t i = 0; i < 3; i++) {
        plat_tls_stream t;
        size_t n;
        uint8_t byte = 0;
        assert_int_equal(plat_tls_init(&t, &wire.base, bad[i]), PLAT_ERR_TRUST_STORE);
        assert_non_null(strstr(t.base.ops->detail(&t.base), bad[i]));
        assert_int_equal(t.base.ops->open(&t.base, HOST, 1, 0), PLAT_ERR_STATE);
        assert_int_equal(t.base.ops->send(&t.base, &byte, 1, &n), PLAT_ERR_TRUST_STORE);
        t.base.ops->deinit(&t.base);
    }
}

static void streams_share_the_roots_of_a_file_until_the_last_one_is_gone(void **state)
{
    (void)state;
    plat_tls_context *a = NULL;
    plat_tls_context *b = NULL;
    const char *file;
    const char *path = pki_write_pem("changing.pem", (const pki_cert *const[]){ &root }, 1);

    assert_int_equal(plat_tls_context_acquire(path, &a, &file), PLAT_OK);
    FILE *f = fopen(path, "w"); /* now it holds nothing */
    assert_non_null(f);
    fclose(f);
    assert_int_equal(plat_tls_context_acquire(path, &b, &file), PLAT_OK);
    assert_ptr_equal(a, b);
    plat_tls_context_release(a);
    assert_int_equal(b->roots.count, 1);
    plat_tls_context_release(b);

    assert_int_equal(plat_tls_context_acquire(path, &a, &file), PLAT_ERR_TRUST_STORE);
    assert_string_equal(file, path);
}

static void hosts_that_cannot_be_hosts_are_refused_at_once(void **state)
{
    (void)state;
    static const char *const bad[] = { "", ".", "a b", "a\nb", "*.example" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(s->ops->open(s, bad[i], 1, 0), PLAT_ERR_ARG);
        assert_int_equal(wire.calls[SCRIPTED_OPEN], 0);
    }
}

#define WITH_STREAM(test) cmocka_unit_test_setup_teardown(test, make_stream, free_stream)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(good_chains_connect_with_both_versions_and_every_suite),
        WITH_STREAM(intermediates_may_come_in_any_order_with_others_among_them),
        WITH_STREAM(names_and_addresses_are_found_in_the_alternative_names_only),
        WITH_STREAM(the_server_is_told_the_name_but_never_an_address),
        WITH_STREAM(bad_certificates_are_refused_each_for_its_own_reason),
        WITH_STREAM(strangers_are_not_trusted),
        WITH_STREAM(a_path_longer_than_its_authority_allows_is_refused),
        WITH_STREAM(a_certificate_that_is_itself_in_the_file_is_trusted),
        WITH_STREAM(unsafe_suites_and_old_versions_are_refused),
        WITH_STREAM(only_what_was_offered_counts_as_safe),
        WITH_STREAM(a_handshake_one_byte_at_a_time_never_blocks_and_succeeds),
        WITH_STREAM(a_server_that_stops_anywhere_leaves_the_client_waiting_until_it_is_closed),
        WITH_STREAM(a_server_that_leaves_anywhere_ends_the_handshake),
        WITH_STREAM(a_changed_byte_anywhere_never_ends_in_a_connection),
        WITH_STREAM(plain_text_on_the_port_is_not_tls),
        WITH_STREAM(every_failure_below_comes_through_with_its_own_words),
        WITH_STREAM(stages_below_are_passed_on),
        WITH_STREAM(big_sends_go_out_as_records_and_arrive_whole_through_a_narrow_wire),
        WITH_STREAM(one_recv_collects_many_records_and_the_rest_is_announced),
        WITH_STREAM(an_announced_end_is_told_from_a_cut_one),
        WITH_STREAM(a_certificate_that_changed_is_judged_anew_on_reconnect),
        WITH_STREAM(roots_that_cannot_be_read_are_an_error_that_names_the_file),
        WITH_STREAM(streams_share_the_roots_of_a_file_until_the_last_one_is_gone),
        WITH_STREAM(hosts_that_cannot_be_hosts_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
