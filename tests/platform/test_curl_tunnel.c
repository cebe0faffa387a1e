#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/platform.h"
#include "tcp_fixture.h"

#define HOST "hub.example"
enum { PORT = 8883, WHOLE = 1 << 20 };

/* What the scripted proxy sends. Each part is sent after the client has sent something. */
typedef struct script {
    const char *parts[3]; /* after the last part, the proxy echoes all further bytes */
    size_t lens[3];
    size_t cut; /* the proxy closes the connection after this many bytes */
    bool hangs; /* it does not close then, but sends nothing more */
    bool in_bytes;
} script;

typedef struct proxy {
    int listener;
    uint16_t port;
    pthread_t thread;
    script script;
    char request[4096]; /* everything that the client has sent before the echo */
    size_t request_len;
} proxy;

static bool read_some(proxy *p, int fd)
{
    ssize_t n = recv(fd, p->request + p->request_len, sizeof p->request - 1 - p->request_len, 0);

    if (n <= 0) {
        return false;
    }
    p->request_len += (size_t)n;
    p->request[p->request_len] = '\0';
    return true;
}

/* Waits until the client closes the connection. */
static void wait_for_end(int fd)
{
    char byte;

    while (recv(fd, &byte, 1, 0) > 0) {
    }
}

static void echo(int fd)
{
    char bytes[65536];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        for (ssize_t at = 0, sent = 0; at < n; at += sent) {
            sent = send(fd, bytes + at, (size_t)(n - at), MSG_NOSIGNAL);
            if (sent < 0) {
                return;
            }
        }
    }
}

/* Sends a part, up to the cut of the script. Returns false at the cut. */
static bool send_part(const script *s, int fd, int part, size_t *left)
{
    const size_t len = s->lens[part] < *left ? s->lens[part] : *left;
    const size_t step = s->in_bytes ? 1 : len;

    for (size_t at = 0; at < len; at += step) {
        if (send(fd, s->parts[part] + at, step, MSG_NOSIGNAL) < 0) {
            return false;
        }
    }
    *left -= len;
    return *left > 0;
}

static void play(proxy *p, int fd)
{
    size_t left = p->script.cut;

    for (int part = 0; part < 3 && p->script.parts[part] != NULL; part++) {
        if (!read_some(p, fd)) {
            return;
        }
        if (!send_part(&p->script, fd, part, &left)) {
            if (p->script.hangs) {
                wait_for_end(fd);
            }
            return;
        }
    }
    echo(fd);
}

static void *serve(void *user)
{
    proxy *p = user;
    int fd;

    while ((fd = accept(p->listener, NULL, NULL)) >= 0) {
        p->request_len = 0;
        play(p, fd);
        (void)close(fd);
    }
    return NULL;
}

static void proxy_start(proxy *p, const script *s)
{
    memset(p, 0, sizeof *p);
    p->script = *s;
    p->listener = tcp_listen("127.0.0.1", &p->port, 8);
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void proxy_stop(proxy *p)
{
    (void)shutdown(p->listener, SHUT_RDWR);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    (void)close(p->listener);
}

/* --- the stream under test ---------------------------------------------------------------------
 */

static plat_stream_storage memory;

static uint64_t now(void)
{
    return plat_posix()->clock->monotonic_ms(plat_posix()->clock);
}

static plat_stream *make_stream(const char *scheme, const char *user, uint16_t port)
{
    char url[128];
    const plat_tunnel_config tunnel = { .tunnels = plat_curl_tunnels(), .proxy = url };
    const plat_stream_config config = { .kind = PLAT_STREAM_TCP, .tunnel = &tunnel };
    plat_stream *s;

    (void)snprintf(url, sizeof url, "%s://%s127.0.0.1:%u", scheme, user, (unsigned)port);
    assert_int_equal(plat_posix()->net->stream(plat_posix()->net, &memory, &config, &s), PLAT_OK);
    return s;
}

/* Sleeps as an event loop would. */
static void sleep_for(plat_stream *s, bool want_send)
{
    plat_poll p;

    s->ops->poll(s, want_send, 1, &p);
    if (p.ready_now) {
        return;
    }
    const uint64_t at = now();
    int ms = -1;
    if (p.wake_at_ms != 0) {
        ms = p.wake_at_ms > at ? (int)(p.wake_at_ms - at) : 0;
    }
    plat_posix()->net->wait(plat_posix()->net, &p, 1, ms);
}

static plat_result open_stream(plat_stream *s, plat_stage *stage)
{
    plat_result r = s->ops->open(s, HOST, PORT, now());

    while (r == PLAT_OK || r == PLAT_WOULD_BLOCK) {
        r = s->ops->progress(s, now(), stage);
        if (r != PLAT_WOULD_BLOCK) {
            return r;
        }
        sleep_for(s, false);
    }
    return r;
}

static void send_all(plat_stream *s, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0, sent; at < len; at += sent) {
        plat_result r = s->ops->send(s, bytes + at, len - at, &sent);
        if (r == PLAT_WOULD_BLOCK) {
            sleep_for(s, true);
            continue;
        }
        assert_int_equal(r, PLAT_OK);
    }
}

static void receive_all(plat_stream *s, uint8_t *bytes, size_t len)
{
    for (size_t at = 0, got; at < len; at += got) {
        plat_result r = s->ops->recv(s, bytes + at, len - at, &got);
        if (r == PLAT_WOULD_BLOCK) {
            sleep_for(s, false);
            continue;
        }
        assert_int_equal(r, PLAT_OK);
    }
}

static void assert_echoes(plat_stream *s)
{
    uint8_t back[5];

    send_all(s, (const uint8_t *)"hello", 5);
    receive_all(s, back, sizeof back);
    assert_memory_equal(back, "hello", 5);
}

/* --- scripts -----------------------------------------------------------------------------------
 */

static const char connected[] = "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n";
static const char no_method[] = { 5, 0 };
static const char by_user[] = { 5, 2 };
static const char user_is_right[] = { 1, 0 };
static const char socks_done[] = { 5, 0, 0, 1, 127, 0, 0, 1, 1, 1 };

static script http_script(void)
{
    return (script){ .parts = { connected }, .lens = { sizeof connected - 1 }, .cut = WHOLE };
}

static script socks_script(void)
{
    return (script){ .parts = { no_method, socks_done },
                     .lens = { sizeof no_method, sizeof socks_done },
                     .cut = WHOLE };
}

/* --- tests -------------------------------------------------------------------------------------
 */

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

static void a_wrong_url_makes_a_stream_that_only_explains_it(void **state)
{
    (void)state;
    const plat_tunnel_config tunnel = { .tunnels = plat_curl_tunnels(), .proxy = "ftp://p:1" };
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
        cmocka_unit_test(each_cut_of_an_answer_is_a_failure_of_the_proxy),
        cmocka_unit_test(a_proxy_that_says_no_more_can_be_left_at_any_moment),
        cmocka_unit_test(each_refusal_has_its_text),
        cmocka_unit_test(an_endless_head_is_refused),
        cmocka_unit_test(a_peer_that_closes_the_open_stream_is_its_end),
        cmocka_unit_test(a_proxy_that_is_not_there_is_named),
        cmocka_unit_test(a_wrong_url_makes_a_stream_that_only_explains_it),
        cmocka_unit_test(a_host_that_would_change_the_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
