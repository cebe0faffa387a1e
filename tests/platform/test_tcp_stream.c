#include <string.h>

#include <arpa/inet.h>
#include <fcntl.h>
#ifdef __linux__
#include <linux/tcp.h> /* declares more of TCP_INFO than netinet/tcp.h */
#else
#include <netinet/tcp.h>
#endif
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_dns.h"
#include "skip.h"
#include "tcp_fixture.h"
#include "tcp_stream_fixture.h"

static uint16_t unused_port(void)
{
    uint16_t port = 0;
    close(tcp_listen("127.0.0.1", &port, 1));
    return port;
}

typedef struct pair {
    int listener;
    int peer;
    uint16_t port;
} pair;

static pair connect_pair(void)
{
    pair p = { .port = 0 };
    plat_stage stage;
    p.listener = tcp_listen("127.0.0.1", &p.port, 4);
    assert_int_equal(s->ops->open(s, "127.0.0.1", p.port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_OK);
    assert_int_equal(stage, PLAT_STAGE_OPEN);
    p.peer = accept(p.listener, NULL, NULL);
    assert_true(p.peer >= 0);
    return p;
}

static void close_pair(const pair *p)
{
    close(p->peer);
    close(p->listener);
}

static plat_result recv_some(uint8_t *buf, size_t cap, size_t *got)
{
    plat_result r;
    while ((r = s->ops->recv(s, buf, cap, got)) == PLAT_WOULD_BLOCK) {
        plat_poll p = poll_of(false);
        assert_true(p.want_read);
        plat_posix_wait(NULL, &p, 1, 10000);
    }
    return r;
}

static void bytes_flow_both_ways_on_a_socket_with_the_right_options(void **state)
{
    (void)state;
    uint8_t buf[16];
    size_t n = 0;
    pair p = connect_pair();
    int on = 0;
    socklen_t len = sizeof on;

    int fd = (int)poll_of(false).fd;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_true(on);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);

    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);
    assert_int_equal(n, 0);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"ping", 4, &n), PLAT_OK);
    assert_int_equal(n, 4);
    assert_int_equal(recv(p.peer, buf, sizeof buf, 0), 4);
    assert_int_equal(send(p.peer, "pong", 4, 0), 4);
    assert_int_equal(recv_some(buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "pong", 4);
    assert_string_equal(s->ops->detail(s), "");
    assert_false(s->ops->resumed(s));
    close_pair(&p);
}

#ifdef TCP_QUICKACK
/* Returns the number of segments that the system has sent on a socket. */
static unsigned segments_sent(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    if (len < offsetof(struct tcp_info, tcpi_segs_out) + sizeof info.tcpi_segs_out) {
        skip_because("no TCP_INFO here, as in QEMU");
    }
    return info.tcpi_segs_out;
}

/* A peer that uses Nagle's algorithm sends no further small packet before it gets an
 * acknowledgement. The test counts sent segments, because a busy system may deliver the
 * acknowledgement later. */
static void what_was_received_is_acknowledged_before_a_sleep(void **state)
{
    (void)state;
    uint8_t buf[16];
    size_t n;
    pair p = connect_pair();

    /* After several questions and answers Linux delays acknowledgements. */
    for (int i = 0; i < 20; i++) {
        const unsigned before = segments_sent((int)poll_of(false).fd);
        assert_int_equal(send(p.peer, "ping", 4, 0), 4);
        assert_int_equal(recv_some(buf, sizeof buf, &n), PLAT_OK);
        assert_true(segments_sent((int)poll_of(false).fd) > before);
        assert_int_equal(s->ops->send(s, buf, n, &n), PLAT_OK);
        assert_int_equal(recv(p.peer, buf, sizeof buf, 0), 4);
    }
    close_pair(&p);
}
#endif

static void await_unread(int fd, int bytes)
{
    int unread = 0;
    while (unread < bytes) {
        assert_int_equal(ioctl(fd, FIONREAD, &unread), 0);
    }
}

static bool is_awake(int fd)
{
    struct pollfd f = { .fd = fd, .events = POLLIN };
    return poll(&f, 1, 0) == 1;
}

