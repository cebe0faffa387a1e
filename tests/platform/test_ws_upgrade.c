#include "ws_fixture.h"

#include <stdio.h>

#include "websocket/ws_upgrade.h"

static const plat_ws_target target = { .host = "hub.example",
                                       .port = 443,
                                       .path = "/$iothub/websocket",
                                       .query = "?iothub-no-client-cert=true",
                                       .subprotocol = "mqtt" };

static void begin(plat_ws_upgrade *u)
{
    assert_int_equal(plat_ws_upgrade_begin(u, plat_posix()->crypto, &target), PLAT_OK);
}

/* Feeds bytes in pieces until the upgrade decides. */
static plat_result feed(plat_ws_upgrade *u, const char *bytes, size_t len, size_t piece)
{
    plat_result r = PLAT_WOULD_BLOCK;
    for (size_t at = 0; at < len && r == PLAT_WOULD_BLOCK;) {
        size_t n = len - at < piece ? len - at : piece;
        n = n < sizeof u->head - u->head_len ? n : sizeof u->head - u->head_len;
        memcpy(u->head + u->head_len, bytes + at, n);
        r = plat_ws_upgrade_feed(u, n);
        at += n;
    }
    return r;
}

static plat_result answer_with(plat_ws_upgrade *u, const char *answer)
{
    return feed(u, answer, strlen(answer), SIZE_MAX);
}

static void the_request_is_that_of_rfc_6455_with_a_new_key_each_time(void **state)
{
    (void)state;
    plat_ws_upgrade a;
    plat_ws_upgrade b;
    begin(&a);
    begin(&b);
    assert_int_equal(strlen(a.request), a.request_len);
    static const char start[] = "GET /$iothub/websocket?iothub-no-client-cert=true HTTP/1.1\r\n"
                                "Host: hub.example\r\n"
                                "Upgrade: websocket\r\n"
                                "Connection: Upgrade\r\n"
                                "Sec-WebSocket-Key: ";
    static const char end[] = "\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
    assert_memory_equal(a.request, start, sizeof start - 1);
    assert_string_equal(a.request + sizeof start - 1 + 24, end);
    uint8_t nonce[16];
    size_t len;
    const plat_crypto *c = plat_posix()->crypto;
    assert_int_equal(
        c->base64_decode(c, a.request + sizeof start - 1, 24, nonce, sizeof nonce, &len), PLAT_OK);
    assert_int_equal(len, sizeof nonce);
    assert_string_not_equal(a.request, b.request);
}

static void the_host_is_written_as_a_url_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        uint16_t port;
        const char *header; /* NULL: refused */
    } cases[] = {
        { "hub.example", 443, "\r\nHost: hub.example\r\n" },
        { "hub.example", 80, "\r\nHost: hub.example\r\n" },
        { "hub.example", 8080, "\r\nHost: hub.example:8080\r\n" },
        { "192.0.2.1", 65535, "\r\nHost: 192.0.2.1:65535\r\n" },
        { "::1", 443, "\r\nHost: [::1]\r\n" },
        { "fe80::1%eth0", 8443, "\r\nHost: [fe80::1]:8443\r\n" },
        { "", 443, NULL },
        { "hub example", 443, NULL },
        { "hub\r\nX: y", 443, NULL },
        { "hub/path", 443, NULL },
        { "user@hub", 443, NULL },
        { "h\xc3\xbc"
          "b",
          443, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_ws_upgrade u;
        plat_ws_target t = target;
        t.host = cases[i].host;
        t.port = cases[i].port;
        plat_result r = plat_ws_upgrade_begin(&u, plat_posix()->crypto, &t);
        assert_int_equal(r, cases[i].header != NULL ? PLAT_OK : PLAT_ERR_ARG);
        assert_true(cases[i].header == NULL || strstr(u.request, cases[i].header) != NULL);
    }
}

