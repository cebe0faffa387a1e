#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/tcp_flow.h"
#include "skip.h"
#include "tcp_fixture.h"

/* Two connected sockets of this process and their listener. */
static int listener;
static int here;
static int there;

static int open_pair(void **state)
{
    (void)state;
    uint16_t port = 0;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    listener = tcp_listen("127.0.0.1", &port, 1);
    a.sin_port = htons(port);
    here = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(here, (struct sockaddr *)&a, sizeof a) != 0) {
        return -1;
    }
    there = accept(listener, NULL, NULL);
    return there >= 0 ? fcntl(here, F_SETFL, O_NONBLOCK) : -1;
}

static int close_pair(void **state)
{
    (void)state;
    (void)close(here);
    (void)close(there);
    (void)close(listener);
    return 0;
}

static bool is_known(void)
{
#ifdef __linux__
    return true;
#else
    return false;
#endif
}

/* Waits until the condition holds, since the peer's system decides when it acknowledges. */
static plat_tcp_queues await(bool (*holds)(const plat_tcp_queues *q))
{
    plat_tcp_queues q = plat_tcp_queues_of(here);

    while (!holds(&q)) {
        (void)poll(NULL, 0, 1);
        q = plat_tcp_queues_of(here);
    }
    return q;
}

static bool all_is_acknowledged(const plat_tcp_queues *q)
{
    return q->unacknowledged == 0 && !q->awaited;
}

static bool has_100_bytes(const plat_tcp_queues *q)
{
    return q->unread == 100;
}

static void received_bytes_count_until_they_are_read(void **state)
{
    (void)state;
    uint8_t bytes[100] = { 0 };
    if (!is_known()) {
        skip_because("this system does not report how many bytes a socket holds");
    }

    assert_int_equal(plat_tcp_queues_of(here).unread, 0);
    assert_int_equal(send(there, bytes, 100, 0), 100);
    (void)await(has_100_bytes);
    assert_int_equal(recv(here, bytes, 60, 0), 60);
    assert_int_equal(plat_tcp_queues_of(here).unread, 40);
    assert_int_equal(recv(here, bytes, 100, 0), 40);
    assert_int_equal(plat_tcp_queues_of(here).unread, 0);
}

static void sent_bytes_count_until_the_peers_system_acknowledges_them(void **state)
{
    (void)state;
    static uint8_t bytes[65536];
    uint64_t sent = 0;
    uint64_t taken = 0;
    ssize_t n;
    if (!is_known()) {
        skip_because("this system does not report how many bytes a socket holds");
    }

    (void)await(all_is_acknowledged);
    while ((n = send(here, bytes, sizeof bytes, 0)) > 0) {
        sent += (uint64_t)n;
    }
    assert_int_equal(errno, EAGAIN);
    /* The peer's application reads nothing. */
    const uint64_t held = plat_tcp_queues_of(here).unacknowledged;
    assert_in_range(held, 1, sent);
    while (taken < sent && (n = recv(there, bytes, sizeof bytes, 0)) > 0) {
        taken += (uint64_t)n;
    }
    assert_int_equal(taken, sent);
    (void)await(all_is_acknowledged);
}

/* Returns false under QEMU's user emulation, which returns only the first bytes of TCP_INFO. */
static bool counts_unanswered_segments(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           len >= offsetof(struct tcp_info, tcpi_sacked);
}

static void a_peer_that_answers_nothing_is_awaited(void **state)
{
    (void)state;
    uint16_t port = 0;
    struct sockaddr_in a = { .sin_family = AF_INET };
    black_hole h = black_hole_make("127.0.0.1", &port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    a.sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &a.sin_addr), 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), -1);
    assert_int_equal(errno, EINPROGRESS);
    if (!counts_unanswered_segments(fd)) {
        (void)close(fd);
        black_hole_close(&h);
        skip_because("this system does not count unanswered segments");
    }
    assert_true(plat_tcp_queues_of(fd).awaited); /* the answer to our SYN is awaited */
    (void)close(fd);
    black_hole_close(&h);
}

static void a_descriptor_that_is_no_socket_holds_nothing_and_counts_as_silent(void **state)
{
    (void)state;
    const plat_tcp_queues q = plat_tcp_queues_of(-1);

    assert_int_equal(q.unread, 0);
    assert_int_equal(q.unacknowledged, 0);
    assert_true(q.awaited);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(received_bytes_count_until_they_are_read),
        WITH_PAIR(sent_bytes_count_until_the_peers_system_acknowledges_them),
        cmocka_unit_test(a_peer_that_answers_nothing_is_awaited),
        cmocka_unit_test(a_descriptor_that_is_no_socket_holds_nothing_and_counts_as_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
