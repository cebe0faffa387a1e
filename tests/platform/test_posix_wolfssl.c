#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/platform.h"

static plat_stream_storage memory;

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* Calls progress until the stream leaves the given stage, and sleeps only as its poll asks. */
static plat_result drive(plat_stream *s, plat_stage *stage, plat_stage until)
{
    const plat_platform *p = plat_posix();
    for (;;) {
        plat_result r = s->ops->progress(s, p->clock->monotonic_ms(p->clock), stage);
        if (r != PLAT_WOULD_BLOCK || *stage == until) {
            return r;
        }
        plat_poll poll;
        s->ops->poll(s, false, 1, &poll);
        p->net->wait(p->net, &poll, 1, 10000);
    }
}

static plat_stream *make(plat_stream_kind kind)
{
    const plat_net *net = plat_posix()->net;
    const plat_stream_config config = { .kind = kind };
    plat_stream *s = NULL;
    assert_int_equal(net->stream(net, &memory, &config, &s), PLAT_OK);
    assert_ptr_equal(s, &memory.stream);
    return s;
}

static void a_plain_stream_carries_bytes_to_a_listener(void **state)
{
    (void)state;
    uint16_t port;
    int listener = listen_somewhere(&port);
    plat_stream *s = make(PLAT_STREAM_TCP);
    plat_stage stage;
    size_t n;
    char buf[8];

    assert_int_equal(s->ops->open(s, "localhost", port, 0), PLAT_OK);
    assert_int_equal(drive(s, &stage, PLAT_STAGE_OPEN), PLAT_OK);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"plain", 5, &n), PLAT_OK);

    int peer = accept(listener, NULL, NULL);
    assert_int_equal(recv(peer, buf, sizeof buf, 0), 5);
    assert_memory_equal(buf, "plain", 5);
    s->ops->deinit(s);
    close(peer);
    close(listener);
}

static void a_tls_stream_waits_for_a_silent_server_and_refuses_plain_text(void **state)
{
    (void)state;
    uint16_t port;
    int listener = listen_somewhere(&port);
    plat_stream *s = make(PLAT_STREAM_TLS); /* trusts the roots of the system */
    plat_stage stage;
    uint8_t hello[4096];

    assert_int_equal(s->ops->open(s, "localhost", port, 0), PLAT_OK);
    assert_int_equal(drive(s, &stage, PLAT_STAGE_TLS), PLAT_WOULD_BLOCK);
    int peer = accept(listener, NULL, NULL);
    assert_true(recv(peer, hello, sizeof hello, 0) > 0);
    assert_int_equal(hello[0], 22); /* 22 is the type of a handshake record */
    for (int i = 0; i < 100; i++) {
        plat_poll p;
        assert_int_equal(s->ops->progress(s, 0, &stage), PLAT_WOULD_BLOCK);
        assert_int_equal(stage, PLAT_STAGE_TLS);
        s->ops->poll(s, false, 1, &p);
        assert_true(p.fd >= 0 && p.want_read && !p.ready_now);
    }

    assert_int_equal(send(peer, "220 mail.example ESMTP\r\n", 24, 0), 24);
    assert_int_equal(drive(s, &stage, PLAT_STAGE_OPEN), PLAT_ERR_TLS);
    assert_int_equal(stage, PLAT_STAGE_TLS);
    s->ops->deinit(s);
    close(peer);
    close(listener);
}

static void roots_that_cannot_be_read_are_named_in_the_detail(void **state)
{
    (void)state;
    const plat_net *net = plat_posix()->net;
    const plat_stream_config config = { .ca_file = "/nonexistent/roots.pem" };
    plat_stream *s = NULL;

    assert_int_equal(net->stream(net, &memory, &config, &s), PLAT_ERR_TRUST_STORE);

    assert_non_null(strstr(s->ops->detail(s), "/nonexistent/roots.pem"));
    s->ops->deinit(s);
}

static void the_clocks_run(void **state)
{
    (void)state;
    const plat_platform *p = plat_posix();
    uint64_t start = p->clock->monotonic_ms(p->clock);

    p->net->wait(p->net, &(plat_poll){ .fd = -1 }, 1, 5);

    assert_true(p->clock->monotonic_ms(p->clock) - start >= 4);
    assert_true(p->clock->wall_s(p->clock) > 1600000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_stream_carries_bytes_to_a_listener),
        cmocka_unit_test(a_tls_stream_waits_for_a_silent_server_and_refuses_plain_text),
        cmocka_unit_test(roots_that_cannot_be_read_are_named_in_the_detail),
        cmocka_unit_test(the_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