static void the_longest_texts_fit_into_a_request(void **state)
{
    (void)state;
    char host[PLAT_WS_HOST_MAX + 2];
    char path[PLAT_WEBSOCKET_PATH_MAX + 1];
    memset(host, 'h', sizeof host);
    host[PLAT_WS_HOST_MAX] = '\0';
    host[1] = ':';
    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[PLAT_WEBSOCKET_PATH_MAX] = '\0';
    const plat_ws_target longest = { .host = host,
                                     .port = 12345,
                                     .path = path,
                                     .query = "",
                                     .subprotocol = "a-subprotocol-of-31-characters." };
    plat_ws_upgrade u;
    assert_int_equal(plat_ws_upgrade_begin(&u, plat_posix()->crypto, &longest), PLAT_OK);
    assert_string_equal(u.request + u.request_len - 4, "\r\n\r\n");
    host[PLAT_WS_HOST_MAX] = 'h';
    host[PLAT_WS_HOST_MAX + 1] = '\0';
    assert_int_equal(plat_ws_upgrade_begin(&u, plat_posix()->crypto, &longest), PLAT_ERR_ARG);
}

static void every_split_of_a_good_answer_is_accepted_and_frames_may_follow_it(void **state)
{
    (void)state;
    static const char frames[] = "\x82\x02\xd0";
    for (size_t piece = 1; piece < 256; piece++) {
        plat_ws_upgrade u;
        begin(&u);
        char *answer = ws_good_answer(u.request);
        const size_t len = strlen(answer);
        char *both = malloc(len + sizeof frames);
        assert_non_null(both);
        memcpy(both, answer, len);
        memcpy(both + len, frames, sizeof frames);
        assert_int_equal(feed(&u, both, len + sizeof frames, piece), PLAT_OK);
        assert_int_equal(u.head_end, len);
        assert_memory_equal(u.head, answer, len);
        assert_memory_equal(u.head + u.head_end, frames, u.head_len - u.head_end);
        free(both);
        free(answer);
    }
}

static void every_truncation_waits_and_its_end_is_explained(void **state)
{
    (void)state;
    for (size_t cut = 0;; cut++) {
        plat_ws_upgrade u;
        begin(&u);
        char *answer = ws_good_answer(u.request);
        const size_t len = strlen(answer);
        if (cut < len) {
            assert_int_equal(feed(&u, answer, cut, SIZE_MAX), PLAT_WOULD_BLOCK);
            assert_int_equal(plat_ws_upgrade_end(&u), PLAT_ERR_WEBSOCKET);
            assert_non_null(
                strstr(u.fault, cut == 0 ? "instead of answering" : "inside its answer"));
        }
        free(answer);
        if (cut == len) {
            return;
        }
    }
}

/* A changed byte may change a text without a meaning, but not the key, and not the end of the
 * head. */
static void no_changed_byte_of_the_accept_key_is_accepted(void **state)
{
    (void)state;
    for (size_t at = 0; at < PLAT_WS_ACCEPT; at++) {
        plat_ws_upgrade u;
        begin(&u);
        char *answer = ws_good_answer(u.request);
        char *key = strstr(answer, "Accept: ") + strlen("Accept: ");
        key[at] = key[at] == 'A' ? 'a' : 'A'; /* letter case matters in base64 */
        assert_int_equal(answer_with(&u, answer), PLAT_ERR_WEBSOCKET);
        assert_string_equal(u.fault, "answers with a wrong Sec-WebSocket-Accept");
        free(answer);
    }
}

static void each_status_has_its_result_and_its_text(void **state)
{
    (void)state;
    for (int status = 100; status <= 599; status++) {
        if (status == 101) {
            continue;
        }
        plat_ws_upgrade u;
        char answer[128];
        begin(&u);
        (void)snprintf(answer, sizeof answer, "HTTP/1.1 %d A Reason\r\n", status);
        const bool is_busy = status == 429 || status >= 500;
        assert_int_equal(answer_with(&u, answer),
                         is_busy ? PLAT_ERR_UNAVAILABLE : PLAT_ERR_WEBSOCKET);
        assert_int_equal(u.status, status); /* the result does not wait for the headers */
        assert_true(strlen(plat_ws_status_text(status)) > 0);
    }
    static const struct {
        int status;
        const char *text;
    } named[] = {
        { 301, "redirects are not followed" },
        { 308, "redirects are not followed" },
        { 401, "a log-in is required" },
        { 403, "forbidden" },
        { 404, "unknown path" },
        { 407, "a proxy requires a log-in" },
        { 418, "refused" },
        { 426, "another version is required" },
        { 429, "too many requests" },
        { 500, "server error" },
        { 502, "a proxy does not reach the server" },
        { 503, "unavailable" },
        { 200, "no WebSocket server" },
        { 102, "not a WebSocket" },
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        assert_string_equal(plat_ws_status_text(named[i].status), named[i].text);
    }
}

