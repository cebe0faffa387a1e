#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tls_fixture.h"

#include "wolfssl/tls/tls_context.h"
#include <wolfssl/wolfcrypt/asn.h>

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

    expect_success(
        "one", HOST,
        &(tls_peer_config){ .chain = { &leaf, &intermediate }, .chain_len = 2, .key = PKI_LEAF });
    expect_success("with root", HOST,
                   &(tls_peer_config){
                       .chain = { &leaf, &intermediate, &root }, .chain_len = 3, .key = PKI_LEAF });
    expect_success("two", HOST,
                   &(tls_peer_config){ .chain = { &under_second, &second, &intermediate },
                                       .chain_len = 3,
                                       .key = PKI_LEAF });
    expect_success(
        "disordered", HOST,
        &(tls_peer_config){ .chain = { &under_second, &intermediate, &stranger, &second },
                            .chain_len = 4,
                            .key = PKI_LEAF });
    /* Certificates that an earlier connection presented must not help a later one. */
    expect_refusal("missing", HOST,
                   &(tls_peer_config){ .chain = { &leaf }, .chain_len = 1, .key = PKI_LEAF },
                   PLAT_ERR_CERT_UNTRUSTED);
    expect_refusal(
        "gap", HOST,
        &(tls_peer_config){ .chain = { &under_second, &second }, .chain_len = 2, .key = PKI_LEAF },
        PLAT_ERR_CERT_UNTRUSTED);
}

/* Returns false for names with a NUL if this is wolfSSL 5.9 or later, which refuses them before
 * it asks the judge. */
static bool wolfssl_reads(const pki_cert *cert)
{
    DecodedCert decoded;
    wc_InitDecodedCert(&decoded, cert->der, (word32)cert->len, NULL);
    int rc = wc_ParseCert(&decoded, CERT_TYPE, NO_VERIFY, NULL);
    wc_FreeDecodedCert(&decoded);
    return rc == 0;
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
        spec.name = cases[i].host; /* the common name would match in each case */
        spec.dns = cases[i].dns;
        spec.dns_len = cases[i].dns_len;
        spec.ip = cases[i].ip;
        pki_make(&leaf, &spec);
        const tls_peer_config c = { .chain = { &leaf }, .chain_len = 1, .key = PKI_LEAF };
        if (cases[i].matches) {
            expect_success(cases[i].what, cases[i].host, &c);
        } else {
            expect_refusal(cases[i].what, cases[i].host, &c,
                           wolfssl_reads(&leaf) ? PLAT_ERR_CERT_HOST : PLAT_ERR_CERT);
        }
    }
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
    ca->issuer_key = PKI_OTHER; /* has the name of the genuine CA, but another key */
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
        if (!pki_has_key(leaf_copy.key) || !pki_has_key(ca_copy.key)) {
            print_message("skipped: %s: this wolfSSL makes no such key\n", cases[i].what);
            continue;
        }
        pki_make(&ca, &ca_copy);
        pki_make(&leaf, &leaf_copy);
        const tls_peer_config c = { .chain = { &leaf, &ca }, .chain_len = 2, .key = leaf_copy.key };
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

    expect_refusal("unknown root", HOST,
                   &(tls_peer_config){ .chain = { &leaf }, .chain_len = 1, .key = PKI_LEAF },
                   PLAT_ERR_CERT_UNTRUSTED);
    expect_refusal(
        "root presented", HOST,
        &(tls_peer_config){ .chain = { &leaf, &other_root }, .chain_len = 2, .key = PKI_LEAF },
        PLAT_ERR_CERT_UNTRUSTED);
    expect_refusal("self-signed", HOST,
                   &(tls_peer_config){ .chain = { &self_signed }, .chain_len = 1, .key = PKI_LEAF },
                   PLAT_ERR_CERT_UNTRUSTED);
}

