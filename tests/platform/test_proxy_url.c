#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "curl/proxy_url.h"
#include "platform/tunnel.h"

static const char *const variables[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
                                         "ALL_PROXY",   "no_proxy",    "NO_PROXY" };

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        (void)unsetenv(variables[i]);
    }
    return 0;
}

static void a_url_is_taken_apart_and_its_secrets_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *address;
        const char *name;
        const char *user;
        const char *password;
        uint16_t port;
    } cases[] = {
        { "http://proxy:3128", "http://proxy:3128", "proxy:3128", NULL, NULL, 3128 },
        { "http://proxy:3128/", "http://proxy:3128", "proxy:3128", NULL, NULL, 3128 },
        { "HTTP://proxy", "http://proxy:1080", "proxy:1080", NULL, NULL, 1080 },
        { "https://proxy", "https://proxy:443", "proxy:443", NULL, NULL, 443 },
        { "socks5://[::1]:9", "socks5://[::1]:9", "[::1]:9", NULL, NULL, 9 },
        { "socks5h://a:b@p:1", "socks5h://p:1", "p:1", "a", "b", 1 },
        { "http://a@p:1", "http://p:1", "p:1", "a", NULL, 1 },
        { "http://:b@p:1", "http://p:1", "p:1", "", "b", 1 },
        { "http://d%5Cu:p%40ss%3a%2F@p:65535", "http://p:65535", "p:65535", "d\\u", "p@ss:/",
          65535 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_proxy_url p;
        assert_null(plat_proxy_url_parse(cases[i].url, &p));
        assert_string_equal(p.address, cases[i].address);
        assert_string_equal(p.name, cases[i].name);
        assert_int_equal(p.port, cases[i].port);
        assert_int_equal(p.over_tls, strncmp(cases[i].address, "https:", 6) == 0);
        const char *const want[] = { cases[i].user, cases[i].password };
        const char *const have[] = { p.user, p.password };
        for (int k = 0; k < 2; k++) {
            if (want[k] != NULL && want[k][0] != '\0') {
                assert_string_equal(have[k], want[k]);
            } else {
                assert_true(have[k] == NULL || have[k][0] == '\0');
            }
        }
        plat_proxy_url_drop(&p);
        assert_null(p.password);
    }
}

static void a_wrong_url_is_refused_by_a_text_without_its_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *text; /* must be a part of the returned text */
    } cases[] = {
        { "", "scheme is missing" },
        { "proxy:3128", "scheme is missing" },
        { "ftp://hush:hush@p:1", "scheme must be" },
        { "socks4://p:1", "scheme must be" },
        { "http://hush:hush@p:99999", "port" },
        { "http://hush:hush@p:0", "port is 0" },
        { "http://hush:hu#sh@p:1", "percent-encoded" },
        { "http://hush:hu/sh@p:1", "percent-encoded" },
        { "http://hush:hush@p:1/path", "percent-encoded" },
        { "http://hush:hush@p:1/?hush", "percent-encoded" },
        { "http://hush:hush@p:1/#hush", "percent-encoded" },
        { "http://hush:hush%00@p:1", "percent-encoding" },
        { "http://", "proxy:" },
        { "http://hush:hush@", "proxy:" },
        { "http://hush:hush@p q:1", "not a URL" },
        /* Decoded twice, these would be other hosts. Newer versions of libcurl refuse some. */
        { "http://hush:hush@h%2541:1", "proxy:" },
        { "http://hush:hush@%3333:1", "proxy:" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_proxy_url p;
        const char *fault = plat_proxy_url_parse(cases[i].url, &p);
        assert_non_null(fault);
        assert_non_null(strstr(fault, cases[i].text));
        assert_null(strstr(fault, "hush"));
        assert_null(p.address);
        assert_null(p.user);
        assert_null(p.password);
        plat_proxy_url_drop(&p);
    }
}