static void each_fault_of_an_answer_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *what, *with, *fault; /* fault NULL: accepted */
    } cases[] = {
        { "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 101", NULL },
        { "Upgrade: websocket", "upgrade:WEBSOCKET", NULL },
        { "Connection: Upgrade", "CONNECTION: keep-alive, upgrade", NULL },
        { "Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade", NULL },
        { "\r\n\r\n", "\r\nServer: x\r\nX-Empty:\r\n\r\n", NULL },
        { "HTTP/1.1 101", "HTTP/1.0 101", "does not answer in HTTP/1.1" },
        { "HTTP/1.1 101", "HTTP/2 101", "does not answer in HTTP/1.1" },
        { "HTTP/1.1 101", "HTTP/1.1 101\n", "does not answer in HTTP/1.1" },
        { "HTTP/1.1", "\x20\x02\x01\x05", "does not answer in HTTP/1.1" },
        { "Upgrade: websocket\r\n", "", "answers without the header Upgrade" },
        { "Upgrade: websocket", "Upgrade: h2c", "upgrades to another protocol" },
        { "Upgrade: websocket", "Upgrade: websocket, h2c", "upgrades to another protocol" },
        { "Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket",
          "answers with a header twice" },
        { "Connection: Upgrade\r\n", "", "answers without \"Connection: Upgrade\"" },
        { "Connection: Upgrade", "Connection: close", "answers without \"Connection: Upgrade\"" },
        { "Sec-WebSocket-Accept", "X", "answers without the header Sec-WebSocket-Accept" },
        { "Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x",
          "answers with a wrong Sec-WebSocket-Accept" },
        { "Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept:\r\nX: ",
          "answers with a wrong Sec-WebSocket-Accept" },
        { "Sec-WebSocket-Protocol: mqtt\r\n", "", "selects no subprotocol; does it speak MQTT?" },
        { "Protocol: mqtt", "Protocol: MQTT", "selects another subprotocol" },
        { "Protocol: mqtt", "Protocol: mqttv3.1", "selects another subprotocol" },
        { "Protocol: mqtt", "Protocol: mqtt, amqp", "selects another subprotocol" },
        { "Protocol: mqtt", "Protocol:", "selects another subprotocol" },
        { "Protocol: mqtt", "Protocol: mqtt\r\nSec-WebSocket-Protocol: mqtt",
          "answers with a header twice" },
        { "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
          "selects an extension that was not offered" },
        { "Upgrade: websocket", "Upgrade : websocket", "answers with a malformed header" },
        { "Connection: Upgrade", "X: y\r\n folded", "answers with a malformed header" },
        { "Connection: Upgrade", "no colon", "answers with a malformed header" },
        { "Connection: Upgrade",
          "X: a\x01"
          "b",
          "answers with a malformed header" },
        { "Connection: Upgrade", "X: a\nb", "answers with a malformed header" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_ws_upgrade u;
        begin(&u);
        char *good = ws_good_answer(u.request);
        char *answer = ws_replaced(good, cases[i].what, cases[i].with);
        plat_result r = answer_with(&u, answer);
        assert_int_equal(r, cases[i].fault == NULL ? PLAT_OK : PLAT_ERR_WEBSOCKET);
        if (cases[i].fault != NULL) {
            assert_string_equal(u.fault, cases[i].fault);
            assert_int_equal(u.status, 0);
        }
        free(answer);
        free(good);
    }
}