static void fewer_bytes_than_asked_for_wake_no_waiter_and_an_end_always_does(void **state)
{
    (void)state;
    uint8_t byte;
    size_t n = 0;
    plat_poll q;
    pair p = connect_pair();
    const int on = 1;
    assert_int_equal(setsockopt(p.peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);

    for (size_t least = 1; least <= 300; least += least / 2 + 1) {
        s->ops->poll(s, false, least, &q);
        for (int sent = 1; sent <= (int)least; sent++) {
            assert_int_equal(send(p.peer, "x", 1, 0), 1);
            await_unread((int)q.fd, sent);
            bool few = sent < ((int)least + 1) / 2;
            assert_false(few && is_awake((int)q.fd));
        }
        assert_true(is_awake((int)q.fd));
        for (size_t i = 0; i < least; i++) {
            /* Returns one byte without waiting for more. */
            assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_OK);
        }
        assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_WOULD_BLOCK);
    }
    s->ops->poll(s, false, 1, &q);
    assert_int_equal(send(p.peer, "x", 1, 0), 1);
    await_unread((int)q.fd, 1);
    assert_true(is_awake((int)q.fd));
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_OK);

    s->ops->poll(s, false, 1000, &q);
    close_pair(&p);
    plat_posix_wait(NULL, &q, 1, -1);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_EOF);
}

static plat_flow flow_now(void)
{
    plat_flow f;
    s->ops->flow(s, &f);
    return f;
}

/* Polls the flow, since timers of the system decide when a closed window is reported. */
static plat_flow flow_until(bool (*holds)(const plat_flow *f))
{
    plat_flow f = flow_now();
    while (!holds(&f)) {
        poll(NULL, 0, 10);
        f = flow_now();
    }
    return f;
}

static bool all_is_delivered(const plat_flow *f)
{
    return f->pending == 0 && !f->awaited;
}

static bool window_is_closed(const plat_flow *f)
{
    return f->pending > 0 && !f->awaited;
}

