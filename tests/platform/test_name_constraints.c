#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "path_trial.h"

static void constraints_on_host_names_hold_label_by_label_at_any_level(void **state)
{
    (void)state;
    static const struct {
        const char *base;
        bool covers;
    } bases[] = {
        { "dns:hub.judge.test", true },
        { "dns:judge.test", true },
        { "dns:test", true },
        { "dns:", true },
        { "dns:JUDGE.Test", true },
        { "dns:.judge.test", true },
        { "dns:dge.test", false },
        { "dns:ub.judge.test", false },
        { "dns:.hub.judge.test", false },
        { "dns:a.hub.judge.test", false },
        { "dns:other.test", false },
        { "dns:judge.test.org", false },
    };
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        char permit[64], exclude[64];
        plat_result if_covered = bases[i].covers ? GOOD : BAD;
        plat_result if_not = bases[i].covers ? BAD : GOOD;
        snprintf(permit, sizeof permit, "+%s", bases[i].base);
        snprintf(exclude, sizeof exclude, "-%s", bases[i].base);
        judge_words("permitted by the root", &(words){ permit, NULL, NULL, if_covered, NULL });
        judge_words("permitted by the CA", &(words){ NULL, permit, NULL, if_covered, NULL });
        judge_words("excluded by the root", &(words){ exclude, NULL, NULL, if_not, NULL });
        judge_words("excluded by the CA", &(words){ NULL, exclude, NULL, if_not, NULL });
    }
}

static void constraints_of_all_kinds_are_collected_down_the_path(void **state)
{
    (void)state;
    static const words list[] = {
        { "-dns:localhost", NULL, "dns:localhost", BAD, "localhost" },
        { "+dns:other.test", "dns:ca.other.test", NULL, BAD, NULL },
        { "+dns:judge.test", "dns:ca.other.test", NULL, BAD, NULL },
        { "+dns:judge.test", "+dns:other.test", NULL, BAD, NULL },
        { "+dns:judge.test +dns:x.test", "+dns:judge.test", NULL, GOOD, NULL },
        { "+dns:x.judge.test", "+dns:judge.test", NULL, BAD, NULL },
        { "+dns:judge.test -dns:hub.judge.test", NULL, NULL, BAD, NULL },
        { "+dns:judge.test nc~", NULL, NULL, GOOD, NULL },
        { "+dns:x.test nc~", NULL, NULL, BAD, NULL },
        { "+dns:judge.test", NULL, "dns:other.test", BAD, NULL },
        { "+dns:judge.test", NULL, "ip:10.0.0.1", GOOD, NULL },
        /* addresses */
        { "+ip:10.0.0.0/255.0.0.0", NULL, "ip:10.1.2.3", GOOD, "10.1.2.3" },
        { "+ip:10.0.0.0/255.0.0.0", NULL, "ip:11.1.2.3", BAD, "11.1.2.3" },
        { "-ip:10.0.0.0/255.0.0.0", NULL, "ip:10.1.2.3", BAD, "10.1.2.3" },
        { "-ip:10.0.0.0/255.0.0.0", NULL, "ip:11.1.2.3", GOOD, "11.1.2.3" },
        { NULL, "-ip:10.1.2.0/255.255.255.0", "ip:10.1.2.3", BAD, "10.1.2.3" },
        { NULL, "+ip:10.1.2.0/255.255.255.128", "ip:10.1.2.127", GOOD, "10.1.2.127" },
        { NULL, "+ip:10.1.2.0/255.255.255.128", "ip:10.1.2.128", BAD, "10.1.2.128" },
        { "+ip:2001:db8::/ffff:ffff::", NULL, "ip:2001:db8::1", GOOD, "2001:db8::1" },
        { "+ip:2001:db8::/ffff:ffff::", NULL, "ip:2001:db9::1", BAD, "2001:db9::1" },
        { "+ip:10.0.0.0/255.0.0.0", NULL, "ip:2001:db8::1", BAD, "2001:db8::1" },
        { "-ip:0.0.0.0/0.0.0.0", NULL, "ip:2001:db8::1", GOOD, "2001:db8::1" },
        { "-ip:0.0.0.0/0.0.0.0", NULL, NULL, GOOD, NULL },
        /* Directory names in the subject and in subjectAltName. */
        { "o=Acme +dir:Acme", "o=Acme", "o=Acme", GOOD, NULL },
        { "o=Acme +dir:ACME", "o=acme", "o=Acme", GOOD, NULL },
        { "o=Acme +dir:Acme", "o=Acme", "o=Evil", BAD, NULL },
        { "o=Acme +dir:Acme", "o=Evil", "o=Acme", BAD, NULL },
        { "o=Acme +dir:Acme", "o=Acme", "o=Acme dir:Evil", BAD, NULL },
        { "o=Acme +dir:Acme", "o=Acme", "cn=", GOOD, NULL },
        { "-dir:Acme", NULL, "o=Acme", BAD, NULL },
        { "-dir:Acme", NULL, "dir:Acme", BAD, NULL },
        { "-dir:Acme", NULL, "o=Other", GOOD, NULL },
        /* Mailboxes and URIs. */
        { "+mail:judge.test", NULL, "mail:a@judge.test", GOOD, NULL },
        { "+mail:a@judge.test", NULL, "mail:a@JUDGE.test", GOOD, NULL },
        { "+mail:a@judge.test", NULL, "mail:A@judge.test", BAD, NULL },
        { "+mail:judge.test", NULL, "mail:a@x.judge.test", BAD, NULL },
        { "+mail:.judge.test", NULL, "mail:a@x.judge.test", GOOD, NULL },
        { "-mail:judge.test", NULL, "mail:a@judge.test", BAD, NULL },
        { "+mail:judge.test", NULL, "mail:nobody", BAD, NULL },
        { "+uri:x.test", NULL, "uri:https://x.test/a", GOOD, NULL },
        { "+uri:x.test", NULL, "uri:https://me@X.test:8883?q", GOOD, NULL },
        { "+uri:x.test", NULL, "uri:https://y.x.test/a", BAD, NULL },
        { "+uri:.x.test", NULL, "uri:spiffe://y.x.test", GOOD, NULL },
        { "-uri:.x.test", NULL, "uri:spiffe://y.x.test", BAD, NULL },
        { "-uri:.x.test", NULL, "uri:spiffe://10.0.0.1/", BAD, NULL },
        { "-uri:.x.test", NULL, "uri:urn:a:b", BAD, NULL },
        /* Kinds of names that are not compared. */
        { "+id:*", NULL, "id:*", BAD, NULL },
        { "-id:*", NULL, "id:+", BAD, NULL },
        { "-id:*", NULL, NULL, GOOD, NULL },
    };
    JUDGE_ALL("constraints", list);
}

