#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tunnel_fixture.h"

/* Tests tunnels through proxies that do what they are asked for. */

static void bytes_pass_through_an_http_proxy_in_both_directions(void **state)
{
    (void)state;
    proxy p;
    plat_stage stage;
    const script s = http_script();
    proxy_start(&p, &s);
    plat_stream *stream = make_stream("http", "", p.port);

    assert_int_equal(open_stream(stream, &stage), PLAT_OK);
    assert_int_equal(stage, PLAT_STAGE_OPEN);
    assert_string_equal(stream->ops->detail(stream), "");
    assert_non_null(strstr(p.request, "CONNECT " HOST ":8883 HTTP/1.1\r\n"));
    assert_null(strstr(p.request, "Proxy-Authorization"));
    assert_echoes(stream);

    plat_flow f;
    stream->ops->flow(stream, &f);
    assert_int_equal(f.received, 5);
    assert_int_equal(f.delivered + f.pending, 5);
    stream->ops->deinit(stream);
    proxy_stop(&p);
}

static void a_stream_can_be_opened_again_and_leaves_no_descriptor(void **state)
{
    (void)state;
    proxy p;
    plat_stage stage;
    const script s = http_script();
    proxy_start(&p, &s);
    plat_stream *stream = make_stream("http", "", p.port);
    int first = 0;

    for (int round = 0; round < 50; round++) {
        plat_poll poll;
        assert_int_equal(open_stream(stream, &stage), PLAT_OK);
        stream->ops->poll(stream, false, 1, &poll);
        if (round == 0) {
            first = dup((int)poll.fd);
            (void)close(first);
        }
        assert_echoes(stream);
        stream->ops->close(stream);
        stream->ops->poll(stream, false, 1, &poll);
        assert_int_equal(poll.fd, -1);
    }
    assert_int_equal(open_stream(stream, &stage), PLAT_OK);
    const int last = dup(0);
    (void)close(last);
    assert_true(last <= first + 2); /* the proxy has one more descriptor or less at that moment */
    stream->ops->deinit(stream);
    proxy_stop(&p);
}

static void poll_reports_one_descriptor_while_the_stream_is_in_use(void **state)
{
    (void)state;
    proxy p;
    plat_stage stage;
    const script s = http_script();
    proxy_start(&p, &s);
    plat_stream *stream = make_stream("http", "", p.port);
    plat_poll first;

    assert_int_equal(stream->ops->open(stream, HOST, PORT, now()), PLAT_OK);
    stream->ops->poll(stream, false, 1, &first);
    assert_true(first.fd >= 0);
    for (;;) {
        plat_poll next;
        plat_result r = stream->ops->progress(stream, now(), &stage);
        stream->ops->poll(stream, false, 1, &next);
        assert_int_equal(next.fd, first.fd);
        assert_int_equal(next.generation, first.generation);
        if (r == PLAT_OK) {
            break;
        }
        assert_int_equal(r, PLAT_WOULD_BLOCK);
        sleep_for(stream, false);
    }
    assert_echoes(stream);
    stream->ops->deinit(stream);
    proxy_stop(&p);
}

/* More than the sockets hold, so that send has to wait for the receiver. */
static void a_megabyte_passes_although_the_sockets_are_full_at_times(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    proxy p;
    plat_stage stage;
    const script s = socks_script();
    proxy_start(&p, &s);
    plat_stream *stream = make_stream("socks5h", "", p.port);
    uint8_t *sent = malloc(SIZE);
    uint8_t *back = malloc(SIZE);
    size_t out = 0;
    size_t in = 0;

    assert_non_null(sent);
    assert_non_null(back);
    for (size_t i = 0; i < SIZE; i++) {
        sent[i] = (uint8_t)(i * 7 + i / 251);
    }
    assert_int_equal(open_stream(stream, &stage), PLAT_OK);
    while (in < SIZE) {
        size_t n = 0;
        plat_result r =
            out < SIZE ? stream->ops->send(stream, sent + out, SIZE - out, &n) : PLAT_WOULD_BLOCK;
        assert_true(r == PLAT_OK || r == PLAT_WOULD_BLOCK);
        out += n;
        plat_result q = stream->ops->recv(stream, back + in, SIZE - in, &n);
        assert_true(q == PLAT_OK || q == PLAT_WOULD_BLOCK);
        in += n;
        if (r == PLAT_WOULD_BLOCK && q == PLAT_WOULD_BLOCK) {
            sleep_for(stream, out < SIZE);
        }
    }
    assert_memory_equal(sent, back, SIZE);
    stream->ops->deinit(stream);
    proxy_stop(&p);
    free(sent);
    free(back);
}