static void a_url_and_its_secrets_have_a_longest_length(void **state)
{
    (void)state;
    char url[PLAT_PROXY_URL_MAX + 2];
    plat_proxy_url p;

    for (int password = 254; password <= 257; password++) {
        char text[600];
        memset(url, 'x', sizeof url);
        (void)snprintf(text, sizeof text, "http://u:%.*s@p:1", password, url);
        assert_int_equal(plat_proxy_url_parse(text, &p) == NULL, password <= 255);
        plat_proxy_url_drop(&p);
    }
    for (size_t len = PLAT_PROXY_URL_MAX - 1; len <= PLAT_PROXY_URL_MAX + 1; len++) {
        memset(url, 'h', sizeof url);
        memcpy(url, "http://", 7);
        url[len] = '\0';
        assert_int_equal(plat_proxy_url_parse(url, &p) == NULL, len <= PLAT_PROXY_URL_MAX);
        plat_proxy_url_drop(&p);
    }
}

static void each_single_byte_of_a_password_is_taken_or_refused_as_a_whole(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char url[64];
        const char one[2] = { (char)byte, '\0' };
        plat_proxy_url p;
        (void)snprintf(url, sizeof url, "http://user:%%%02x@proxy:1", byte);
        if (plat_proxy_url_parse(url, &p) == NULL) {
            assert_string_equal(p.password, one);
            assert_string_equal(p.name, "proxy:1");
        }
        assert_true(byte < 0x20 || byte == 0x7f || p.password != NULL);
        plat_proxy_url_drop(&p);
    }
}

static void the_environment_names_the_proxy_and_its_exceptions(void **state)
{
    (void)state;
    plat_proxy_url p;

    assert_null(plat_proxy_url_parse("environment", &p));
    assert_string_equal(p.address, "");
    assert_int_equal(p.port, 0);
    plat_proxy_url_drop(&p);

    /* In this order, each variable overrides those before it, and an empty one counts as not
     * set. */
    static const char *const order[] = { "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy" };
    for (uint16_t i = 0; i < 4; i++) {
        char url[32];
        (void)snprintf(url, sizeof url, "http://proxy:%u", i + 1U);
        assert_int_equal(setenv(order[i], url, 1), 0);
        if (i < 3) {
            assert_int_equal(setenv(order[i + 1], "", 1), 0);
        }
        assert_null(plat_proxy_url_parse("environment", &p));
        assert_int_equal(p.port, i + 1);
        assert_string_equal(p.except, "");
        plat_proxy_url_drop(&p);
    }
    assert_int_equal(setenv("NO_PROXY", "b", 1), 0);
    assert_null(plat_proxy_url_parse("environment", &p));
    assert_string_equal(p.except, "b");
    plat_proxy_url_drop(&p);
    assert_int_equal(setenv("no_proxy", "a", 1), 0);
    assert_null(plat_proxy_url_parse("environment", &p));
    assert_string_equal(p.except, "a");
    plat_proxy_url_drop(&p);
}

static void a_given_proxy_ignores_the_environment(void **state)
{
    (void)state;
    plat_proxy_url p;

    assert_int_equal(setenv("https_proxy", "http://other:1", 1), 0);
    assert_int_equal(setenv("no_proxy", "*", 1), 0);
    assert_null(plat_proxy_url_parse("http://proxy:2", &p));
    assert_int_equal(p.port, 2);
    assert_string_equal(p.except, "");
    plat_proxy_url_drop(&p);
}

static void a_wrong_url_in_the_environment_is_refused(void **state)
{
    (void)state;
    plat_proxy_url p;

    assert_int_equal(setenv("https_proxy", "proxy", 1), 0);
    assert_non_null(plat_proxy_url_parse("environment", &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart_and_its_secrets_are_decoded),
        cmocka_unit_test(a_wrong_url_is_refused_by_a_text_without_its_secrets),
        cmocka_unit_test(a_url_and_its_secrets_have_a_longest_length),
        cmocka_unit_test(each_single_byte_of_a_password_is_taken_or_refused_as_a_whole),
        cmocka_unit_test_setup(the_environment_names_the_proxy_and_its_exceptions,
                               clear_environment),
        cmocka_unit_test_setup(a_given_proxy_ignores_the_environment, clear_environment),
        cmocka_unit_test_setup(a_wrong_url_in_the_environment_is_refused, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
