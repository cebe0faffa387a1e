#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "path_trial.h"

static written_cert written;

static plat_certificate read_cert(const written_cert *w)
{
    plat_certificate c;
    assert_true(plat_certificate_read(&c, (plat_der){ w->cert.der, w->cert.len }));
    return c;
}

static plat_certificate certificate_of(const char *list)
{
    write_cert(&written, "One", PKI_ROOT, NULL, list);
    return read_cert(&written);
}

static void the_fields_are_those_that_were_written(void **state)
{
    (void)state;
    written_cert root, ca;
    const int64_t now = (int64_t)time(NULL);
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&ca, "CA", PKI_INTERMEDIATE, &root, "ca=3 usage=84 ski=07 aki=01 serial=1234");
    const plat_certificate c = read_cert(&ca);
    const plat_certificate parent = read_cert(&root);
    assert_int_equal(c.version, 3);
    assert_int_equal(c.whole.len, ca.cert.len);
    assert_true(plat_der_is(c.serial, "\x12\x34"));
    assert_true(c.not_before <= now && now <= c.not_after);
    assert_true(plat_name_equals(c.issuer, parent.subject));
    assert_false(plat_name_equals(c.subject, parent.subject));
    assert_int_equal(c.issuer_hash, parent.subject_hash);
    assert_int_equal(c.proof.algorithm.scheme, PLAT_SCHEME_ECDSA);
    assert_true(c.extensions.is_ca && c.extensions.has_path_len && c.extensions.has_usage);
    assert_int_equal(c.extensions.path_len, 3);
    assert_int_equal(c.extensions.usage, PLAT_USAGE_DIGITAL_SIGNATURE | PLAT_USAGE_KEY_CERT_SIGN);
    assert_true(plat_der_is(c.extensions.key_id, "\x07"));
    assert_true(plat_der_is(c.extensions.authority_key_id, "\x01"));
    assert_null(c.flaw);
    assert_null(plat_key_flaw(c.key));
    assert_int_equal(plat_signature_verify(&c.proof, parent.key), PLAT_OK);
}

static void a_certificate_that_is_cut_or_too_long_is_refused(void **state)
{
    (void)state;
    plat_certificate c;
    uint8_t longer[sizeof written.cert.der + 1];
    (void)certificate_of(SERVER);
    for (size_t len = 0; len < written.cert.len; len++) {
        assert_false(plat_certificate_read(&c, (plat_der){ written.cert.der, len }));
    }
    memcpy(longer, written.cert.der, written.cert.len);
    longer[written.cert.len] = 0;
    assert_false(plat_certificate_read(&c, (plat_der){ longer, written.cert.len + 1 }));
}

static void what_a_certificate_of_version_1_does_not_have_is_empty(void **state)
{
    (void)state;
    const plat_certificate c = certificate_of("v1");
    assert_int_equal(c.version, 1);
    assert_false(c.extensions.is_ca || c.extensions.has_usage || c.extensions.has_alt_names);
    assert_int_equal(c.extensions.alt_names.len, 0);
    assert_null(c.flaw);
}

/* The rules are in sections 4.1.2.4, 4.1.2.6, 4.2.1.3 and 4.2.1.10 of RFC 5280. */
static void fields_that_contradict_each_other_are_a_flaw(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        const char *flaw; /* part of the expected text; NULL: no flaw is expected */
    } cases[] = {
        { CA, NULL },
        { "end usage=80", NULL },
        { "end usage=04", "is not a CA" },
        { "usage=84", "is not a CA" },
        { "end -dns:bad.example", "is not a CA" },
        { "ca -dns:bad.example", NULL },
        /* The certificate is self-signed, so its subject is missing as well. */
        { "ca cn=", "no issuer" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const plat_certificate c = certificate_of(cases[i].words);
        const char *wanted = cases[i].flaw;
        if ((c.flaw == NULL) != (wanted == NULL) ||
            (c.flaw != NULL && strstr(c.flaw, wanted) == NULL)) {
            fail_msg("%s: %s", cases[i].words, c.flaw != NULL ? c.flaw : "no flaw");
        }
    }
}

static void only_equal_names_make_a_certificate_self_issued(void **state)
{
    (void)state;
    written_cert root, again, child;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&again, "Root", PKI_OTHER, &root, CA);
    write_cert(&child, "Child", PKI_LEAF, &root, SERVER);
    const plat_certificate a = read_cert(&root), b = read_cert(&again), c = read_cert(&child);
    assert_true(plat_certificate_is_self_issued(&a));
    /* Self-issued, although another key with the same name signed it. */
    assert_true(plat_certificate_is_self_issued(&b));
    assert_false(plat_certificate_is_self_issued(&c));
}

static void an_issuer_fits_unless_a_name_or_an_identifier_differs(void **state)
{
    (void)state;
    static const struct {
        const char *parent, *child;
        bool fits;
    } cases[] = {
        { CA, SERVER, true },
        { CA " ski=01", SERVER, true },
        { CA, SERVER " aki=01", true },
        { CA " ski=01", SERVER " aki=01", true },
        { CA " ski=01", SERVER " aki=02", false },
        { CA " serial=05", SERVER " akiserial=05", true },
        { CA " serial=06", SERVER " akiserial=05", false },
    };
    written_cert other, parent, child;
    write_cert(&other, "Other", PKI_OTHER, NULL, CA);
    const plat_certificate stranger = read_cert(&other);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_cert(&parent, "CA", PKI_INTERMEDIATE, NULL, cases[i].parent);
        write_cert(&child, "server", PKI_LEAF, &parent, cases[i].child);
        const plat_certificate p = read_cert(&parent), c = read_cert(&child);
        if (plat_certificate_names_issuer(&c, &p) != cases[i].fits) {
            fail_msg("%s below %s", cases[i].child, cases[i].parent);
        }
        assert_false(plat_certificate_names_issuer(&c, &stranger));
        assert_false(plat_certificate_names_issuer(&p, &c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_are_those_that_were_written),
        cmocka_unit_test(a_certificate_that_is_cut_or_too_long_is_refused),
        cmocka_unit_test(what_a_certificate_of_version_1_does_not_have_is_empty),
        cmocka_unit_test(fields_that_contradict_each_other_are_a_flaw),
        cmocka_unit_test(only_equal_names_make_a_certificate_self_issued),
        cmocka_unit_test(an_issuer_fits_unless_a_name_or_an_identifier_differs),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