static void a_refused_chain_ends_the_handshake_although_its_alert_cannot_be_sent(void **state)
{
    (void)state;
    pki_cert self_signed;
    plat_stage stage;
    pki_spec spec = good_spec;
    spec.issuer = NULL;
    pki_make(&self_signed, &spec);
    const tls_peer_config c = { .chain = { &self_signed }, .chain_len = 1, .key = PKI_LEAF };
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, &c, NULL);
    /* The ClientHello was sent. */
    assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_WOULD_BLOCK);
    wire.send_room = 0;
    tls_peer_step(&peer);
    assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_ERR_CERT_UNTRUSTED);
    assert_int_equal(stage, PLAT_STAGE_TLS);
    assert_non_null(strstr(s->ops->detail(s), "self-signed"));
    disconnect();
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
        const tls_peer_config c = { .chain = { &leaf, &second, &first },
                                    .chain_len = 3,
                                    .key = PKI_LEAF };
        if (path_len == 0) {
            expect_refusal("path length 0", HOST, &c, PLAT_ERR_CERT);
        } else {
            expect_success("path length 1", HOST, &c);
        }
    }
}

static void a_root_that_has_expired_gives_way_to_a_newer_one_of_its_name(void **state)
{
    (void)state;
    pki_cert old, leaf;
    pki_spec spec = root_spec("Test Root", PKI_ROOT);
    spec.from_days = -30;
    spec.to_days = -1;
    pki_make(&old, &spec);
    spec = good_spec;
    spec.issuer = &old;
    pki_make(&leaf, &spec);
    const tls_peer_config c = { .chain = { &leaf }, .chain_len = 1, .key = PKI_LEAF };

    const char *file = pki_write_pem("old.pem", (const pki_cert *const[]){ &old }, 1);
    s->ops->deinit(s);
    assert_int_equal(tls_init(&tls, &wire.base, file), PLAT_OK);
    expect_refusal("old", HOST, &c, PLAT_ERR_CERT_DATE);

    for (int i = 0; i < 2; i++) {
        const pki_cert *const both[] = { i == 0 ? &old : &root, i == 0 ? &root : &old };
        file = pki_write_pem(i == 0 ? "old_new.pem" : "new_old.pem", both, 2);
        s->ops->deinit(s);
        assert_int_equal(tls_init(&tls, &wire.base, file), PLAT_OK);
        expect_success("old and new", HOST, &c);
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
    assert_int_equal(tls_init(&tls, &wire.base, file), PLAT_OK);

    expect_success(
        "pinned", HOST,
        &(tls_peer_config){ .chain = { &self_signed }, .chain_len = 1, .key = PKI_LEAF });
    expect_refusal("another", HOST, &good_config, PLAT_ERR_CERT_UNTRUSTED);
}
static void a_changed_certificate_is_verified_again_on_reconnect(void **state)
{
    (void)state;
    pki_cert other;
    pki_spec spec = good_spec;
    spec.dns = "other.example";
    pki_make(&other, &spec);
    const tls_peer_config changed = { .chain = { &other }, .chain_len = 1, .key = PKI_LEAF };

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
        assert_int_equal(tls_init(&t, &wire.base, bad[i]), PLAT_ERR_TRUST_STORE);
        assert_non_null(strstr(t.base.ops->detail(&t.base), bad[i]));
        assert_int_equal(t.base.ops->open(&t.base, HOST, 1, 0), PLAT_ERR_STATE);
        assert_int_equal(t.base.ops->send(&t.base, &byte, 1, &n), PLAT_ERR_TRUST_STORE);
        t.base.ops->deinit(&t.base);
    }
}

static const char *write_file(const char *name, const void *bytes, size_t len)
{
    const char *path = pki_write_pem(name, NULL, 0);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
    return path;
}

