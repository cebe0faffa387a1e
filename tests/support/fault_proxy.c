/*
 * A TCP proxy on the loopback interface that simulates the faults of networks.
 *
 * usage: fault_proxy TARGET_PORT FAULT N SEED
 *
 *   pass N           forwards everything; N has no effect
 *   split N          forwards at most N bytes at a time, sometimes one
 *   trickle N        forwards N bytes, then waits a millisecond
 *   drip N           forwards one byte, then waits N milliseconds
 *   delay N          forwards everything N milliseconds later
 *   cut N            closes both sides in order after up to N bytes
 *   reset N          closes both sides with RST after up to N bytes
 *   stall N          forwards nothing more after N bytes of the first connection
 *   half-open N      forwards nothing more to the client after N bytes of the first connection
 *   refuse N         closes the first N connections immediately
 *
 * For cut and reset, N is an upper bound: the number of bytes is random and depends on SEED.
 * The proxy prints its port. A line "FAULT N" on standard input changes the fault, also for
 * open connections, each of which then counts as a first connection. The proxy exits at the
 * end of standard input.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS_MAX = 64, BUFFER = 16384 };

typedef enum fault {
    FAULT_PASS,
    FAULT_SPLIT,
    FAULT_TRICKLE,
    FAULT_DRIP,
    FAULT_DELAY,
    FAULT_CUT,
    FAULT_RESET,
    FAULT_STALL,
    FAULT_HALF_OPEN,
    FAULT_REFUSE
} fault;

static const char *const fault_names[] = { "pass", "split", "trickle", "drip",      "delay",
                                           "cut",  "reset", "stall",   "half-open", "refuse" };

/* One direction of a connection: the bytes that were read from one socket and not yet written to
 * the other. */
typedef struct flow {
    int from, to;
    char buffer[BUFFER];
    size_t start, end;
    int64_t ready_ms; /* the bytes are not forwarded before this time */
} flow;

typedef struct pair {
    bool used;
    unsigned number; /* number of the connection, counted from 1 */
    size_t passed;   /* bytes forwarded in both directions together */
    size_t limit;    /* number of forwarded bytes at which the fault begins */
    flow up, down;
} pair;

static struct {
    fault kind;
    size_t n;
    uint32_t random;
    uint16_t target;
    unsigned accepted;
    pair pairs[PAIRS_MAX];
} proxy;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t up_to(size_t n)
{
    proxy.random ^= proxy.random << 13;
    proxy.random ^= proxy.random >> 17;
    proxy.random ^= proxy.random << 5;
    return 1 + proxy.random % n;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void close_pair(pair *p, bool reset)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    int fds[] = { p->up.from, p->up.to };

    for (size_t i = 0; i < 2; i++) {
        if (reset) {
            (void)setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        (void)close(fds[i]);
    }
    p->used = false;
}

/* --- faults --------------------------------------------------------------------- */

static bool first_only(void)
{
    return proxy.kind == FAULT_STALL || proxy.kind == FAULT_HALF_OPEN;
}

static size_t limit_of(unsigned number)
{
    if (proxy.kind == FAULT_CUT || proxy.kind == FAULT_RESET) {
        return up_to(proxy.n);
    }
    return first_only() && number == 1 ? proxy.n : SIZE_MAX;
}

/* Returns true if this direction forwards nothing any more, although the connection still looks
 * alive. */
static bool mute(const pair *p, const flow *f)
{
    if (p->passed < p->limit) {
        return false;
    }
    return proxy.kind == FAULT_STALL || (proxy.kind == FAULT_HALF_OPEN && f == &p->down);
}

static size_t portion(const pair *p, size_t len)
{
    size_t most = len;

    if (proxy.kind == FAULT_SPLIT) {
        most = up_to(2) == 1 ? 1 : up_to(proxy.n);
    } else if (proxy.kind == FAULT_TRICKLE) {
        most = proxy.n;
    } else if (proxy.kind == FAULT_DRIP) {
        most = 1;
    } else if (p->passed < p->limit && p->limit - p->passed < most) {
        most = p->limit - p->passed;
    }
    return most < len ? most : len;
}

static int64_t pause_after_read_ms(void)
{
    return proxy.kind == FAULT_DELAY ? (int64_t)proxy.n : 0;
}

static int64_t pause_after_write_ms(void)
{
    if (proxy.kind == FAULT_DRIP) {
        return (int64_t)proxy.n;
    }
    return proxy.kind == FAULT_TRICKLE ? 1 : 0;
}

/* --- bytes ---------------------------------------------------------------------- */

/* Reads bytes to forward. Returns false if the connection has been closed. */
static bool fill(pair *p, flow *f)
{
    ssize_t n = recv(f->from, f->buffer, sizeof f->buffer, MSG_DONTWAIT);

    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return true;
        }
        close_pair(p, n < 0);
        return false;
    }
    f->start = 0;
    f->end = (size_t)n;
    f->ready_ms = now_ms() + pause_after_read_ms();
    return true;
}

