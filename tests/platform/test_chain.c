#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "path_trial.h"

static void extensions_are_held_to_what_rfc_5280_says_of_them(void **state)
{
    (void)state;
    static const words each[] = {
        { "unknown!", NULL, NULL, BAD, NULL },      { "unknown", NULL, NULL, GOOD, NULL },
        { "policy", NULL, NULL, BAD, NULL },        { "policy!", NULL, NULL, BAD, NULL },
        { "policies!", NULL, NULL, GOOD, NULL },    { "mappings!", NULL, NULL, GOOD, NULL },
        { "anypolicy!", NULL, NULL, GOOD, NULL },   { "crl!", NULL, NULL, BAD, NULL },
        { "unknown twice", NULL, NULL, BAD, NULL }, { "ski!", NULL, NULL, BAD, NULL },
        { "aki!=01", NULL, NULL, BAD, NULL },       { "nonames", NULL, NULL, BAD, NULL },
        { "badnames", NULL, NULL, BAD, NULL },      { "for=none", NULL, NULL, BAD, NULL },
        { "hexip:0a0000", NULL, NULL, BAD, NULL },
    };
    static const words ca_only[] = {
        { "for=client", NULL, NULL, BAD, NULL },
        { "for=server", NULL, NULL, GOOD, NULL },
        { "for=any", NULL, NULL, GOOD, NULL },
        { "cn=", NULL, NULL, BAD, NULL },
    };
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        const char *w = each[i].root;
        judge_words("on the root", &(words){ w, NULL, NULL, each[i].wanted, NULL });
        judge_words("on the CA", &(words){ NULL, w, NULL, each[i].wanted, NULL });
        if (strchr(w, ':') == NULL && strstr(w, "names") == NULL && strncmp(w, "for", 3) != 0) {
            judge_words("on the server", &(words){ NULL, NULL, w, each[i].wanted, NULL });
        }
    }
    for (size_t i = 0; i < sizeof ca_only / sizeof ca_only[0]; i++) {
        const char *w = ca_only[i].root;
        judge_words("on the root", &(words){ w, NULL, NULL, ca_only[i].wanted, NULL });
        judge_words("on the CA", &(words){ NULL, w, NULL, ca_only[i].wanted, NULL });
    }
}

static void serial_numbers_may_be_odd_but_not_malformed(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "serial=01",
        "serial=00",
        "serial=80",
        "serial=0080",
        "serial=7f0000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        judge_words("serial", &(words){ odd[i], NULL, NULL, GOOD, NULL });
        judge_words("serial", &(words){ NULL, odd[i], NULL, GOOD, NULL });
        judge_words("serial", &(words){ NULL, NULL, odd[i], GOOD, NULL });
    }
    judge_words("not DER", &(words){ NULL, NULL, "serial=0001", BAD, NULL });
    judge_words("none", &(words){ NULL, NULL, "serial=", BAD, NULL });
}

/* --- servers, by their own words --- */

static void what_a_server_may_be_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        plat_result wanted;
    } list[] = {
        { SERVER, GOOD },
        { "dns:" HUB, GOOD },
        { "end " SERVER, GOOD },
        { "end0 " SERVER, GOOD },
        { "ca usage=84 dns:" HUB, GOOD },
        { "ca=0 usage=84 dns:" HUB, GOOD },
        { "badca " SERVER, BAD },
        { "badusage dns:" HUB, BAD },
        /* The key may sign certificates, but the certificate is not one of a CA. */
        { "usage=84 dns:" HUB, BAD },
        { "end usage=84 dns:" HUB, BAD },
        { "usage=20 dns:" HUB, BAD },
        { "for=client dns:" HUB, BAD },
        { "for=any dns:" HUB, GOOD },
        { "cn= dns:" HUB, GOOD },
        { "cn=", BAD },
        { "v1", PLAT_ERR_CERT_HOST },
        { "cn=" HUB, PLAT_ERR_CERT_HOST },
        { "late " SERVER, PLAT_ERR_CERT_DATE },
        { "early " SERVER, PLAT_ERR_CERT_DATE },
    };
    written_cert root, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        write_cert(&server, "server", PKI_LEAF, &root, list[i].words);
        expect(list[i].words, &(trial){ .trusted = { &root }, .presented = { &server } },
               list[i].wanted);
    }
}

