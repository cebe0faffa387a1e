#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "path_trial.h"

/* --- one certificate --- */

static plat_certificate read_cert(const written_cert *w)
{
    plat_certificate c;
    assert_true(plat_certificate_read(&c, (plat_der){ w->cert.der, w->cert.len }));
    return c;
}

typedef plat_result judge_one(const plat_certificate *c, int64_t now_s, const char **why);

static void expect_one(judge_one *judge_it, const char *list, plat_result wanted)
{
    static written_cert w;
    const char *why = NULL;
    write_cert(&w, "One", PKI_ROOT, NULL, list);
    const plat_certificate c = read_cert(&w);
    plat_result r = judge_it(&c, (int64_t)time(NULL), &why);
    if (r != wanted) {
        fail_msg("%s: %s (%s), not %s", list, plat_result_str(r), r != PLAT_OK ? why : "",
                 plat_result_str(wanted));
    }
    assert_true(r == PLAT_OK || why != NULL);
}

static void each_place_in_a_path_has_its_own_rules(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        plat_result own, ca, root;
    } cases[] = {
        { SERVER, GOOD, BAD, BAD },
        { CA, BAD, GOOD, GOOD }, /* keyCertSign does not include digitalSignature */
        { "ca usage=84", GOOD, GOOD, GOOD },
        { "ca", GOOD, GOOD, GOOD },
        { "v1", GOOD, BAD, GOOD },
        { "end", GOOD, BAD, BAD },
        { "ca for=client", BAD, BAD, BAD },
        { "ca unknown!", BAD, BAD, BAD },
        { "ca late", PLAT_ERR_CERT_DATE, PLAT_ERR_CERT_DATE, PLAT_ERR_CERT_DATE },
        { "ca early", PLAT_ERR_CERT_DATE, PLAT_ERR_CERT_DATE, PLAT_ERR_CERT_DATE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_one(plat_path_check_own, cases[i].words, cases[i].own);
        expect_one(plat_path_check_ca, cases[i].words, cases[i].ca);
        expect_one(plat_path_check_root, cases[i].words, cases[i].root);
    }
}

static void both_ends_of_the_validity_belong_to_it(void **state)
{
    (void)state;
    static written_cert w;
    const char *why;
    write_cert(&w, "CA", PKI_ROOT, NULL, CA);
    const plat_certificate c = read_cert(&w);
    assert_int_equal(plat_path_check_ca(&c, c.not_before - 1, &why), PLAT_ERR_CERT_DATE);
    assert_int_equal(plat_path_check_ca(&c, c.not_before, &why), PLAT_OK);
    assert_int_equal(plat_path_check_ca(&c, c.not_after, &why), PLAT_OK);
    assert_int_equal(plat_path_check_ca(&c, c.not_after + 1, &why), PLAT_ERR_CERT_DATE);
}

/* 1970, and ten years before and after the life of a certificate. */
static void outside_of_the_validity_the_text_names_the_clock(void **state)
{
    (void)state;
    static const int64_t ten_years_s = INT64_C(315576000);
    static written_cert w;
    write_cert(&w, "CA", PKI_ROOT, NULL, CA);
    const plat_certificate c = read_cert(&w);
    const int64_t times[] = { 0, c.not_before - ten_years_s, c.not_after + ten_years_s };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        const char *why = "";
        assert_int_equal(plat_path_check_ca(&c, times[i], &why), PLAT_ERR_CERT_DATE);
        assert_non_null(strstr(why, "is the clock right?"));
        assert_int_equal(plat_path_check_root(&c, times[i], &why), PLAT_ERR_CERT_DATE);
        assert_non_null(strstr(why, "root"));
        assert_non_null(strstr(why, "is the clock right?"));
    }
}

static void a_path_is_valid_until_its_first_certificate_expires(void **state)
{
    (void)state;
    written_cert root, ca, server;
    plat_chain_verdict v;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&ca, "CA", PKI_INTERMEDIATE, &root, CA);
    write_cert(&server, "server", PKI_LEAF, &ca, SERVER);
    const written_cert *const all[] = { &root, &ca, &server };
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < 3; i++) {
        const plat_certificate c = read_cert(all[i]);
        first = c.not_after < first ? c.not_after : first;
    }
    assert_int_equal(judge(&(trial){ .trusted = { &root }, .presented = { &server, &ca } }, &v),
                     PLAT_OK);
    assert_true(v.trust.valid_until_s == first);
}

/* --- paths --- */

/* --- several candidates --- */