static void a_head_of_exactly_the_limit_is_accepted_and_a_longer_one_is_not(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        plat_ws_upgrade u;
        begin(&u);
        char *good = ws_good_answer(u.request);
        char padding[PLAT_WS_HEAD_MAX + 32];
        const size_t len = PLAT_WS_HEAD_MAX - strlen(good) - strlen("\r\nX: ") + more;
        (void)snprintf(padding, sizeof padding, "\r\nX: %0*d\r\n\r\n", (int)len, 0);
        char *answer = ws_replaced(good, "\r\n\r\n", padding);
        assert_int_equal(strlen(answer), PLAT_WS_HEAD_MAX + more);
        plat_result r = answer_with(&u, answer);
        assert_int_equal(r, more == 0 ? PLAT_OK : PLAT_ERR_WEBSOCKET);
        assert_true(more == 0 || strstr(u.fault, "more than 4096 bytes") != NULL);
        free(answer);
        free(good);
    }
}

static void a_line_without_an_end_is_limited_too(void **state)
{
    (void)state;
    static char endless[2 * PLAT_WS_HEAD_MAX];
    plat_ws_upgrade u;
    begin(&u);
    memset(endless, 'x', sizeof endless);
    assert_int_equal(feed(&u, endless, sizeof endless, 7), PLAT_ERR_WEBSOCKET);
    assert_non_null(strstr(u.fault, "more than 4096 bytes"));
}

static void paths_and_tokens_are_checked(void **state)
{
    (void)state;
    char longest[PLAT_WEBSOCKET_PATH_MAX + 2];
    memset(longest, 'p', sizeof longest);
    longest[0] = '/';
    longest[PLAT_WEBSOCKET_PATH_MAX + 1] = '\0';
    assert_false(plat_ws_path_is_valid(longest));
    longest[PLAT_WEBSOCKET_PATH_MAX] = '\0';
    assert_true(plat_ws_path_is_valid(longest));
    static const char *const good[] = { "/", "/mqtt", "/a?b=c&d", "/$iothub/websocket" };
    static const char *const bad[] = { "", "mqtt", "/a b", "/a\r\nX: y", "/\xc3\xa9", "/a#b", "?" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(plat_ws_path_is_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(plat_ws_path_is_valid(bad[i]));
    }
    assert_true(plat_ws_is_token("mqtt"));
    assert_true(plat_ws_is_token("mqttv3.1"));
    assert_false(plat_ws_is_token(""));
    assert_false(plat_ws_is_token("mqtt,amqp"));
    assert_false(plat_ws_is_token("mq tt"));
    assert_false(plat_ws_is_token("mqtt\r\n"));
}

static plat_result no_random(const plat_crypto *self, void *out, size_t len)
{
    (void)self, (void)out, (void)len;
    return PLAT_ERR_CRYPTO;
}

static plat_result no_sha1(const plat_crypto *self, const void *data, size_t len,
                           uint8_t out[PLAT_SHA1_SIZE])
{
    (void)self, (void)data, (void)len, (void)out;
    return PLAT_ERR_CRYPTO;
}

static void without_cryptography_there_is_no_request(void **state)
{
    (void)state;
    plat_ws_upgrade u;
    plat_crypto broken = *plat_posix()->crypto;
    broken.random = no_random;
    assert_int_equal(plat_ws_upgrade_begin(&u, &broken, &target), PLAT_ERR_CRYPTO);
    broken = *plat_posix()->crypto;
    broken.sha1 = no_sha1;
    assert_int_equal(plat_ws_upgrade_begin(&u, &broken, &target), PLAT_ERR_CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_that_of_rfc_6455_with_a_new_key_each_time),
        cmocka_unit_test(the_host_is_written_as_a_url_has_it),
        cmocka_unit_test(the_longest_texts_fit_into_a_request),
        cmocka_unit_test(every_split_of_a_good_answer_is_accepted_and_frames_may_follow_it),
        cmocka_unit_test(every_truncation_waits_and_its_end_is_explained),
        cmocka_unit_test(no_changed_byte_of_the_accept_key_is_accepted),
        cmocka_unit_test(each_status_has_its_result_and_its_text),
        cmocka_unit_test(each_fault_of_an_answer_is_named),
        cmocka_unit_test(a_head_of_exactly_the_limit_is_accepted_and_a_longer_one_is_not),
        cmocka_unit_test(a_line_without_an_end_is_limited_too),
        cmocka_unit_test(paths_and_tokens_are_checked),
        cmocka_unit_test(without_cryptography_there_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