/* --- what is trusted --- */

static void a_trusted_certificate_signs_only_if_it_may(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        plat_result wanted;
    } list[] = {
        { CA, GOOD },
        { "ca", GOOD },
        { "ca~ usage=04", GOOD },
        { "ca=0 usage=04", GOOD },
        { "ca for=server", GOOD },
        { "v1", GOOD },
        { "end", BAD },
        { "end0 usage=80", BAD },
        { "usage=04", BAD },
        { "usage=80", BAD },
        { "", BAD },
        { "ski=01", BAD },
        { "ca usage=80", BAD },
        { "ca for=client", BAD },
        { "ca late", PLAT_ERR_CERT_DATE },
        { "ca early", PLAT_ERR_CERT_DATE },
    };
    written_cert cloud, gateway, server;
    write_cert(&cloud, "Cloud Root", PKI_OTHER, NULL, CA);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        write_cert(&gateway, "gateway", PKI_ROOT, NULL, list[i].words);
        write_cert(&server, "server", PKI_LEAF, &gateway, SERVER);
        expect(list[i].words, &(trial){ .trusted = { &cloud, &gateway }, .presented = { &server } },
               list[i].wanted);
        expect(list[i].words,
               &(trial){ .trusted = { &cloud, &gateway }, .presented = { &server, &gateway } },
               list[i].wanted);
    }
}

static void a_certificate_in_the_file_is_good_for_itself_whoever_issued_it(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        plat_result wanted;
    } list[] = {
        { SERVER, GOOD },
        { "end " SERVER, GOOD },
        { "ca usage=84 dns:" HUB, GOOD },
        { "ca usage=04 dns:" HUB, BAD },
        { "for=client dns:" HUB, BAD },
        { "usage=20 dns:" HUB, BAD },
        { "unknown! dns:" HUB, BAD },
        { "late dns:" HUB, PLAT_ERR_CERT_DATE },
        { "early dns:" HUB, PLAT_ERR_CERT_DATE },
        { "dns:other.test", PLAT_ERR_CERT_HOST },
    };
    written_cert nobody, issued, alone, twin;
    write_cert(&nobody, "Nobody's Root", PKI_OTHER, NULL, CA);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        write_cert(&issued, "server", PKI_LEAF, &nobody, list[i].words);
        write_cert(&alone, "server", PKI_LEAF, NULL, list[i].words);
        expect(list[i].words, &(trial){ .trusted = { &issued }, .presented = { &issued } },
               list[i].wanted);
        expect(list[i].words, &(trial){ .trusted = { &alone }, .presented = { &alone } },
               list[i].wanted);
    }
    write_cert(&issued, "server", PKI_LEAF, &nobody, SERVER);
    write_cert(&twin, "server", PKI_LEAF, &nobody, SERVER);
    expect("the same but for its number",
           &(trial){ .trusted = { &issued }, .presented = { &twin } }, STRANGER);
    expect("in the second place",
           &(trial){ .trusted = { &issued }, .presented = { &twin, &issued } }, STRANGER);
}

static void an_intermediate_in_the_file_ends_a_path(void **state)
{
    (void)state;
    written_cert root, ca, below, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    for (int limited = 0; limited < 2; limited++) {
        write_cert(&ca, "CA", PKI_INTERMEDIATE, &root,
                   limited != 0 ? "ca=0" : "ca +dns:judge.test");
        write_cert(&below, "Below", PKI_OTHER, &ca, CA);
        write_cert(&server, "server", PKI_LEAF, &ca, SERVER);
        expect("one", &(trial){ .trusted = { &ca }, .presented = { &server } }, GOOD);
        expect("with its issuer",
               &(trial){ .trusted = { &ca }, .presented = { &server, &ca, &root } }, GOOD);
        write_cert(&server, "server", PKI_LEAF, &below, SERVER);
        expect("two", &(trial){ .trusted = { &ca }, .presented = { &server, &below } },
               limited != 0 ? BAD : GOOD);
        write_cert(&server, "server", PKI_LEAF, &below, "dns:out.test");
        expect("outside",
               &(trial){ .trusted = { &ca }, .presented = { &server, &below }, .host = "out.test" },
               BAD);
    }
}

