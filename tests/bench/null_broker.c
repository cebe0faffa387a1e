/* The server of the bench: a broker that costs as little as possible, so that the figures are
 * those of the client. It ends with its last connection or, with --stay, at SIGTERM, and prints
 * how busy it was.
 *
 *     null_broker [--port N] [--tls FOLDER [--ciphers NAMES] [--tickets] [--ask]] [--stay]
 *                 [--send COUNT] [--size BYTES] [--qos QOS] [--window N] [--one-by-one]
 *                 [--websocket]
 *
 * With --one-by-one each acknowledgement is a separate write and TLS record, as with Mosquitto.
 * With --ask, clients are asked for a certificate. With --tickets, TLS sessions can be resumed,
 * also with the next broker of the same FOLDER. It first prints PORT=number and, at the end, one
 * JSON object with the messages received, its CPU time since the first CONNECT, and its share of
 * the elapsed time. */

#include "null_session.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, BACKLOG = 4096 };

typedef struct broker {
    int listener;
    int epoll;
    uint16_t port; /* 0: any */
    bool secure;
    bool stay; /* true: runs until SIGTERM */
    null_flood flood;
    unsigned long open; /* connections */
    bool begun;         /* the first CONNECT has arrived */
    double begun_s;
    double begun_cpu_s;
} broker;

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    ended = number;
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(const broker *b, int operation, int fd, uint32_t events, void *user)
{
    struct epoll_event e = { .events = events, .data.ptr = user };

    if (epoll_ctl(b->epoll, operation, fd, &e) != 0) {
        fail("null_broker: epoll_ctl");
    }
}

static void allow_descriptors(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void start(broker *b)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET,
        .sin_port = htons(b->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct sigaction action = { .sa_handler = on_signal };
    const int on = 1;
    socklen_t len = sizeof a;

    allow_descriptors();
    (void)sigaction(SIGTERM, &action, NULL);
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(b->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(b->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(b->listener, BACKLOG) != 0 ||
        getsockname(b->listener, (struct sockaddr *)&a, &len) != 0) {
        fail("null_broker: listen");
    }
    b->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(b, EPOLL_CTL_ADD, b->listener, EPOLLIN, NULL);
    printf("PORT=%u\n", ntohs(a.sin_port));
    fflush(stdout);
}

static void take_connections(broker *b)
{
    for (;;) {
        int fd = accept4(b->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                fail("null_broker: accept");
            }
            return;
        }
        null_session *s = calloc(1, sizeof *s);
        if (s == NULL) {
            fail("null_broker");
        }
        null_link_open(&s->link, fd, b->secure);
        watch(b, EPOLL_CTL_ADD, fd, EPOLLIN, s);
        b->open++;
    }
}

static void serve(broker *b, null_session *s)
{
    size_t was_pending = s->pending_len;

    if (null_session_run(s, &b->flood)) {
        if ((was_pending > 0) != (s->pending_len > 0)) {
            watch(b, EPOLL_CTL_MOD, s->link.fd, s->pending_len > 0 ? EPOLLOUT : EPOLLIN, s);
        }
    } else {
        null_session_free(s);
        b->open--;
    }
    if (!b->begun && null_totals.connects > 0) {
        b->begun = true;
        b->begun_s = seconds(CLOCK_MONOTONIC);
        b->begun_cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    }
}

static void run(broker *b)
{
    struct epoll_event events[EVENTS];

    while (ended == 0 && (b->stay || !b->begun || b->open > 0)) {
        int n = epoll_wait(b->epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL) {
                take_connections(b);
            } else {
                serve(b, events[i].data.ptr);
            }
        }
    }
}

static void report(const broker *b)
{
    double cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - b->begun_cpu_s;

    printf("{\"connects\":%lu,\"published\":%lu,\"acknowledged\":%lu,\"cpu_s\":%.6f,"
           "\"share\":%.3f}\n",
           null_totals.connects, null_totals.published, null_totals.acknowledged, cpu_s,
           cpu_s / (seconds(CLOCK_MONOTONIC) - b->begun_s));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "tls", required_argument, NULL, 't' },
        { "ciphers", required_argument, NULL, 'c' },
        { "tickets", no_argument, NULL, 'k' },
        { "ask", no_argument, NULL, 'a' },
        { "stay", no_argument, NULL, 'y' },
        { "send", required_argument, NULL, 's' },
        { "qos", required_argument, NULL, 'q' },
        { "window", required_argument, NULL, 'w' },
        { "one-by-one", no_argument, NULL, 'o' },
        { "size", required_argument, NULL, 'z' },
        { "websocket", no_argument, NULL, 'e' },
        { NULL, 0, NULL, 0 },
    };
    broker b = { .flood = { .window = 100, .size = 256 } };
    const char *folder = NULL;
    const char *ciphers = NULL;
    bool tickets = false;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (o) {
        case 't': folder = optarg; break;
        case 'c': ciphers = optarg; break;
        case 'p': b.port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'k': tickets = true; break;
        case 'e': null_websockets = true; break;
        case 'a': null_tls_asks = true; break;
        case 'y': b.stay = true; break;
        case 's': b.flood.count = strtoul(optarg, NULL, 10); break;
        case 'q': b.flood.qos = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'w': b.flood.window = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'o': null_one_by_one = true; break;
        case 'z': b.flood.size = strtoul(optarg, NULL, 10); break;
        default: return 2;
        }
    }
    if (b.flood.size > NULL_PAYLOAD_MAX) {
        fail("null_broker: --size");
    }
    if (folder != NULL) {
        b.secure = true;
        null_tls_load(folder, ciphers, tickets);
    }
    start(&b);
    run(&b);
    report(&b);
    (void)fflush(stdout);
    if (ended != 0) {
        _exit(0); /* ends as if killed, without closing any connection properly */
    }
    return 0;
}
