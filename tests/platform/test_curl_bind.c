#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "curl/curl_bind.h"
#include "tcp_fixture.h"

/* Connects to a listener. Returns the result, and the address that the listener sees. */
static CURLcode connect_from(const char *bind, char peer[INET_ADDRSTRLEN])
{
    struct sockaddr_in from = { 0 };
    socklen_t len = sizeof from;
    uint16_t port = 0;
    char url[64];
    const int listener = tcp_listen("127.0.0.1", &port, 1);
    CURL *easy = curl_easy_init();

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    CURLcode code = plat_curl_bind(easy, bind);
    if (code == CURLE_OK) {
        code = curl_easy_perform(easy);
    }
    if (code == CURLE_OK) {
        const int fd = accept(listener, (struct sockaddr *)&from, &len);
        (void)inet_ntop(AF_INET, &from.sin_addr, peer, INET_ADDRSTRLEN);
        close(fd);
    }
    curl_easy_cleanup(easy);
    close(listener);
    return code;
}

static void a_connection_comes_from_the_address(void **state)
{
    (void)state;
    char peer[INET_ADDRSTRLEN];

    assert_int_equal(connect_from(NULL, peer), CURLE_OK);
    assert_string_equal(peer, "127.0.0.1");
    assert_int_equal(connect_from("127.0.0.9", peer), CURLE_OK);
    assert_string_equal(peer, "127.0.0.9");
}

static void an_interface_may_be_named(void **state)
{
    (void)state;
    char peer[INET_ADDRSTRLEN];

    assert_int_equal(connect_from("lo", peer), CURLE_OK);
}

static void neither_a_host_name_nor_a_wrong_name_is_taken_for_an_interface(void **state)
{
    (void)state;
    static const char *const wrong[] = { "localhost", "nope0", "192.0.2.1", "" };
    char peer[INET_ADDRSTRLEN];
    char longest[300];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_not_equal(connect_from(wrong[i], peer), CURLE_OK);
    }
    for (size_t i = 0; i + 1 < sizeof longest; i++) {
        longest[i] = 'a';
        longest[i + 1] = '\0';
        assert_int_not_equal(connect_from(longest, peer), CURLE_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_comes_from_the_address),
        cmocka_unit_test(an_interface_may_be_named),
        cmocka_unit_test(neither_a_host_name_nor_a_wrong_name_is_taken_for_an_interface),
    };
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