static void assert_sent_to_socks(const char *scheme, const char *host_as_sent, size_t len)
{
    proxy p;
    plat_stage stage;
    script s = socks_script();
    s.in_bytes = true;
    proxy_start(&p, &s);
    plat_stream *stream = make_stream(scheme, "", p.port);
    plat_result r = stream->ops->open(stream, "127.0.0.1", PORT, now());

    while ((r = stream->ops->progress(stream, now(), &stage)) == PLAT_WOULD_BLOCK) {
        sleep_for(stream, false);
    }
    assert_int_equal(r, PLAT_OK);
    assert_echoes(stream);
    assert_memory_equal(p.request + p.request_len - len, host_as_sent, len);
    stream->ops->deinit(stream);
    proxy_stop(&p);
}

static void a_socks_proxy_is_asked_for_the_host(void **state)
{
    (void)state;
    static const char as_address[] = { 5, 1, 0, 1, 127, 0, 0, 1, 0x22, (char)0xb3 };

    assert_sent_to_socks("socks5", as_address, sizeof as_address);
    assert_sent_to_socks("socks5h", as_address, sizeof as_address);
}

static void a_socks_proxy_is_given_user_and_password(void **state)
{
    (void)state;
    static const char secret[] = "\x01\x04user\x06p@ss:/";
    proxy p;
    plat_stage stage;
    const script s = { .parts = { by_user, user_is_right, socks_done },
                       .lens = { sizeof by_user, sizeof user_is_right, sizeof socks_done },
                       .cut = WHOLE };
    proxy_start(&p, &s);
    plat_stream *stream = make_stream("socks5h", "user:p%40ss%3A%2F@", p.port);

    assert_int_equal(open_stream(stream, &stage), PLAT_OK);
    assert_echoes(stream);
    bool found = false;
    for (size_t i = 0; i + sizeof secret - 1 <= p.request_len; i++) {
        found = found || memcmp(p.request + i, secret, sizeof secret - 1) == 0;
    }
    assert_true(found);
    stream->ops->deinit(stream);
    proxy_stop(&p);
}

static void a_wrong_url_makes_a_stream_that_only_explains_it(void **state)
{
    (void)state;
    const plat_tunnel_config tunnel = { .tunnels = plat_curl_tunnels(), .proxy = "ftp://p:1" };
    static plat_stream_storage memory;
    static const plat_stream_kind kinds[] = { PLAT_STREAM_TCP, PLAT_STREAM_TLS };

    for (int i = 0; i < 2; i++) {
        const plat_stream_config config = { .kind = kinds[i], .tunnel = &tunnel };
        plat_stream *s;
        assert_int_equal(plat_posix()->net->stream(plat_posix()->net, &memory, &config, &s),
                         PLAT_ERR_ARG);
        assert_non_null(strstr(s->ops->detail(s), "the scheme must be"));
        s->ops->deinit(s);
    }
    assert_non_null(tunnel.tunnels->fault(tunnel.tunnels, "ftp://p:1"));
    assert_null(tunnel.tunnels->fault(tunnel.tunnels, "http://p:1"));
}

static void a_host_that_would_change_the_url_is_refused(void **state)
{
    (void)state;
    static const char *const hosts[] = { "", "a b", "a/b", "a@b", "a?b", "a#b", "a\r\nb", "a%41" };
    plat_stream *s = make_stream("http", "", 1);

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        assert_int_equal(s->ops->open(s, hosts[i], PORT, now()), PLAT_ERR_ARG);
    }
    s->ops->deinit(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_through_an_http_proxy_in_both_directions),
        cmocka_unit_test(a_stream_can_be_opened_again_and_leaves_no_descriptor),
        cmocka_unit_test(poll_reports_one_descriptor_while_the_stream_is_in_use),
        cmocka_unit_test(a_megabyte_passes_although_the_sockets_are_full_at_times),
        cmocka_unit_test(a_socks_proxy_is_asked_for_the_host),
        cmocka_unit_test(a_socks_proxy_is_given_user_and_password),
        cmocka_unit_test(a_wrong_url_makes_a_stream_that_only_explains_it),
        cmocka_unit_test(a_host_that_would_change_the_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
