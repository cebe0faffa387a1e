#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tcp_fixture.h"
#include "tunnel_fixture.h"

/* Tests tunnels through proxies that refuse, hang, close, or do not speak their protocol. */

/* A proxy that ends the connection after each number of bytes of its answers, sent as a whole or
 * byte by byte, makes the stream fail, never hang and never open. */
static void assert_each_cut_fails(const char *scheme, script s, size_t whole)
{
    for (size_t cut = 0; cut < whole; cut++) {
        proxy p;
        plat_stage stage;
        s.cut = cut;
        s.in_bytes = cut % 2 == 1;
        proxy_start(&p, &s);
        plat_stream *stream = make_stream(scheme, "hush:hush@", p.port);
        plat_result r = open_stream(stream, &stage);
        const char *detail = stream->ops->detail(stream);

        assert_int_equal(r, PLAT_ERR_PROXY);
        assert_int_equal(stage, PLAT_STAGE_CONNECT);
        assert_non_null(strstr(detail, "proxy 127.0.0.1:"));
        assert_null(strstr(detail, "hush"));
        assert_int_equal(stream->ops->progress(stream, now(), &stage), r);
        stream->ops->deinit(stream);
        proxy_stop(&p);
    }
}

static void each_cut_of_an_answer_is_a_failure_of_the_proxy(void **state)
{
    (void)state;
    assert_each_cut_fails("http", http_script(), sizeof connected - 1);
    assert_each_cut_fails("socks5h", socks_script(), sizeof no_method + sizeof socks_done);
}

static void a_proxy_that_says_no_more_can_be_left_at_any_moment(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof no_method + sizeof socks_done; cut++) {
        proxy p;
        plat_stage stage = PLAT_STAGE_OPEN;
        script s = socks_script();
        s.cut = cut;
        s.hangs = true;
        proxy_start(&p, &s);
        plat_stream *stream = make_stream("socks5h", "", p.port);

        assert_int_equal(stream->ops->open(stream, HOST, PORT, now()), PLAT_OK);
        for (int turn = 0; turn < 20; turn++) {
            assert_int_equal(stream->ops->progress(stream, now(), &stage), PLAT_WOULD_BLOCK);
            plat_poll poll;
            stream->ops->poll(stream, false, 1, &poll);
            plat_posix()->net->wait(plat_posix()->net, &poll, 1, 1);
        }
        assert_int_equal(stage, PLAT_STAGE_CONNECT);
        stream->ops->deinit(stream);
        proxy_stop(&p);
    }
}

static void assert_refused(const char *answer, const char *user, plat_result want, const char *part)
{
    proxy p;
    plat_stage stage;
    const script s = { .parts = { answer }, .lens = { strlen(answer) }, .cut = strlen(answer) };
    proxy_start(&p, &s);
    plat_stream *stream = make_stream("http", user, p.port);

    assert_int_equal(open_stream(stream, &stage), want);
    assert_non_null(strstr(stream->ops->detail(stream), part));
    stream->ops->deinit(stream);
    proxy_stop(&p);
}

static void each_refusal_has_its_text(void **state)
{
    (void)state;
    static const char by_basic[] = "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\n"
                                   "Content-Length: 0\r\n\r\n";

    assert_refused(by_basic, "", PLAT_ERR_PROXY, "it requires a user and password");
    assert_refused(by_basic, "u:hush@", PLAT_ERR_PROXY, "it refused the user or password");
    assert_refused("HTTP/1.1 403 no\r\n\r\n", "", PLAT_ERR_PROXY, "HTTP status 403");
    assert_refused("HTTP/1.1 302 x\r\nLocation: http://x/\r\n\r\n", "", PLAT_ERR_PROXY,
                   "HTTP status 302");
    assert_refused("HTTP/1.1 502 x\r\nContent-Length: 3\r\n\r\nabc", "", PLAT_ERR_UNAVAILABLE,
                   "HTTP status 502");
    assert_refused("HTTP/1.0 503 x\r\n\r\n", "", PLAT_ERR_UNAVAILABLE, "HTTP status 503");
    assert_refused("SSH-2.0-OpenSSH_9.2\r\n\r\n", "", PLAT_ERR_PROXY, "proxy 127.0.0.1:");
    assert_refused("\x05\xff", "", PLAT_ERR_PROXY, "proxy 127.0.0.1:");
}

static void an_endless_head_is_refused(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20 };
    char *answer = malloc(SIZE + 1);

    assert_non_null(answer);
    memset(answer, 'x', SIZE);
    memcpy(answer, "HTTP/1.1 200 ok\r\nX: ", 20);
    answer[SIZE] = '\0';
    assert_refused(answer, "", PLAT_ERR_PROXY, "proxy 127.0.0.1:");
    for (size_t at = 17; at + 10 < SIZE; at += 10) {
        memcpy(answer + at, "X: yyyyy\r\n", 10);
    }
    assert_refused(answer, "", PLAT_ERR_PROXY, "proxy 127.0.0.1:");
    free(answer);
}

static void a_peer_that_closes_the_open_stream_is_its_end(void **state)
{
    (void)state;
    proxy p;
    plat_stage stage;
    uint8_t byte;
    size_t got;
    plat_result r;
    script s = http_script();
    s.parts[1] = "x";
    s.lens[1] = 1;
    s.cut = sizeof connected; /* the answer and one byte */
    proxy_start(&p, &s);
    plat_stream *stream = make_stream("http", "", p.port);

    assert_int_equal(open_stream(stream, &stage), PLAT_OK);
    send_all(stream, (const uint8_t *)"hello", 5);
    receive_all(stream, &byte, 1);
    while ((r = stream->ops->recv(stream, &byte, 1, &got)) == PLAT_WOULD_BLOCK) {
        sleep_for(stream, false);
    }
    assert_int_equal(r, PLAT_EOF);
    stream->ops->deinit(stream);
    proxy_stop(&p);
}

static void a_proxy_that_is_not_there_is_named(void **state)
{
    (void)state;
    uint16_t port = 0;
    plat_stage stage;
    (void)close(tcp_listen("127.0.0.1", &port, 1));
    plat_stream *stream = make_stream("http", "u:hush@", port);
    char want[64];

    (void)snprintf(want, sizeof want, "proxy 127.0.0.1:%u: connection refused", (unsigned)port);
    assert_int_equal(open_stream(stream, &stage), PLAT_ERR_CONNECT);
    assert_string_equal(stream->ops->detail(stream), want);
    stream->ops->deinit(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cut_of_an_answer_is_a_failure_of_the_proxy),
        cmocka_unit_test(a_proxy_that_says_no_more_can_be_left_at_any_moment),
        cmocka_unit_test(each_refusal_has_its_text),
        cmocka_unit_test(an_endless_head_is_refused),
        cmocka_unit_test(a_peer_that_closes_the_open_stream_is_its_end),
        cmocka_unit_test(a_proxy_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
