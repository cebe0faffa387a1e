#include "tcp_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_hub.h"
#include "tcp_fixture.h"

enum { CONNECTIONS = 8, PART = 4096 };

typedef struct connection {
    int fd; /* -1: free */
    scripted_stream bytes;
} connection;

struct tcp_hub {
    int listener;
    uint16_t port;
    int orders[2], answers[2]; /* pipes that carry commands to the thread and answers from it */
    pthread_t thread;
    fake_hub hub;
    connection connections[CONNECTIONS];
};

/* --- the thread ------------------------------------------------------------------ */

static void hang_up(connection *n)
{
    if (n->fd >= 0) {
        n->bytes.base.ops->close(&n->bytes.base);
        scripted_free(&n->bytes);
        close(n->fd);
        n->fd = -1;
    }
}

static void welcome(tcp_hub *h)
{
    plat_stage stage;

    for (size_t i = 0; i < CONNECTIONS; i++) {
        connection *n = &h->connections[i];
        if (n->fd < 0) {
            n->fd = accept(h->listener, NULL, NULL);
            scripted_init(&n->bytes);
            (void)n->bytes.base.ops->open(&n->bytes.base, "hub", 1, 0);
            (void)n->bytes.base.ops->progress(&n->bytes.base, 0, &stage);
            return;
        }
    }
    abort(); /* there are more connections than any test makes */
}

static void answer(connection *n)
{
    uint8_t part[PART];
    size_t len;

    while (n->bytes.base.ops->recv(&n->bytes.base, part, sizeof part, &len) == PLAT_OK) {
        (void)send(n->fd, part, len, MSG_NOSIGNAL);
    }
}

static void serve(tcp_hub *h, connection *n)
{
    uint8_t part[PART];
    size_t taken;
    ssize_t len = recv(n->fd, part, sizeof part, 0);

    if (len <= 0) {
        hang_up(n);
        return;
    }
    (void)n->bytes.base.ops->send(&n->bytes.base, part, (size_t)len, &taken);
    (void)fake_hub_serve(&h->hub, &n->bytes);
    answer(n);
}

/* Carries out one command. Returns false if it is the command to end. */
static bool obey(tcp_hub *h)
{
    char order = 'q';

    (void)!read(h->orders[0], &order, 1);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        hang_up(&h->connections[i]);
    }
    (void)!write(h->answers[1], &order, 1);
    return order != 'q';
}

static void *run(void *user)
{
    tcp_hub *h = user;
    struct pollfd fds[CONNECTIONS + 2];

    for (;;) {
        for (size_t i = 0; i < CONNECTIONS; i++) {
            fds[i] = (struct pollfd){ .fd = h->connections[i].fd, .events = POLLIN };
        }
        fds[CONNECTIONS] = (struct pollfd){ .fd = h->listener, .events = POLLIN };
        fds[CONNECTIONS + 1] = (struct pollfd){ .fd = h->orders[0], .events = POLLIN };
        (void)poll(fds, CONNECTIONS + 2, -1);
        for (size_t i = 0; i < CONNECTIONS; i++) {
            if (fds[i].revents != 0) {
                serve(h, &h->connections[i]);
            }
        }
        if (fds[CONNECTIONS].revents != 0) {
            welcome(h);
        }
        if (fds[CONNECTIONS + 1].revents != 0 && !obey(h)) {
            return NULL;
        }
    }
}

/* --- from outside ---------------------------------------------------------------- */

static void order(tcp_hub *h, char what)
{
    assert_int_equal(write(h->orders[1], &what, 1), 1);
    assert_int_equal(read(h->answers[0], &what, 1), 1);
}

tcp_hub *tcp_hub_new(void)
{
    tcp_hub *h = calloc(1, sizeof *h);

    assert_non_null(h);
    fake_hub_init(&h->hub);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        h->connections[i].fd = -1;
    }
    h->listener = tcp_listen("127.0.0.1", &h->port, CONNECTIONS);
    assert_int_equal(pipe(h->orders), 0);
    assert_int_equal(pipe(h->answers), 0);
    assert_int_equal(pthread_create(&h->thread, NULL, run, h), 0);
    return h;
}

uint16_t tcp_hub_port(const tcp_hub *h)
{
    return h->port;
}

void tcp_hub_drop(tcp_hub *h)
{
    order(h, 'd');
}

void tcp_hub_free(tcp_hub *h)
{
    order(h, 'q');
    assert_int_equal(pthread_join(h->thread, NULL), 0);
    for (int end = 0; end < 2; end++) {
        close(h->orders[end]);
        close(h->answers[end]);
    }
    close(h->listener);
    free(h);
}

static plat_result make_plain(const plat_net *self, plat_stream_storage *memory,
                              const plat_stream_config *config, plat_stream **out)
{
    plat_stream_config plain = *config;

    (void)self;
    plain.kind = PLAT_STREAM_TCP;
    return plat_posix()->net->stream(plat_posix()->net, memory, &plain, out);
}

const plat_platform *tcp_hub_platform(void)
{
    static plat_net net;
    static plat_platform platform;

    net = *plat_posix()->net;
    net.stream = make_plain;
    platform = *plat_posix();
    platform.net = &net;
    return &platform;
}