static void each_fault_of_the_roots_has_its_own_text(void **state)
{
    (void)state;
    static const char bad_pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    static const char key[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    static const unsigned char der[] = { 0x30, 0x82, 0x01, 0x00, 0x30 };
    static const char garbage[] = "these are not the roots you are looking for";
    const struct {
        const char *file;
        const char *why;
    } cases[] = {
        { "/nonexistent/roots.pem", "there is no such file" },
        { "/dev/null/roots.pem", "a part of the path is not a directory" },
        { "/", "it is a directory" },
        { "/dev/null", "it is not a regular file" },
        { write_file("fault_empty.pem", "", 0), "it is empty" },
        { write_file("fault_pem.pem", bad_pem, strlen(bad_pem)), "none of them can be read" },
        { write_file("fault_key.pem", key, strlen(key)), "it is a private key" },
        { write_file("fault_der.pem", der, sizeof der), "it looks like DER" },
        { write_file("fault_text.pem", garbage, strlen(garbage)), "no certificate in PEM form" },
        { write_file("fault_byte.pem", "x", 1), "no certificate in PEM form" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_tls_stream t;
        assert_int_equal(tls_init(&t, &wire.base, cases[i].file), PLAT_ERR_TRUST_STORE);
        const char *detail = t.base.ops->detail(&t.base);
        if (strstr(detail, cases[i].why) == NULL) {
            fail_msg("%s: %s", cases[i].file, detail);
        }
        t.base.ops->deinit(&t.base);
    }
}

static void of_a_long_path_the_end_is_shown_and_the_cause_whole(void **state)
{
    (void)state;
    char path[400];
    plat_tls_stream t;
    memset(path, 'd', sizeof path);
    path[0] = '/';
    snprintf(path + 200, sizeof path - 200, "/my/roots.pem");

    assert_int_equal(tls_init(&t, &wire.base, path), PLAT_ERR_TRUST_STORE);

    const char *detail = t.base.ops->detail(&t.base);
    assert_true(strlen(detail) < 156);
    assert_non_null(strstr(detail, "d/my/roots.pem: there is no such file"));
    t.base.ops->deinit(&t.base);
}

static void streams_share_the_roots_of_a_file_until_the_last_one_is_gone(void **state)
{
    (void)state;
    plat_tls_profile *a = NULL;
    plat_tls_profile *b = NULL;
    plat_roots_fault fault;
    const char *path = pki_write_pem("changing.pem", (const pki_cert *const[]){ &root }, 1);
    const plat_stream_config config = { .ca_file = path };

    assert_int_equal(plat_tls_profile_acquire(&config, &a, &fault), PLAT_OK);
    FILE *f = fopen(path, "w"); /* makes the file empty */
    assert_non_null(f);
    fclose(f);
    assert_int_equal(plat_tls_profile_acquire(&config, &b, &fault), PLAT_OK);
    assert_ptr_equal(a, b);
    plat_tls_profile_release(a);
    assert_int_equal(b->context->roots.count, 1);
    plat_tls_profile_release(b);

    assert_int_equal(plat_tls_profile_acquire(&config, &a, &fault), PLAT_ERR_TRUST_STORE);
    assert_string_equal(fault.file, path);
    assert_non_null(strstr(fault.why, "it is empty"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(intermediates_may_come_in_any_order_with_others_among_them),
        WITH_STREAM(names_and_addresses_are_found_in_the_alternative_names_only),
        WITH_STREAM(bad_certificates_are_refused_each_for_its_own_reason),
        WITH_STREAM(strangers_are_not_trusted),
        WITH_STREAM(a_refused_chain_ends_the_handshake_although_its_alert_cannot_be_sent),
        WITH_STREAM(a_path_longer_than_its_authority_allows_is_refused),
        WITH_STREAM(a_root_that_has_expired_gives_way_to_a_newer_one_of_its_name),
        WITH_STREAM(a_certificate_that_is_itself_in_the_file_is_trusted),
        WITH_STREAM(a_changed_certificate_is_verified_again_on_reconnect),
        WITH_STREAM(roots_that_cannot_be_read_are_an_error_that_names_the_file),
        WITH_STREAM(each_fault_of_the_roots_has_its_own_text),
        WITH_STREAM(of_a_long_path_the_end_is_shown_and_the_cause_whole),
        WITH_STREAM(streams_share_the_roots_of_a_file_until_the_last_one_is_gone),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
