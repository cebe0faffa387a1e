#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "skip.h"
#include "tls_fixture.h"
#include "wolfssl/tls/trust.h"
#include "wolfssl/x509/service_roots.h"

static char pem[8192];
static size_t pem_len;

static int make_all(void **state)
{
    make_everything(state);
    int n = wc_DerToPem(rsa_root.der, (word32)rsa_root.len, (byte *)pem, sizeof pem, CERT_TYPE);
    assert_true(n > 0);
    pem_len = (size_t)n;
    return 0;
}

static bool same(const plat_stream_config *a, const plat_stream_config *b)
{
    plat_trust_key x, y;
    assert_int_equal(plat_trust_key_of(&x, a), PLAT_OK);
    assert_int_equal(plat_trust_key_of(&y, b), PLAT_OK);
    return plat_trust_key_equals(&x, &y);
}

static void the_same_roots_have_the_same_key_wherever_their_names_are_stored(void **state)
{
    (void)state;
    char copy[sizeof pem];
    char path[] = "roots.pem";
    memcpy(copy, pem, pem_len);
    const plat_stream_config configs[] = {
        { .ca_file = NULL },
        { .ca_file = "roots.pem" },
        { .ca_file = "other.pem" },
        { .ca_data = pem, .ca_len = pem_len },
        { .ca_data = pem, .ca_len = pem_len - 1 },
        { .ca_file = "roots.pem", .ca_data = pem, .ca_len = pem_len },
        { .ca_file = "roots.pem", .roots = PLAT_ROOTS_SYSTEM },
        { .roots = PLAT_ROOTS_COMPILED_IN },
        { .roots = PLAT_ROOTS_COMPILED_IN | PLAT_ROOTS_SYSTEM },
    };
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        for (size_t j = 0; j < sizeof configs / sizeof configs[0]; j++) {
            plat_stream_config other = configs[j];
            if (other.ca_file != NULL && strcmp(other.ca_file, path) == 0) {
                other.ca_file = path;
            }
            if (other.ca_data != NULL) {
                other.ca_data = copy;
            }
            other.max_version = PLAT_TLS_1_2; /* the version does not matter */
            assert_int_equal(same(&configs[i], &other), i == j);
        }
    }
    assert_true(
        same(&(plat_stream_config){ 0 }, &(plat_stream_config){ .roots = PLAT_ROOTS_SYSTEM }));
}

static void a_copy_of_a_key_has_its_own_path(void **state)
{
    (void)state;
    char path[] = "roots.pem";
    plat_trust_key key, copy;
    const plat_stream_config config = { .ca_file = path };
    assert_int_equal(plat_trust_key_of(&key, &config), PLAT_OK);
    assert_int_equal(plat_trust_key_copy(&copy, &key), PLAT_OK);
    memset(path, 'x', sizeof path - 1);
    assert_string_equal(copy.file, "roots.pem");
    assert_false(plat_trust_key_equals(&copy, &key));
    plat_trust_key_free(&copy);
    assert_null(copy.file);
}

static size_t count_of(const plat_stream_config *config)
{
    plat_roots roots = { 0 };
    plat_roots_fault fault = { 0 };
    plat_result r = plat_trust_load(&roots, config, &fault);
    if (r != PLAT_OK) {
        fail_msg("%s: %s", plat_result_str(r), fault.why);
    }
    assert_null(fault.why);
    size_t count = roots.count;
    plat_roots_free(&roots);
    return count;
}

static void sources_are_joined(void **state)
{
    (void)state;
    assert_int_equal(count_of(&(plat_stream_config){ .ca_file = ca_file }), 2);
    assert_int_equal(count_of(&(plat_stream_config){ .ca_data = pem, .ca_len = pem_len }), 1);
    assert_int_equal(
        count_of(&(plat_stream_config){ .ca_data = rsa_root.der, .ca_len = rsa_root.len }), 1);
    assert_int_equal(
        count_of(&(plat_stream_config){ .ca_file = ca_file, .ca_data = pem, .ca_len = pem_len }),
        3);
}

static void the_systems_roots_can_be_joined_with_others(void **state)
{
    (void)state;
    if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) != 0) {
        skip_because("this system has no bundle of roots");
    }
    size_t system = count_of(&(plat_stream_config){ 0 });
    assert_true(system > 10);
    assert_int_equal(count_of(&(plat_stream_config){
                         .ca_data = pem, .ca_len = pem_len, .roots = PLAT_ROOTS_SYSTEM }),
                     system + 1);
}

static void each_source_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    const struct {
        plat_stream_config config;
        const char *source;
        const char *why;
    } cases[] = {
        { { .ca_file = "/nonexistent/roots.pem" }, "ca_file", "no such file" },
        { { .ca_data = "text", .ca_len = 4 }, "in memory", "no certificate in PEM form" },
        { { .ca_data = "", .ca_len = 0 }, "in memory", "it is empty" },
        { { .ca_file = ca_file, .ca_data = "text", .ca_len = 4 }, "in memory", "no certificate" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_roots roots = { 0 };
        plat_roots_fault fault = { 0 };
        assert_int_equal(plat_trust_load(&roots, &cases[i].config, &fault), PLAT_ERR_TRUST_STORE);
        assert_non_null(strstr(fault.source, cases[i].source));
        assert_non_null(strstr(fault.why, cases[i].why));
        assert_int_equal(roots.count, 0);
    }
}

static void a_stream_trusts_what_is_in_memory(void **state)
{
    (void)state;
    pki_cert server;
    pki_spec spec = good_spec;
    spec.issuer = &rsa_root;
    spec.issuer_key = PKI_RSA;
    pki_make(&server, &spec);
    tls_peer_config below_rsa_root = good_config;
    below_rsa_root.chain[0] = &server;
    s->ops->deinit(s);
    const plat_stream_config config = { .ca_data = pem, .ca_len = pem_len };
    assert_int_equal(plat_tls_init(&tls, &wire.base, &config), PLAT_OK);
    expect_refusal("another root", HOST, &good_config, PLAT_ERR_CERT_UNTRUSTED);
    expect_success("the root in memory", HOST, &below_rsa_root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_roots_have_the_same_key_wherever_their_names_are_stored),
        cmocka_unit_test(a_copy_of_a_key_has_its_own_path),
        cmocka_unit_test(sources_are_joined),
        cmocka_unit_test(the_systems_roots_can_be_joined_with_others),
        cmocka_unit_test(each_source_that_cannot_be_used_is_named),
        WITH_STREAM(a_stream_trusts_what_is_in_memory),
    };
    return cmocka_run_group_tests(tests, make_all, remove_everything);
}