static void every_certificate_of_a_name_is_tried(void **state)
{
    (void)state;
    static const char *const bad[] = { "ca late",       "ca early",   "ca unknown!",
                                       "ca for=client", "end",        "ca usage=80",
                                       "ca for=none",   "ca policy!", "ca -dns:test" };
    written_cert root, other_root, good, twin, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&good, "CA", PKI_INTERMEDIATE, &root, CA);
    write_cert(&server, "server", PKI_LEAF, &good, SERVER);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_cert(&twin, "CA", PKI_INTERMEDIATE, &root, bad[i]);
        expect(bad[i], &(trial){ .trusted = { &root }, .presented = { &server, &twin, &good } },
               GOOD);
        expect(bad[i], &(trial){ .trusted = { &root }, .presented = { &server, &good, &twin } },
               GOOD);
        expect(bad[i], &(trial){ .trusted = { &twin, &root }, .presented = { &server, &good } },
               GOOD);
        expect(bad[i], &(trial){ .trusted = { &twin, &good }, .presented = { &server } }, GOOD);
        plat_chain_verdict v;
        assert_int_not_equal(
            judge(&(trial){ .trusted = { &root }, .presented = { &server, &twin } }, &v), GOOD);
    }
    /* A CA of the same name with another key, and a cross certificate by an unknown root. */
    write_cert(&twin, "CA", PKI_OTHER, &root, CA);
    expect("other key", &(trial){ .trusted = { &root }, .presented = { &server, &twin, &good } },
           GOOD);
    expect("only the other", &(trial){ .trusted = { &root }, .presented = { &server, &twin } },
           STRANGER);
    write_cert(&other_root, "Other Root", PKI_OTHER, NULL, CA);
    write_cert(&twin, "CA", PKI_INTERMEDIATE, &other_root, CA);
    expect("cross first",
           &(trial){ .trusted = { &root }, .presented = { &server, &twin, &other_root, &good } },
           GOOD);
    expect("unrelated",
           &(trial){ .trusted = { &root }, .presented = { &server, &other_root, &good } }, GOOD);
}

static void circles_end(void **state)
{
    (void)state;
    written_cert root, a, b, a_by_b, b_by_a, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&a, "A", PKI_INTERMEDIATE, NULL, CA);
    write_cert(&b, "B", PKI_OTHER, NULL, CA);
    write_cert(&a_by_b, "A", PKI_INTERMEDIATE, &b, CA);
    write_cert(&b_by_a, "B", PKI_OTHER, &a, CA);
    write_cert(&server, "server", PKI_LEAF, &a, SERVER);
    expect("circle",
           &(trial){ .trusted = { &root },
                     .presented = { &server, &a_by_b, &b_by_a, &a, &b, &a_by_b, &b_by_a } },
           STRANGER);
    expect("way out of it",
           &(trial){ .trusted = { &b }, .presented = { &server, &a_by_b, &b_by_a } }, GOOD);
}

/* --- how long --- */

static void paths_have_up_to_ten_certificates_below_the_root(void **state)
{
    (void)state;
    static written_cert list[PLAT_PATH_LONGEST + 2]; /* sorted from the root on */
    write_cert(&list[0], "Root", PKI_ROOT, NULL, CA);
    for (size_t i = 1; i < sizeof list / sizeof list[0]; i++) {
        char cn[8];
        trial t = { .trusted = { &list[0] } };
        snprintf(cn, sizeof cn, "CA %zu", i);
        write_cert(&list[i], "server", PKI_LEAF, &list[i - 1], SERVER);
        for (size_t k = 0; k < i; k++) {
            t.presented[k] = &list[i - k];
        }
        expect(cn, &t, i <= PLAT_PATH_LONGEST ? GOOD : STRANGER);
        write_cert(&list[i], cn, i % 2 != 0 ? PKI_INTERMEDIATE : PKI_OTHER, &list[i - 1], CA);
    }
}

static void path_lengths_do_not_count_self_issued_certificates(void **state)
{
    (void)state;
    written_cert root, ca, again, below, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, "ca=1");
    write_cert(&ca, "CA", PKI_INTERMEDIATE, &root, "ca=0");
    write_cert(&again, "CA", PKI_OTHER, &ca, "ca=0");
    write_cert(&server, "server", PKI_LEAF, &again, SERVER);
    expect("a new key of the same CA",
           &(trial){ .trusted = { &root }, .presented = { &server, &again, &ca } }, GOOD);
    write_cert(&below, "Below", PKI_OTHER, &ca, "ca");
    write_cert(&server, "server", PKI_LEAF, &below, SERVER);
    expect("another CA", &(trial){ .trusted = { &root }, .presented = { &server, &below, &ca } },
           BAD);
}

static void the_work_is_bounded_whatever_is_presented(void **state)
{
    (void)state;
    static written_cert root, server, twins[MOST];
    trial t = { .trusted = { &root }, .presented = { &server } };
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    /* Sixteen CAs with the same name: judging by names, each could have signed every other. */
    for (size_t i = 0; i < MOST; i++) {
        write_cert(&twins[i], "Twin", i % 2 != 0 ? PKI_OTHER : PKI_INTERMEDIATE, NULL, CA);
        if (i > 0) {
            t.presented[i] = &twins[i];
        }
    }
    write_cert(&server, "server", PKI_LEAF, &twins[0], SERVER);
    clock_t begin = clock();
    plat_chain_verdict v;
    assert_int_not_equal(judge(&t, &v), PLAT_OK);
    assert_true((clock() - begin) / CLOCKS_PER_SEC < 2); /* takes about 30 ms with sanitizers */
    t.presented[MOST] = &root;
    assert_int_equal(judge(&t, &v), PLAT_ERR_CERT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_in_a_path_has_its_own_rules),
        cmocka_unit_test(both_ends_of_the_validity_belong_to_it),
        cmocka_unit_test(outside_of_the_validity_the_text_names_the_clock),
        cmocka_unit_test(a_path_is_valid_until_its_first_certificate_expires),
        cmocka_unit_test(every_certificate_of_a_name_is_tried),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(paths_have_up_to_ten_certificates_below_the_root),
        cmocka_unit_test(path_lengths_do_not_count_self_issued_certificates),
        cmocka_unit_test(the_work_is_bounded_whatever_is_presented),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