static bool forward(pair *p, flow *f)
{
    size_t len = portion(p, f->end - f->start);
    ssize_t n = send(f->to, f->buffer + f->start, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return true;
        }
        close_pair(p, true);
        return false;
    }
    f->start += (size_t)n;
    f->ready_ms = now_ms() + pause_after_write_ms();
    p->passed += (size_t)n;
    if (p->passed >= p->limit && !first_only()) {
        close_pair(p, proxy.kind == FAULT_RESET);
        return false;
    }
    return true;
}

static void start_flow(flow *f, int from, int to)
{
    f->from = from;
    f->to = to;
    f->start = f->end = 0;
}

static void accept_one(int listener)
{
    const struct sockaddr_in address = loopback(proxy.target);
    const int on = 1;
    int device = accept(listener, NULL, NULL);
    pair *p = proxy.pairs;

    if (device < 0) {
        return;
    }
    proxy.accepted++;
    while (p < proxy.pairs + PAIRS_MAX && p->used) {
        p++;
    }
    int hub = socket(AF_INET, SOCK_STREAM, 0);
    if (p == proxy.pairs + PAIRS_MAX || (proxy.kind == FAULT_REFUSE && proxy.accepted <= proxy.n) ||
        hub < 0 || connect(hub, (const struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(device);
        (void)close(hub);
        return;
    }
    (void)setsockopt(device, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(hub, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p->used = true;
    p->number = proxy.accepted;
    p->passed = 0;
    p->limit = limit_of(p->number);
    start_flow(&p->up, device, hub);
    start_flow(&p->down, hub, device);
}

/* --- the loop ------------------------------------------------------------------- */

/* Returns the number of milliseconds until the waiting bytes may be forwarded. */
static int64_t pause_left_ms(const flow *f)
{
    int64_t left = f->start < f->end ? f->ready_ms - now_ms() : 0;

    return left > 0 ? left : 0;
}

static void watch(struct pollfd *fd, const pair *p, const flow *f, int *timeout_ms)
{
    bool waiting = f->start < f->end;

    *fd = (struct pollfd){ .fd = -1 };
    if (!p->used || mute(p, f)) {
        return;
    }
    int64_t left = pause_left_ms(f);
    if (left > 0) {
        *timeout_ms = *timeout_ms < 0 || left < *timeout_ms ? (int)left : *timeout_ms;
        return;
    }
    fd->fd = waiting ? f->to : f->from;
    fd->events = waiting ? POLLOUT : POLLIN;
}

static void serve(pair *p, flow *f, short events)
{
    if (!p->used || events == 0 || mute(p, f)) {
        return;
    }
    if (f->start == f->end && !fill(p, f)) {
        return;
    }
    if (f->start < f->end && pause_left_ms(f) == 0) {
        (void)forward(p, f);
    }
}

static bool read_fault(const char *name, const char *n)
{
    for (size_t i = 0; i < sizeof fault_names / sizeof fault_names[0]; i++) {
        if (strcmp(name, fault_names[i]) == 0) {
            proxy.kind = (fault)i;
            proxy.n = strtoul(n, NULL, 10);
            return proxy.n != 0;
        }
    }
    return false;
}

/* Reads a line with a new fault. Returns false at the end of standard input, or if the line is
 * not valid. */
static bool change_fault(void)
{
    char line[64];
    char name[16];
    char n[16];
    size_t len = 0;

    while (len < sizeof line - 1 && read(STDIN_FILENO, line + len, 1) == 1 && line[len] != '\n') {
        len++;
    }
    line[len] = '\0';
    if (sscanf(line, "%15s %15s", name, n) != 2 || !read_fault(name, n)) {
        return false;
    }
    proxy.accepted = 0;
    for (pair *p = proxy.pairs; p < proxy.pairs + PAIRS_MAX; p++) {
        p->number = 1;
        p->passed = 0;
        p->limit = limit_of(1);
    }
    return true;
}

static void run(int listener)
{
    static struct pollfd fds[2 + 2 * PAIRS_MAX];

    for (;;) {
        int timeout_ms = -1;
        fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            watch(&fds[2 + 2 * i], &proxy.pairs[i], &proxy.pairs[i].up, &timeout_ms);
            watch(&fds[3 + 2 * i], &proxy.pairs[i], &proxy.pairs[i].down, &timeout_ms);
        }
        if (poll(fds, 2 + 2 * PAIRS_MAX, timeout_ms) < 0) {
            continue;
        }
        if (fds[0].revents != 0 && !change_fault()) {
            return;
        }
        if (fds[1].revents != 0) {
            accept_one(listener);
        }
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            serve(&proxy.pairs[i], &proxy.pairs[i].up, fds[2 + 2 * i].revents);
            serve(&proxy.pairs[i], &proxy.pairs[i].down, fds[3 + 2 * i].revents);
        }
    }
}

static bool read_arguments(int argc, char **argv)
{
    if (argc != 5) {
        return false;
    }
    proxy.target = (uint16_t)strtoul(argv[1], NULL, 10);
    proxy.random = (uint32_t)strtoul(argv[4], NULL, 10) * 2654435761u | 1u;
    return read_fault(argv[2], argv[3]) && proxy.target != 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;

    if (!read_arguments(argc, argv)) {
        fprintf(stderr, "usage: fault_proxy TARGET_PORT FAULT N SEED\n");
        return 2;
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) != 0 ||
        listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        die("fault_proxy");
    }
    printf("%d\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    run(listener);
    return 0;
}
