#include "tcp_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

int tcp_listen(const char *address, uint16_t *port, int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(*port) };
    socklen_t len = sizeof a;
    assert_int_equal(inet_pton(AF_INET, address, &a.sin_addr), 1);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

black_hole black_hole_make(const char *address, uint16_t *port)
{
    black_hole h = { .listener = tcp_listen(address, port, 0) };
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(*port) };
    assert_int_equal(inet_pton(AF_INET, address, &a.sin_addr), 1);
    for (size_t i = 0; i < 3; i++) {
        h.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(h.fillers[i], (struct sockaddr *)&a, sizeof a);
    }
    /* The listener accepts another connection until the system has put the first filler into its
     * queue. */
    struct pollfd full = { .fd = h.listener, .events = POLLIN };
    assert_int_equal(poll(&full, 1, -1), 1);
    return h;
}

void black_hole_close(const black_hole *h)
{
    for (size_t i = 0; i < 3; i++) {
        close(h->fillers[i]);
    }
    close(h->listener);
}
