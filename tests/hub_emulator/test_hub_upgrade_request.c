/* Tests which requests the front takes for a WebSocket upgrade, and how it answers them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/upgrade_request.h"

#define KEY   "dGhlIHNhbXBsZSBub25jZQ=="
#define LINE  "GET /$iothub/websocket HTTP/1.1\r\n"
#define HOST  "Host: localhost\r\n"
#define PLAIN "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define KEYED "Sec-WebSocket-Key: " KEY "\r\n"
#define MQTT  "Sec-WebSocket-Protocol: mqtt\r\n"
#define GOOD  LINE HOST PLAIN KEYED MQTT "\r\n"

static hub_upgrade_kind read_text(hub_upgrade_request *out, const char *text)
{
    /* A copy of exact length, so that a sanitizer sees each byte that is read too much. */
    char *copy = hub_memdup(text, strlen(text));
    char *exact = hub_realloc(copy, strlen(text) > 0 ? strlen(text) : 1);

    hub_upgrade_kind kind = hub_upgrade_read(out, exact, strlen(text));
    free(exact);
    return kind;
}

static void each_beginning_of_an_upgrade_needs_more_bytes(void **state)
{
    char text[] = GOOD "frames";
    hub_upgrade_request r;
    const size_t head_len = strlen(GOOD);

    (void)state;
    for (size_t len = 0; len < head_len; len++) {
        char saved = text[len];
        text[len] = '\0';
        assert_int_equal(read_text(&r, text), HUB_UPGRADE_PART);
        text[len] = saved;
    }
    assert_int_equal(read_text(&r, text), HUB_UPGRADE_MQTT);
    assert_int_equal(r.head_len, head_len);
    assert_string_equal(r.key, KEY);
}

static void requests_that_differ_only_in_spelling_are_upgrades(void **state)
{
    static const struct {
        hub_upgrade_kind kind;
        const char *text;
    } cases[] = {
        { HUB_UPGRADE_MQTT,
          "GET /$iothub/websocket?iothub-no-client-cert=true HTTP/1.1\r\n" HOST PLAIN KEYED MQTT
          "\r\n" },
        { HUB_UPGRADE_MQTT,
          LINE "hOST:localhost\r\nUPGRADE:WebSocket\r\n"
               "connection: keep-alive, upgrade\r\nSEC-websocket-VERSION:\t13 \r\n"
               "sec-websocket-key:" KEY "\r\nsec-websocket-protocol:mqtt\r\n\r\n" },
        { HUB_UPGRADE_MQTT, LINE HOST PLAIN KEYED "Sec-WebSocket-Protocol: x, AMQPWSB10,mqtt\r\n"
                                                  "\r\n" },
        { HUB_UPGRADE_MQTT, LINE HOST PLAIN KEYED "Sec-WebSocket-Protocol: x\r\n" MQTT "\r\n" },
        { HUB_UPGRADE_MQTT, LINE HOST PLAIN KEYED MQTT
          "Sec-WebSocket-Extensions: permessage-deflate\r\nContent-Length: 0\r\n\r\n" },
        { HUB_UPGRADE_AMQP, LINE HOST PLAIN KEYED "Sec-WebSocket-Protocol: AMQPWSB10,amqp\r\n"
                                                  "\r\n" },
    };
    hub_upgrade_request r;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_text(&r, cases[i].text), cases[i].kind);
    }
}

static void other_requests_belong_to_the_http_server(void **state)
{
    static const char *const texts[] = {
        "P",
        "GET /d",
        "GET /$iothub/websockets",
        "GET /$iothub/websocket/",
        "get /$iothub/websocket HTTP/1.1\r\n" HOST PLAIN KEYED MQTT "\r\n",
        "POST /$iothub/websocket HTTP/1.1\r\n" HOST PLAIN KEYED MQTT "\r\n",
        "GET http://localhost/$iothub/websocket HTTP/1.1\r\n" HOST PLAIN KEYED MQTT "\r\n",
        "GET /%24iothub/websocket HTTP/1.1\r\n" HOST PLAIN KEYED MQTT "\r\n",
        LINE HOST "\r\n",
        LINE HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEYED MQTT "\r\n",
        "\x16\x03\x01",
    };
    hub_upgrade_request r;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(read_text(&r, texts[i]), HUB_UPGRADE_OTHER);
    }
}