static void an_unreadable_certificate_matters_only_on_the_path(void **state)
{
    (void)state;
    written_cert root, ca, server, junk;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&ca, "CA", PKI_INTERMEDIATE, &root, CA);
    write_cert(&server, "server", PKI_LEAF, &ca, SERVER);
    junk = ca;
    junk.cert.der[5] ^= 0x10;
    expect("junk first", &(trial){ .trusted = { &root }, .presented = { &server, &junk, &ca } },
           GOOD);
    expect("junk instead", &(trial){ .trusted = { &root }, .presented = { &server, &junk } },
           STRANGER);
    expect("junk as server", &(trial){ .trusted = { &root }, .presented = { &junk, &ca } }, BAD);
}

static void key_identifiers_count_if_both_have_them(void **state)
{
    (void)state;
    static const words list[] = {
        { NULL, "ski=01", "aki=01", GOOD, NULL }, { NULL, "ski=01", "aki=02", STRANGER, NULL },
        { NULL, NULL, "aki=02", GOOD, NULL },     { NULL, "ski=01", NULL, GOOD, NULL },
        { "ski=07", "aki=07", NULL, GOOD, NULL }, { "ski=07", "aki=08", NULL, STRANGER, NULL },
        { NULL, "aki=08", "aki=09", GOOD, NULL },
    };
    JUDGE_ALL("identifiers", list);
    written_cert root, ca, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&ca, "CA", PKI_INTERMEDIATE, &root, "ca serial=05");
    write_cert(&server, "server", PKI_LEAF, &ca, SERVER " akiserial=06");
    expect("serial number of another",
           &(trial){ .trusted = { &root }, .presented = { &server, &ca } }, STRANGER);
}

static void names_are_compared_without_case(void **state)
{
    (void)state;
    written_cert root, ca, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&ca, "Some_CA", PKI_INTERMEDIATE, &root, CA);
    written_cert shouted = ca;
    for (size_t i = 0; i + 3 <= shouted.name_len; i++) {
        char *c = (char *)&shouted.name[i];
        *c = (char)(strncmp(c, "ome", 3) == 0 ? 'O' : *c);
    }
    write_cert(&server, "server", PKI_LEAF, &shouted, SERVER);
    expect("case", &(trial){ .trusted = { &root }, .presented = { &server, &ca } }, GOOD);
}

/* --- every byte --- */

static void a_chain_with_any_byte_changed_or_missing_is_refused(void **state)
{
    (void)state;
    written_cert root, ca, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA);
    write_cert(&ca, "CA", PKI_INTERMEDIATE, &root, CA " +dns:judge.test ski=01");
    write_cert(&server, "server", PKI_LEAF, &ca, SERVER " aki=01 ip:10.0.0.1");
    trial t = { .trusted = { &root }, .presented = { &server, &ca } };
    plat_chain_verdict v;
    for (int which = 0; which < 2; which++) {
        written_cert *c = which == 0 ? &server : &ca;
        const pki_cert good = c->cert;
        for (size_t at = 0; at < good.len; at++) {
            c->cert.der[at] ^= (byte)(1u << at % 8);
            assert_int_not_equal(judge(&t, &v), PLAT_OK);
            c->cert = good;
            c->cert.len = at + 1 < good.len ? at + 1 : good.len + 1;
            assert_int_not_equal(judge(&t, &v), PLAT_OK);
            c->cert = good;
        }
    }
    assert_int_equal(judge(&t, &v), PLAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_are_held_to_what_rfc_5280_says_of_them),
        cmocka_unit_test(serial_numbers_may_be_odd_but_not_malformed),
        cmocka_unit_test(what_a_server_may_be_is_read_strictly),
        cmocka_unit_test(a_trusted_certificate_signs_only_if_it_may),
        cmocka_unit_test(a_certificate_in_the_file_is_good_for_itself_whoever_issued_it),
        cmocka_unit_test(an_intermediate_in_the_file_ends_a_path),
        cmocka_unit_test(an_unreadable_certificate_matters_only_on_the_path),
        cmocka_unit_test(key_identifiers_count_if_both_have_them),
        cmocka_unit_test(names_are_compared_without_case),
        cmocka_unit_test(a_chain_with_any_byte_changed_or_missing_is_refused),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