static void the_flow_says_what_arrived_and_what_the_peers_system_has(void **state)
{
    (void)state;
    static uint8_t buf[65536];
    uint64_t sent = 0;
    size_t n;
    pair p = connect_pair();

    plat_flow f = flow_now();
    assert_true(f.received == 0 && f.delivered == 0 && f.pending == 0);
    assert_int_equal(send(p.peer, "pong", 4, 0), 4);
    plat_poll readable = poll_of(false);
    plat_posix_wait(NULL, &readable, 1, -1);
    assert_int_equal(flow_now().received, 4); /* counted before the application reads it */
    assert_int_equal(recv_some(buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(flow_now().received, 4); /* the count stays the same after it was read */

    /* The peer's application reads nothing. */
    while (s->ops->send(s, buf, sizeof buf, &n) == PLAT_OK) {
        sent += n;
    }
    f = flow_until(window_is_closed);
    assert_int_equal(f.delivered + f.pending, sent);
    for (uint64_t read = 0; read < sent;) {
        ssize_t got = recv(p.peer, buf, sizeof buf, 0);
        assert_true(got > 0);
        read += (uint64_t)got;
    }
    f = flow_until(all_is_delivered);
    assert_int_equal(f.delivered, sent);
    close_pair(&p);
}

static void a_refused_connection_names_host_port_and_cause(void **state)
{
    (void)state;
    static const char *const answer[] = { "127.0.0.1" };
    fake_dns_set(answer, 1);
    uint16_t port = unused_port();
    plat_stage stage;
    char wanted[100];

    assert_int_equal(s->ops->open(s, "127.0.0.1", port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_ERR_CONNECT);
    assert_int_equal(stage, PLAT_STAGE_CONNECT);
    snprintf(wanted, sizeof wanted, "127.0.0.1 port %u: connection refused", port);
    assert_string_equal(s->ops->detail(s), wanted);
    assert_int_equal(s->ops->progress(s, now(), &stage), PLAT_ERR_CONNECT);

    s->ops->close(s);
    assert_string_equal(s->ops->detail(s), "");
    assert_int_equal(s->ops->open(s, "hub.example", port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_ERR_CONNECT);
    snprintf(wanted, sizeof wanted, "hub.example (127.0.0.1) port %u: connection refused", port);
    assert_string_equal(s->ops->detail(s), wanted);
}

static void a_name_that_does_not_resolve_fails_in_its_own_stage(void **state)
{
    (void)state;
    plat_stage stage;

    assert_int_equal(s->ops->open(s, "missing.example", 8883, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_ERR_DNS);

    assert_int_equal(stage, PLAT_STAGE_RESOLVE);
    assert_string_equal(s->ops->detail(s), "missing.example: no such name");
}

static void every_address_gets_its_turn(void **state)
{
    (void)state;
    /* ::1 and 127.0.0.2 refuse the connection, because no program listens there on this port. */
    static const char *const answer[] = { "::1", "127.0.0.2", "127.0.0.3", "127.0.0.1" };
    fake_dns_set(answer, 4);
    plat_stage stage;
    uint16_t port = 0;
    int listener = tcp_listen("127.0.0.1", &port, 1);

    assert_int_equal(s->ops->open(s, "hub.example", port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_OK);

    close(listener);
}

static void localhost_reaches_a_listener_that_has_ipv4_only(void **state)
{
    (void)state;
    plat_stage stage;
    uint16_t port = 0;
    int listener = tcp_listen("127.0.0.1", &port, 1);

    assert_int_equal(s->ops->open(s, "localhost", port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_OK);

    close(listener);
}

static void a_dead_address_gives_way_to_the_next_one(void **state)
{
    (void)state;
    static const char *const answer[] = { "127.0.0.2", "127.0.0.1" };
    fake_dns_set(answer, 2);
    plat_stage stage;
    uint16_t port = 0;
    int listener = tcp_listen("127.0.0.1", &port, 1);
    black_hole h = black_hole_make("127.0.0.2", &port);

    assert_int_equal(s->ops->open(s, "hub.example", port, now()), PLAT_OK);
    uint64_t started = now();
    assert_int_equal(drive(&stage), PLAT_OK);

    assert_true(now() - started >= 200); /* the first address is alone for so long */
    black_hole_close(&h);
    close(listener);
}

/* Details are in test_tcp_race.c. */
static void the_stream_asks_to_be_called_when_the_next_address_is_due(void **state)
{
    (void)state;
    static const char *const answer[] = { "127.0.0.2", "127.0.0.3" };
    uint16_t port = 0;
    black_hole a = black_hole_make("127.0.0.2", &port);
    black_hole b = black_hole_make("127.0.0.3", &port);
    plat_stage stage;
    uint64_t t = 1000;

    fake_dns_set(answer, 2);
    assert_int_equal(s->ops->open(s, "hub.example", port, t), PLAT_OK);
    while (s->ops->progress(s, t, &stage) == PLAT_WOULD_BLOCK && stage == PLAT_STAGE_RESOLVE) {
        plat_poll p = poll_of(false);
        plat_posix_wait(NULL, &p, 1, 10000);
    }
    assert_int_equal(stage, PLAT_STAGE_CONNECT);
    assert_int_equal(poll_of(false).wake_at_ms, t + 250);
    assert_true(poll_of(false).want_read);
    t += 250;
    assert_int_equal(s->ops->progress(s, t, &stage), PLAT_WOULD_BLOCK);
    assert_int_equal(poll_of(false).wake_at_ms, 0);
    black_hole_close(&a);
    black_hole_close(&b);
}

static void the_next_open_begins_with_the_address_that_was_good(void **state)
{
    (void)state;
    static const char *const answer[] = { "127.0.0.2", "127.0.0.1" };
    plat_stage stage;
    uint16_t port = 0;
    int listener = tcp_listen("127.0.0.1", &port, 2);
    black_hole h = black_hole_make("127.0.0.2", &port);

    fake_dns_set(answer, 2);
    assert_int_equal(s->ops->open(s, "hub.example", port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_OK);
    s->ops->close(s);

    assert_int_equal(s->ops->open(s, "hub.example", port, now()), PLAT_OK);
    while (s->ops->progress(s, 1, &stage) == PLAT_WOULD_BLOCK) { /* no time passes */
        plat_poll p = poll_of(false);
        plat_posix_wait(NULL, &p, 1, 10000);
    }
    assert_int_equal(stage, PLAT_STAGE_OPEN);
    black_hole_close(&h);
    close(listener);
}

static void a_binding_that_fails_is_named(void **state)
{
    (void)state;
    plat_stage stage;
    uint16_t port = 0;
    int listener = tcp_listen("127.0.0.1", &port, 1);
    plat_stream *bound = plat_tcp_init(&tcp, "::1");

    assert_int_equal(bound->ops->open(bound, "127.0.0.1", port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_ERR_CONNECT);
    assert_non_null(
        strstr(bound->ops->detail(bound), "bound to ::1: the host has no address of that family"));
    close(listener);
}

static void closing_at_any_stage_is_immediate_and_the_stream_opens_again(void **state)
{
    (void)state;
    static const char *const answer[] = { "127.0.0.1" };
    fake_dns_set(answer, 1);
    fake_dns_close_gate();
    plat_stage stage;
    uint16_t port = 0;
    black_hole h = black_hole_make("127.0.0.2", &port);

    for (int i = 0; i < 8; i++) { /* more look-ups than there are helper threads */
        assert_int_equal(s->ops->open(s, "slow.example", port, now()), PLAT_OK);
        assert_int_equal(s->ops->progress(s, now(), &stage), PLAT_WOULD_BLOCK);
        assert_int_equal(stage, PLAT_STAGE_RESOLVE);
        assert_true(poll_of(false).fd >= 0 && poll_of(false).want_read);
        s->ops->close(s);
        s->ops->close(s);
        assert_int_equal(poll_of(true).fd, -1);
    }
    fake_dns_open_gate();
    assert_int_equal(s->ops->open(s, "127.0.0.2", port, now()), PLAT_OK);
    assert_int_equal(s->ops->progress(s, now(), &stage), PLAT_WOULD_BLOCK);
    assert_int_equal(stage, PLAT_STAGE_CONNECT);
    s->ops->close(s);

    pair p = connect_pair();
    s->ops->close(s);
    uint8_t byte;
    assert_int_equal(recv(p.peer, &byte, 1, 0), 0);
    close_pair(&p);
    black_hole_close(&h);
}

static void an_orderly_end_differs_from_a_broken_connection(void **state)
{
    (void)state;
    uint8_t byte;
    size_t n = 0;
    char wanted[100];
    plat_stage stage;

    pair p = connect_pair();
    /* The connection is half open, so we can still send. */
    assert_int_equal(shutdown(p.peer, SHUT_WR), 0);
    assert_int_equal(recv_some(&byte, 1, &n), PLAT_EOF);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"x", 1, &n), PLAT_OK);
    assert_int_equal(recv(p.peer, &byte, 1, 0), 1);
    close_pair(&p);
    s->ops->close(s);

    p = connect_pair();
    const struct linger reset = { .l_onoff = 1 };
    assert_int_equal(setsockopt(p.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close_pair(&p);
    assert_int_equal(recv_some(&byte, 1, &n), PLAT_ERR_IO);
    snprintf(wanted, sizeof wanted, "127.0.0.1 port %u: connection reset by peer", p.port);
    assert_string_equal(s->ops->detail(s), wanted);
    assert_int_equal(s->ops->send(s, &byte, 1, &n), PLAT_ERR_IO);
    assert_int_equal(s->ops->progress(s, now(), &stage), PLAT_ERR_IO);
}

static void what_a_peer_said_before_a_reset_is_received_first(void **state)
{
    (void)state;
    uint8_t buf[16];
    size_t n = 0;
    pair p = connect_pair();

    assert_int_equal(s->ops->send(s, (const uint8_t *)"unread", 6, &n), PLAT_OK);
    await_unread(p.peer, 6);
    assert_int_equal(write(p.peer, "alert", 5), 5);
    await_unread(tcp.fd, 5);
    close(p.peer); /* with unread bytes, which resets the connection */
    struct pollfd reset = { .fd = tcp.fd };
    assert_int_equal(poll(&reset, 1, 10000), 1);

    assert_int_equal(s->ops->send(s, (const uint8_t *)"more", 4, &n), PLAT_WOULD_BLOCK);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(buf, "alert", 5);
    assert_int_equal(s->ops->send(s, (const uint8_t *)"more", 4, &n), PLAT_ERR_IO);
    p.peer = -1;
    close_pair(&p);
}

static void sending_to_a_peer_that_left_raises_no_signal(void **state)
{
    (void)state;
    size_t n;
    pair p = connect_pair();
    close_pair(&p);
    plat_result r;

    while ((r = s->ops->send(s, (const uint8_t *)"x", 1, &n)) == PLAT_OK) {
        plat_poll q = poll_of(false);
        plat_posix_wait(NULL, &q, 1, 10000); /* a reset makes the socket readable */
    }

    assert_int_equal(r, PLAT_ERR_IO);
}

static void a_full_socket_takes_what_fits_and_loses_nothing(void **state)
{
    (void)state;
    enum { TOTAL = 1000000 };
    uint8_t *out = malloc(TOTAL);
    uint8_t *in = malloc(TOTAL);
    assert_true(out != NULL && in != NULL);
    for (size_t i = 0; i < TOTAL; i++) {
        out[i] = (uint8_t)(i * 31u + (i >> 9));
    }
    pair p = connect_pair();
    const int tiny = 65536;
    assert_int_equal(setsockopt((int)poll_of(false).fd, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof tiny),
                     0);
    size_t sent = 0;
    size_t seen = 0;
    unsigned blocked = 0;

    while (seen < TOTAL) {
        size_t n = 0;
        plat_result r = sent < TOTAL ? s->ops->send(s, out + sent, TOTAL - sent, &n) : PLAT_OK;
        sent += n;
        if (r == PLAT_WOULD_BLOCK || sent == TOTAL) {
            assert_int_equal(n == 0 || sent == TOTAL, 1);
            blocked++;
            ssize_t got = recv(p.peer, in + seen, TOTAL - seen, 0);
            assert_true(got > 0);
            seen += (size_t)got;
        } else {
            assert_int_equal(r, PLAT_OK);
        }
    }

    assert_true(blocked > 2);
    assert_memory_equal(in, out, TOTAL);
    close_pair(&p);
    free(in);
    free(out);
}

static void calls_in_the_wrong_state_are_refused(void **state)
{
    (void)state;
    uint8_t byte;
    size_t n;
    plat_stage stage;
    char long_name[300];
    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';

    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_ERR_STATE);
    assert_int_equal(s->ops->send(s, &byte, 1, &n), PLAT_ERR_STATE);
    assert_int_equal(s->ops->progress(s, now(), &stage), PLAT_ERR_STATE);
    assert_int_equal(s->ops->open(s, "", 1, now()), PLAT_ERR_ARG);
    assert_int_equal(s->ops->open(s, long_name, 1, now()), PLAT_ERR_ARG);
    assert_int_equal(s->ops->open(s, "192.0.2.1", 1, now()), PLAT_OK);
    assert_int_equal(s->ops->open(s, "192.0.2.1", 1, now()), PLAT_ERR_STATE);
    assert_int_equal(s->ops->recv(s, &byte, 1, &n), PLAT_ERR_STATE);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    plat_lookup *const lookup = (plat_lookup *)(void *)state; /* the test never uses its members */
    static const struct {
        plat_tcp_state state;
        bool lookup, fd;
    } good[] = {
        { PLAT_TCP_CLOSED, false, false },
        { PLAT_TCP_RESOLVING, true, false },
        { PLAT_TCP_CONNECTING, true, true },
        { PLAT_TCP_OPEN, false, true },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        for (int combination = 0; combination < 4; combination++) {
            const bool has_lookup = (combination & 1) != 0, has_fd = (combination & 2) != 0;
            const plat_tcp_stream one = { .state = good[i].state,
                                          .lookup = has_lookup ? lookup : NULL,
                                          .fd = has_fd ? 1 : -1,
                                          .low_water = 1 };
            assert_int_equal(plat_tcp_stream_valid(&one),
                             has_lookup == good[i].lookup && has_fd == good[i].fd);
        }
    }
    plat_tcp_stream one = { .state = PLAT_TCP_FAILED, .fd = -1 };
    assert_false(plat_tcp_stream_valid(&one)); /* wrong, because no failure is noted */
    one.failure = PLAT_ERR_IO;
    assert_true(plat_tcp_stream_valid(&one));
    one.shown = true; /* wrong: a descriptor was shown, but there is none */
    assert_false(plat_tcp_stream_valid(&one));
    one.shown = false;
    one.lookup_shown = true;
    assert_false(plat_tcp_stream_valid(&one));
    one = (plat_tcp_stream){ .state = PLAT_TCP_OPEN, .fd = 1, .low_water = 0 };
    assert_false(plat_tcp_stream_valid(&one));
    one.low_water = 5000;
    assert_false(plat_tcp_stream_valid(&one));
}
#else
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    skip(); /* a release build has no such check */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(bytes_flow_both_ways_on_a_socket_with_the_right_options),
#ifdef TCP_QUICKACK
        WITH_STREAM(what_was_received_is_acknowledged_before_a_sleep),
        WITH_STREAM(fewer_bytes_than_asked_for_wake_no_waiter_and_an_end_always_does),
#endif
        WITH_STREAM(the_flow_says_what_arrived_and_what_the_peers_system_has),
        WITH_STREAM(a_refused_connection_names_host_port_and_cause),
        WITH_STREAM(a_name_that_does_not_resolve_fails_in_its_own_stage),
        WITH_STREAM(every_address_gets_its_turn),
        WITH_STREAM(localhost_reaches_a_listener_that_has_ipv4_only),
        WITH_STREAM(a_dead_address_gives_way_to_the_next_one),
        WITH_STREAM(the_stream_asks_to_be_called_when_the_next_address_is_due),
        WITH_STREAM(the_next_open_begins_with_the_address_that_was_good),
        WITH_STREAM(a_binding_that_fails_is_named),
        WITH_STREAM(closing_at_any_stage_is_immediate_and_the_stream_opens_again),
        WITH_STREAM(an_orderly_end_differs_from_a_broken_connection),
        WITH_STREAM(what_a_peer_said_before_a_reset_is_received_first),
        WITH_STREAM(sending_to_a_peer_that_left_raises_no_signal),
        WITH_STREAM(a_full_socket_takes_what_fits_and_loses_nothing),
        WITH_STREAM(calls_in_the_wrong_state_are_refused),
        cmocka_unit_test(members_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
