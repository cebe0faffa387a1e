#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "path_trial.h"

static byte pem[3][4096];
static size_t pem_len[3];
static written_cert certs[3];

static int make_pem(void **state)
{
    static const char *const names[] = { "One", "Two", "Three" };
    static const pki_key keys[] = { PKI_ROOT, PKI_INTERMEDIATE, PKI_OTHER };
    (void)make_keys(state);
    for (size_t i = 0; i < 3; i++) {
        write_cert(&certs[i], names[i], keys[i], NULL, CA);
        int n = wc_DerToPem(certs[i].cert.der, (word32)certs[i].cert.len, pem[i], sizeof pem[i],
                            CERT_TYPE);
        assert_true(n > 0);
        pem_len[i] = (size_t)n;
    }
    return 0;
}

/* Writes a bundle of certificates, other PEM blocks and text in the order of `plan`, in which a
 * digit stands for a certificate. */
static size_t write_bundle(char *out, const char *plan)
{
    size_t len = 0;
    for (; *plan != '\0'; plan++) {
        if (*plan >= '0' && *plan <= '2') {
            memcpy(out + len, pem[*plan - '0'], pem_len[*plan - '0']);
            len += pem_len[*plan - '0'];
        } else {
            len += (size_t)sprintf(out + len, "# a comment\n");
        }
    }
    return len;
}

static void expect_certificates(const plat_roots *r, const char *digits)
{
    assert_int_equal(r->count, strlen(digits));
    for (size_t i = 0; i < r->count; i++) {
        const written_cert *c = &certs[digits[i] - '0'];
        plat_certificate read;
        assert_int_equal(r->list[i].der->length, c->cert.len);
        assert_memory_equal(r->list[i].der->buffer, c->cert.der, c->cert.len);
        assert_true(plat_certificate_read(&read, (plat_der){ c->cert.der, c->cert.len }));
        assert_int_equal(r->list[i].subject_hash, read.subject_hash);
    }
}

static void every_certificate_of_a_bundle_is_kept_in_its_order(void **state)
{
    (void)state;
    static const char *const plans[] = { "0", "01", "012", "#0#1#2#", "00", "2101201" };
    static char text[65536];
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        char digits[16];
        size_t n = 0;
        plat_roots r = { 0 };
        const char *why;
        for (const char *p = plans[i]; *p != '\0'; p++) {
            if (*p != '#') {
                digits[n++] = *p;
            }
        }
        digits[n] = '\0';
        assert_int_equal(plat_roots_add(&r, text, write_bundle(text, plans[i]), &why), PLAT_OK);
        assert_null(why);
        expect_certificates(&r, digits);
        plat_roots_free(&r);
        assert_int_equal(r.count, 0);
        plat_roots_free(&r); /* a second call has no effect */
    }
}

static void one_that_cannot_be_read_does_not_lock_out_the_others(void **state)
{
    (void)state;
    static char text[16384];
    size_t len = write_bundle(text, "012");
    memset(text + pem_len[0] + 40, '!', 20); /* makes the second certificate invalid */
    plat_roots r = { 0 };
    const char *why;
    assert_int_equal(plat_roots_add(&r, text, len, &why), PLAT_OK);
    expect_certificates(&r, "02");
    plat_roots_free(&r);
}

static void a_bundle_that_is_cut_anywhere_keeps_what_is_whole(void **state)
{
    (void)state;
    static char text[16384];
    const size_t len = write_bundle(text, "01");
    for (size_t cut = 0; cut < len; cut += 7) {
        plat_roots r = { 0 };
        const char *why;
        plat_result result = plat_roots_add(&r, text, cut, &why);
        assert_int_equal(result, r.count > 0 ? PLAT_OK : PLAT_ERR_TRUST_STORE);
        /* Only the newline at the end of the last line may be missing. */
        assert_true(r.count <= 1 || cut + 1 >= len);
        plat_roots_free(&r);
    }
}

static void nothing_useful_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "\n", "# no certificate\n",
                                         "-----BEGIN CERTIFICATE-----\n",
                                         ("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                          "-----END CERTIFICATE-----\n") };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        plat_roots r = { 0 };
        const char *why = NULL;
        assert_int_equal(plat_roots_add(&r, texts[i], strlen(texts[i]), &why),
                         PLAT_ERR_TRUST_STORE);
        assert_non_null(why);
        assert_null(r.list);
        assert_int_equal(r.count, 0);
    }
}

static void a_file_is_read_and_its_fault_named(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_roots.XXXXXX";
    char path[64];
    const char *why = NULL;
    plat_roots r = { 0 };
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/roots.pem", dir);
    assert_int_equal(plat_roots_add_file(&r, path, &why), PLAT_ERR_TRUST_STORE);
    assert_non_null(strstr(why, "no such file"));
    assert_int_equal(plat_roots_add_file(&r, dir, &why), PLAT_ERR_TRUST_STORE);
    assert_non_null(strstr(why, "directory"));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(pem[0], 1, pem_len[0], f), pem_len[0]);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(plat_roots_add_file(&r, path, &why), PLAT_OK);
    assert_null(why);
    expect_certificates(&r, "0");
    plat_roots_free(&r);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

#ifndef NDEBUG
static void a_list_and_a_count_that_disagree_are_seen(void **state)
{
    (void)state;
    plat_root list[2] = { { .der = (DerBuffer *)pem }, { .der = (DerBuffer *)pem } };
    assert_true(plat_roots_valid(&(plat_roots){ 0 }));
    assert_true(plat_roots_valid(&(plat_roots){ list, 2 }));
    assert_false(plat_roots_valid(&(plat_roots){ NULL, 1 }));
    assert_false(plat_roots_valid(&(plat_roots){ list, 0 }));
    list[1].der = NULL;
    assert_false(plat_roots_valid(&(plat_roots){ list, 2 }));
}
#else
static void a_list_and_a_count_that_disagree_are_seen(void **state)
{
    (void)state;
    skip(); /* a release build has no such check */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_certificate_of_a_bundle_is_kept_in_its_order),
        cmocka_unit_test(one_that_cannot_be_read_does_not_lock_out_the_others),
        cmocka_unit_test(a_bundle_that_is_cut_anywhere_keeps_what_is_whole),
        cmocka_unit_test(nothing_useful_is_an_error),
        cmocka_unit_test(a_file_is_read_and_its_fault_named),
        cmocka_unit_test(a_list_and_a_count_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, make_pem, free_keys);
}