static void a_wildcard_is_permitted_as_a_whole_and_excluded_if_it_may_be(void **state)
{
    (void)state;
    static const words list[] = {
        { "+dns:judge.test", NULL, "dns:*.judge.test", GOOD, "a.judge.test" },
        { "+dns:.judge.test", NULL, "dns:*.judge.test", GOOD, "a.judge.test" },
        { "+dns:hub.judge.test", NULL, "dns:*.judge.test", BAD, "a.judge.test" },
        { "-dns:bad.judge.test", NULL, "dns:*.judge.test", BAD, "a.judge.test" },
        { "-dns:BAD.judge.test", NULL, "dns:*.Judge.test", BAD, "a.judge.test" },
        { "-dns:judge.test", NULL, "dns:*.judge.test", BAD, "a.judge.test" },
        { "-dns:very.bad.judge.test", NULL, "dns:*.judge.test", GOOD, "a.judge.test" },
        { "-dns:bad.other.test", NULL, "dns:*.judge.test", GOOD, "a.judge.test" },
    };
    JUDGE_ALL("wildcards", list);
}

static void malformed_constraints_and_names_below_them_end_the_path(void **state)
{
    (void)state;
    static const words list[] = {
        { "nc0", NULL, NULL, BAD, NULL },
        { "ncmin", NULL, NULL, BAD, NULL },
        { "+dns:*.judge.test", NULL, NULL, BAD, NULL },
        { "-dns:*.other.test", NULL, NULL, BAD, NULL },
        { "+dns:judge.test.", NULL, NULL, BAD, NULL },
        { "-dns:a..b", NULL, NULL, BAD, NULL },
        { "+ip:10.0.0.0", NULL, NULL, BAD, NULL },
        { "-ip:10.0.0.0/255.0.255.0", NULL, NULL, BAD, NULL },
        { "-hexip:0a000000ff0000", NULL, NULL, BAD, NULL },
        { "-dns:other.test", NULL, "dns:h*.x.test", BAD, NULL },
        { "-dns:other.test", NULL, "dns:a,b", BAD, NULL },
        { "-dns:other.test", NULL, "dns:", BAD, NULL },
        /* This name matches no host, so no constraint applies to it. */
        { NULL, NULL, "dns:a,b", GOOD, NULL },
        { "-dns:other.test", NULL, "dns:fine.test.", BAD, NULL },
        /* A server certificate with name constraints, which only a CA may have. */
        { NULL, NULL, "-dns:other.test", BAD, NULL },
    };
    JUDGE_ALL("malformed", list);
}

static void self_issued_ones_are_exempt_from_constraints_but_not_the_server(void **state)
{
    (void)state;
    written_cert root, ca, again, server;
    write_cert(&root, "Root", PKI_ROOT, NULL, CA " +dns:judge.test");
    write_cert(&ca, "CA", PKI_INTERMEDIATE, &root, CA);
    write_cert(&again, "CA", PKI_OTHER, &ca, CA " dns:out.test");
    write_cert(&server, "server", PKI_LEAF, &again, SERVER);
    expect("exempt", &(trial){ .trusted = { &root }, .presented = { &server, &again, &ca } }, GOOD);
    write_cert(&server, "CA", PKI_LEAF, &ca, SERVER " dns:out.test");
    expect("not exempt", &(trial){ .trusted = { &root }, .presented = { &server, &ca } }, BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints_on_host_names_hold_label_by_label_at_any_level),
        cmocka_unit_test(constraints_of_all_kinds_are_collected_down_the_path),
        cmocka_unit_test(a_wildcard_is_permitted_as_a_whole_and_excluded_if_it_may_be),
        cmocka_unit_test(malformed_constraints_and_names_below_them_end_the_path),
        cmocka_unit_test(self_issued_ones_are_exempt_from_constraints_but_not_the_server),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
