#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/x509/host_name.h"

typedef struct dns_case {
    const char *host;
    const char *san;
} dns_case;

static bool matches(const char *host, const void *san, size_t len)
{
    plat_host h;
    assert_true(plat_host_parse(&h, host));
    return plat_host_matches_dns(&h, san, len);
}

static void a_name_matches_itself_and_one_wildcard_label(void **state)
{
    (void)state;
    static const dns_case good[] = {
        { "hub.example.com", "hub.example.com" },  { "hub.example.com", "HUB.Example.COM" },
        { "HUB.EXAMPLE.COM", "hub.example.com" },  { "hub.example.com.", "hub.example.com" },
        { "hub.example.com", "*.example.com" },    { "hub.example.com.", "*.EXAMPLE.com" },
        { "a.b.example.com", "*.b.example.com" },  { "localhost", "localhost" },
        { "my_hub.example.com", "*.example.com" },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!matches(good[i].host, good[i].san, strlen(good[i].san))) {
            fail_msg("%s should match %s", good[i].host, good[i].san);
        }
    }
}

static void a_name_matches_nothing_else(void **state)
{
    (void)state;
    static const dns_case bad[] = {
        { "hub.example.com", "hub.example.org" },
        { "hub.example.com", "ub.example.com" },
        { "hub.example.com", "xhub.example.com" },
        { "hub.example.com", "hub.example.co" },
        { "hub.example.com", "hub.example.com.evil" },
        { "hub.example.com", "" },
        { "hub.example.com", "." },
        { "hub.example.com", "hub.example.com." },
        { "hub.example.com.", "hub.example.com." },
        { "hub.example.com", "*.example.com." },
        { "hub.example.com", "hub.example.com.." },
        /* A wildcard stands for the whole leftmost label and for exactly one label, and only
         * below a real domain. */
        { "hub.example.com", "*" },
        { "hub.example.com", "*." },
        { "hub.example.com", "*.com" },
        { "example.com", "*.com" },
        { "example.com", "*.com." },
        { "example.com", "*.example.com" },
        { "a.hub.example.com", "*.example.com" },
        { "hub.example.com", "*.*.com" },
        { "hub.example.com", "hub.*.com" },
        { "hub.example.com", "h*.example.com" },
        { "hub.example.com", "*b.example.com" },
        { "hub.example.com", "h*b.example.com" },
        { "hub.example.com", "**.example.com" },
        { "hub.example.com", "*..example.com" },
        { "hub.example.com", "*example.com" },
        { "localhost", "*" },
        { "localhost", "*.localhost" },
        /* An IP address never matches a dNSName. */
        { "192.0.2.1", "192.0.2.1" },
        { "192.0.2.1", "*.0.2.1" },
        { "::1", "::1" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (matches(bad[i].host, bad[i].san, strlen(bad[i].san))) {
            fail_msg("%s should not match %s", bad[i].host, bad[i].san);
        }
    }
}

static void a_foreign_byte_anywhere_in_the_entry_is_no_match(void **state)
{
    (void)state;
    static const char *const entries[] = { "hub.example.com", "*.example.com" };
    for (size_t e = 0; e < 2; e++) {
        size_t len = strlen(entries[e]);
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char san[32];
                memcpy(san, entries[e], len);
                san[at] = (char)byte;
                char wanted = entries[e][at];
                bool same = byte == (unsigned char)wanted ||
                            (wanted >= 'a' && wanted <= 'z' && byte == (unsigned)(wanted - 32));
                assert_int_equal(matches("hub.example.com", san, len), same);
            }
        }
    }
}

static void a_nul_byte_does_not_end_an_entry(void **state)
{
    (void)state;
    static const char san[] = "hub.example.com\0.evil.example";
    assert_false(matches("hub.example.com", san, sizeof san - 1));
    assert_false(matches("hub.example.com", san, strlen(san) + 1));
    assert_true(matches("hub.example.com", san, strlen(san)));
}

static void an_address_matches_its_own_bytes_only(void **state)
{
    (void)state;
    static const uint8_t v4[] = { 192, 0, 2, 1 };
    static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 };
    static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
    plat_host h;

    assert_true(plat_host_parse(&h, "192.0.2.1"));
    assert_true(plat_host_matches_ip(&h, v4, 4));
    for (size_t len = 0; len < 4; len++) {
        assert_false(plat_host_matches_ip(&h, v4, len));
    }
    assert_false(plat_host_matches_ip(&h, mapped, 16));
    assert_true(plat_host_parse(&h, "2001:DB8::1"));
    assert_true(plat_host_matches_ip(&h, v6, 16));
    assert_false(plat_host_matches_ip(&h, v6, 15));
    assert_false(plat_host_matches_ip(&h, v4, 4));
    assert_true(plat_host_parse(&h, "hub.example.com"));
    assert_false(plat_host_matches_ip(&h, v4, 4));
    assert_false(plat_host_matches_ip(&h, "", 0));
}

static void what_cannot_be_a_host_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       ".",
                                       "..",
                                       ".a",
                                       "a..b",
                                       "a b",
                                       "a/b",
                                       "a\nb",
                                       "a:b",
                                       "[::1]",
                                       "*.a",
                                       "a..",
                                       "\xc3\xa4.example",
                                       "a\x01" };
    plat_host h;
    char longest[PLAT_HOST_NAME_MAX + 3];
    for (size_t i = 0; i < sizeof longest; i++) {
        longest[i] = i % 64 == 63 ? '.' : 'a';
    }

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (plat_host_parse(&h, bad[i])) {
            fail_msg("accepted \"%s\"", bad[i]);
        }
    }
    longest[PLAT_HOST_NAME_MAX + 1] = '\0';
    assert_false(plat_host_parse(&h, longest));
    longest[PLAT_HOST_NAME_MAX] = '\0';
    assert_true(plat_host_parse(&h, longest));
    longest[PLAT_HOST_NAME_MAX] = '.';
    assert_true(plat_host_parse(&h, longest));
    longest[63] = 'a'; /* one label longer than 63 */
    assert_false(plat_host_parse(&h, longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_matches_itself_and_one_wildcard_label),
        cmocka_unit_test(a_name_matches_nothing_else),
        cmocka_unit_test(a_foreign_byte_anywhere_in_the_entry_is_no_match),
        cmocka_unit_test(a_nul_byte_does_not_end_an_entry),
        cmocka_unit_test(an_address_matches_its_own_bytes_only),
        cmocka_unit_test(what_cannot_be_a_host_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