static void an_upgrade_that_breaks_a_rule_is_refused(void **state)
{
    static const struct {
        unsigned status;
        const char *text;
    } cases[] = {
        { 400, "GET /$iothub/websocket HTTP/1.0\r\n" HOST PLAIN KEYED MQTT "\r\n" },
        { 400, LINE PLAIN KEYED MQTT "\r\n" },
        { 400, LINE HOST HOST PLAIN KEYED MQTT "\r\n" },
        { 400, LINE HOST PLAIN KEYED KEYED MQTT "\r\n" },
        { 400, LINE HOST PLAIN MQTT "\r\n" },
        { 400, LINE HOST PLAIN "Sec-WebSocket-Key: \r\n" MQTT "\r\n" },
        { 400, LINE HOST PLAIN "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ\r\n" MQTT "\r\n" },
        { 400, LINE HOST PLAIN "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEy\r\n" MQTT "\r\n" },
        { 400, LINE HOST PLAIN "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n" MQTT "\r\n" },
        { 400, LINE HOST PLAIN KEYED "\r\n" },
        { 400, LINE HOST PLAIN KEYED "Sec-WebSocket-Protocol: mqttv3.1\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT "Content-Length: 5\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT "Transfer-Encoding: chunked\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT " folded\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT "a b: c\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT "no colon\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT ": no name\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT "x: \x01\r\n\r\n" },
        { 400, LINE HOST PLAIN KEYED MQTT "x: \x7F\r\n\r\n" },
        { 400, LINE "Host: localhost\n" PLAIN KEYED MQTT "\r\n" },
        { 400, LINE HOST "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEYED MQTT "\r\n" },
        { 426, LINE HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEYED MQTT "\r\n" },
        { 426, LINE HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Version: 8\r\n" KEYED MQTT "\r\n" },
    };
    hub_upgrade_request r;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_text(&r, cases[i].text) != HUB_UPGRADE_WRONG || r.status != cases[i].status) {
            fail_msg("status %u instead of %u for %s", r.status, cases[i].status, cases[i].text);
        }
        assert_non_null(r.why);
    }
}

static void the_head_has_a_limited_length(void **state)
{
    hub_upgrade_request r;
    hub_text t = { 0 };

    (void)state;
    hub_text_str(&t, LINE HOST PLAIN KEYED MQTT "x: ");
    while (t.len < HUB_UPGRADE_HEAD_MAX - 4) {
        hub_text_str(&t, "y");
    }
    hub_text_str(&t, "\r\n\r\n");
    assert_int_equal(hub_upgrade_read(&r, t.p, t.len), HUB_UPGRADE_MQTT);
    hub_text_cut(&t, t.len - 4);
    assert_int_equal(hub_upgrade_read(&r, t.p, t.len), HUB_UPGRADE_PART);
    hub_text_str(&t, "y\r\n\r\n");
    assert_int_equal(hub_upgrade_read(&r, t.p, t.len), HUB_UPGRADE_WRONG);
    assert_int_equal(r.status, 431);
    hub_text_free(&t);
}

/* The example of RFC 6455, section 1.3. */
static void an_accepted_upgrade_is_answered_with_the_hash_of_its_key(void **state)
{
    hub_upgrade_request r;
    hub_text answer = { 0 };

    (void)state;
    assert_int_equal(read_text(&r, GOOD), HUB_UPGRADE_MQTT);
    hub_upgrade_accept(&r, &answer);
    assert_string_equal(answer.p, "HTTP/1.1 101 Switching Protocols\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                  "Sec-WebSocket-Protocol: mqtt\r\n\r\n");
    hub_text_cut(&answer, 0);
    /* The vendor's C SDK writes it so. */
    assert_int_equal(read_text(&r, LINE HOST PLAIN KEYED "Sec-WebSocket-Protocol: x, MQTT\r\n\r\n"),
                     HUB_UPGRADE_MQTT);
    hub_upgrade_accept(&r, &answer);
    assert_non_null(strstr(answer.p, "Sec-WebSocket-Protocol: MQTT\r\n\r\n"));
    hub_text_free(&answer);
}

static void a_refusal_is_a_whole_answer(void **state)
{
    hub_text answer = { 0 };

    (void)state;
    hub_upgrade_refuse(503, "later", &answer);
    assert_string_equal(answer.p, "HTTP/1.1 503 Service Unavailable\r\n"
                                  "Content-Type: application/json; charset=utf-8\r\n"
                                  "Content-Length: 19\r\n"
                                  "Connection: close\r\n\r\n"
                                  "{\"Message\":\"later\"}");
    hub_text_cut(&answer, 0);
    hub_upgrade_refuse(426, "x", &answer);
    assert_non_null(strstr(answer.p, "\r\nSec-WebSocket-Version: 13\r\n"));
    hub_text_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_beginning_of_an_upgrade_needs_more_bytes),
        cmocka_unit_test(requests_that_differ_only_in_spelling_are_upgrades),
        cmocka_unit_test(other_requests_belong_to_the_http_server),
        cmocka_unit_test(an_upgrade_that_breaks_a_rule_is_refused),
        cmocka_unit_test(the_head_has_a_limited_length),
        cmocka_unit_test(an_accepted_upgrade_is_answered_with_the_hash_of_its_key),
        cmocka_unit_test(a_refusal_is_a_whole_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
