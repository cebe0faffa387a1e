#include "tunnel_fixture.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp_fixture.h"

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

void proxy_start(proxy *p, const script *s)
{
    memset(p, 0, sizeof *p);
    p->script = *s;
    p->listener = tcp_listen("127.0.0.1", &p->port, 8);
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

void proxy_stop(proxy *p)
{
    (void)shutdown(p->listener, SHUT_RDWR);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    (void)close(p->listener);
}

/* --- the stream under test ------------------------------------------------------------------ */

static plat_stream_storage memory;

uint64_t now(void)
{
    return plat_posix()->clock->monotonic_ms(plat_posix()->clock);
}

plat_stream *make_stream(const char *scheme, const char *user, uint16_t port)
{
    char url[128];
    const plat_tunnel_config tunnel = { .tunnels = plat_curl_tunnels(), .proxy = url };
    const plat_stream_config config = { .kind = PLAT_STREAM_TCP, .tunnel = &tunnel };
    plat_stream *s;

    (void)snprintf(url, sizeof url, "%s://%s127.0.0.1:%u", scheme, user, (unsigned)port);
    assert_int_equal(plat_posix()->net->stream(plat_posix()->net, &memory, &config, &s), PLAT_OK);
    return s;
}

void sleep_for(plat_stream *s, bool want_send)
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

plat_result open_stream(plat_stream *s, plat_stage *stage)
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

void send_all(plat_stream *s, const uint8_t *bytes, size_t len)
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

void receive_all(plat_stream *s, uint8_t *bytes, size_t len)
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

void assert_echoes(plat_stream *s)
{
    uint8_t back[5];

    send_all(s, (const uint8_t *)"hello", 5);
    receive_all(s, back, sizeof back);
    assert_memory_equal(back, "hello", 5);
}

script http_script(void)
{
    return (script){ .parts = { connected }, .lens = { sizeof connected - 1 }, .cut = WHOLE };
}

script socks_script(void)
{
    return (script){ .parts = { no_method, socks_done },
                     .lens = { sizeof no_method, sizeof socks_done },
                     .cut = WHOLE };
}
