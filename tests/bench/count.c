/* A library to be loaded before the C library (LD_PRELOAD). It counts the allocations of a
 * program, and its system calls that move bytes, wait for them or configure their transfer,
 * whichever library makes them. Operations on locks are not counted. */

#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "count.h"

extern bench_counts bench_count_totals;
bench_counts bench_count_totals;

/* The names of glibc's own allocator, because memory is needed before other functions can be
 * looked up. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static void count(unsigned long *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
    count(&bench_count_totals.allocations);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count(&bench_count_totals.allocations);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    count(&bench_count_totals.allocations);
    return __libc_realloc(p, size);
}

/* Defines a function that counts its calls and then calls that of the C library. */
#define COUNTED(type, name, parameters, arguments)     \
    type name parameters                               \
    {                                                  \
        static type(*next) parameters;                 \
        count(&bench_count_totals.calls);              \
        if (next == NULL) {                            \
            *(void **)&next = dlsym(RTLD_NEXT, #name); \
        }                                              \
        return next arguments;                         \
    }

COUNTED(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len))
COUNTED(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len))
COUNTED(ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))
COUNTED(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
COUNTED(ssize_t, recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags))
COUNTED(ssize_t, send, (int fd, const void *buf, size_t len, int flags), (fd, buf, len, flags))
COUNTED(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
COUNTED(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
COUNTED(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
        (fd, level, name, value, len))
COUNTED(int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
COUNTED(int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *mask),
        (fds, n, t, mask))
COUNTED(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t), (n, r, w, e, t))
COUNTED(int, pselect,
        (int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *t, const sigset_t *mask),
        (n, r, w, e, t, mask))
COUNTED(int, epoll_wait, (int fd, struct epoll_event *events, int n, int ms), (fd, events, n, ms))
COUNTED(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event),
        (epoll, what, fd, event))
