#include "posix/tcp_race.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The Connection Attempt Delay that RFC 8305 section 5 recommends. */
enum { ATTEMPT_DELAY_MS = 250 };

/* A time that has passed; 0 would mean that no attempt follows. */
enum { AT_ONCE = 1 };

static size_t count_of(const plat_lookup *l)
{
    const char *why;

    return plat_lookup_count(l, &why);
}

/* --- what a socket is bound to -----------------------------------------------------------------
 */

/* Reads an address. Returns its family, or AF_UNSPEC if the text is none. */
static int read_address(const char *text, plat_address *out)
{
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->any.sa_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
        out->any.sa_family = AF_INET6;
    } else {
        return AF_UNSPEC;
    }
    return out->any.sa_family;
}

/* Linux would cut a long name, and take an empty one for no interface. */
static bool bind_to_interface(int fd, const char *name)
{
    const size_t len = strlen(name);

    if (len == 0 || len >= IF_NAMESIZE) {
        errno = ENODEV;
        return false;
    }
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)len) == 0;
}

/* Binds a socket of that family. Returns false with errno. */
static bool bind_socket(int fd, int family, const char *text)
{
    plat_address source;

    if (text == NULL) {
        return true;
    }
    const int source_family = read_address(text, &source);
    if (source_family == AF_UNSPEC) {
        return bind_to_interface(fd, text);
    }
    if (source_family != family) {
        errno = EAFNOSUPPORT;
        return false;
    }
    return bind(fd, &source.any, plat_address_len(&source)) == 0;
}

/* --- attempts ------------------------------------------------------------------------------------
 */

static bool same_host(const plat_address *a, const plat_address *b)
{
    if (a->any.sa_family != b->any.sa_family) {
        return false;
    }
    return a->any.sa_family == AF_INET
               ? a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr
               : memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

plat_result plat_tcp_race_begin(plat_tcp_race *r, const plat_lookup *l, const plat_address *good)
{
    const size_t count = count_of(l);

    *r = (plat_tcp_race){ .set = -1, .next_at_ms = AT_ONCE };
    for (size_t i = 0; i < count; i++) {
        if (same_host(plat_lookup_at(l, i), good)) {
            r->first = (uint8_t)i;
        }
    }
    r->set = epoll_create1(EPOLL_CLOEXEC);
    return r->set >= 0 ? PLAT_OK : PLAT_ERR_MEMORY;
}

/* Returns the index of the address that is tried next: the first one, then the others in order. */
static size_t next_index(const plat_tcp_race *r)
{
    if (r->tried == 0) {
        return r->first;
    }
    return r->tried <= r->first ? r->tried - 1u : r->tried;
}

/* An address that the system or the binding excludes hides no answer of another address. */
static bool excludes(int error)
{
    return error == EAFNOSUPPORT || error == ENETUNREACH;
}

static void note_result(plat_tcp_race *r, size_t index, int error)
{
    if (r->error != 0 && excludes(error)) {
        return;
    }
    r->error = error;
    r->latest = (uint8_t)index;
}

static void close_socket(plat_tcp_race *r, plat_lookup *l, size_t index)
{
    int *fd = plat_lookup_socket(l, index);

    (void)close(*fd); /* which also removes it from the set */
    *fd = -1;
    r->pending--;
}

static bool watch(const plat_tcp_race *r, int fd)
{
    struct epoll_event wanted = { .events = EPOLLOUT };

    return epoll_ctl(r->set, EPOLL_CTL_ADD, fd, &wanted) == 0;
}

/* Begins to connect. Returns false with errno. */
static bool start(const plat_tcp_race *r, int fd, const plat_address *address,
                  const plat_tcp_target *t)
{
    plat_address to = *address;
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    plat_address_set_port(&to, t->port);
    if (!bind_socket(fd, to.any.sa_family, t->bind) || !watch(r, fd)) {
        return false;
    }
    return connect(fd, &to.any, plat_address_len(&to)) == 0 || errno == EINPROGRESS ||
           errno == EINTR;
}

/* Returns whether the attempt is in progress. */
static bool try_next(plat_tcp_race *r, plat_lookup *l, const plat_tcp_target *t)
{
    const size_t index = next_index(r);
    const plat_address *address = plat_lookup_at(l, index);
    int *fd = plat_lookup_socket(l, index);

    r->tried++;
    *fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0) {
        note_result(r, index, errno);
        return false;
    }
    r->pending++;
    if (start(r, *fd, address, t)) {
        return true;
    }
    note_result(r, index, errno);
    close_socket(r, l, index);
    return false;
}

static int error_of(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

/* Looks at the sockets. Returns true if one is connected. */
static bool look(plat_tcp_race *r, plat_lookup *l)
{
    struct pollfd fds[PLAT_LOOKUP_ADDRESSES];
    const size_t count = count_of(l);

    for (size_t i = 0; i < count; i++) {
        fds[i] = (struct pollfd){ .fd = *plat_lookup_socket(l, i), .events = POLLOUT };
    }
    if (r->pending == 0 || poll(fds, count, 0) <= 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (fds[i].fd < 0 || fds[i].revents == 0) {
            continue;
        }
        const int error = error_of(fds[i].fd);
        note_result(r, i, error);
        if (error == 0) {
            return true;
        }
        close_socket(r, l, i);
        r->next_at_ms = AT_ONCE;
    }
    return false;
}

plat_tcp_race_state plat_tcp_race_turn(plat_tcp_race *r, plat_lookup *l, const plat_tcp_target *t,
                                       uint64_t now_ms)
{
    const size_t count = count_of(l);

    assert(plat_tcp_race_valid(r, l));
    while (!look(r, l)) {
        if (r->tried == count) {
            r->next_at_ms = 0;
            return r->pending > 0 ? PLAT_TCP_RACE_RUNS : PLAT_TCP_RACE_LOST;
        }
        if (r->pending > 0 && now_ms < r->next_at_ms) {
            return PLAT_TCP_RACE_RUNS;
        }
        r->next_at_ms = try_next(r, l, t) ? now_ms + ATTEMPT_DELAY_MS : AT_ONCE;
    }
    return PLAT_TCP_RACE_WON;
}

int plat_tcp_race_take(plat_tcp_race *r, plat_lookup *l)
{
    int *place = plat_lookup_socket(l, r->latest);
    const int fd = *place;

    (void)epoll_ctl(r->set, EPOLL_CTL_DEL, fd, NULL);
    *place = -1;
    r->pending--;
    plat_tcp_race_end(r, l);
    return fd;
}

void plat_tcp_race_end(plat_tcp_race *r, plat_lookup *l)
{
    const size_t count = count_of(l);

    for (size_t i = 0; i < count; i++) {
        if (*plat_lookup_socket(l, i) >= 0) {
            close_socket(r, l, i);
        }
    }
}

#ifndef NDEBUG
bool plat_tcp_race_valid(const plat_tcp_race *r, plat_lookup *l)
{
    const size_t count = count_of(l);
    unsigned pending = 0;

    for (size_t i = 0; i < count; i++) {
        pending += *plat_lookup_socket(l, i) >= 0 ? 1 : 0;
    }
    return pending == r->pending && r->tried <= count && r->first < count && r->set >= 0;
}
#endif
