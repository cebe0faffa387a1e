#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop_cases.h"

enum { EVENTS = 8 };

static int epoll = -1;
static iothub_client *const *clients;
static loop_seen seen[LOOP_CLIENTS][IOTHUB_POLL_FDS];

static void control(int op, int fd, const plat_poll *now, uint32_t client)
{
    struct epoll_event e = { .data.u32 = client };

    if (now != NULL) {
        e.events =
            (now->want_read ? (uint32_t)EPOLLIN : 0U) | (now->want_write ? (uint32_t)EPOLLOUT : 0U);
    }
    loop_check_open(fd);
    if (epoll_ctl(epoll, op, fd, &e) != 0) {
        fail_msg("epoll_ctl %d of descriptor %d: error %d", op, fd, errno);
    }
}

static void look(loop_seen *before, const plat_poll *now, uint32_t client)
{
    switch (loop_compare(before, now)) {
    case LOOP_SAME: return;
    case LOOP_OTHER_WISHES: control(EPOLL_CTL_MOD, before->fd, now, client); break;
    case LOOP_OTHER_FILE:
        if (before->fd >= 0) {
            control(EPOLL_CTL_DEL, before->fd, NULL, client);
        }
        if (now->fd >= 0) {
            control(EPOLL_CTL_ADD, (int)now->fd, now, client);
        }
        break;
    }
    *before = (loop_seen){ (int)now->fd, now->generation, now->want_read, now->want_write };
}

/* Watches the descriptors of all clients. Returns the longest time to sleep. */
static int watch_all(void)
{
    int timeout_ms = -1;

    for (uint32_t i = 0; i < LOOP_CLIENTS && clients[i] != NULL; i++) {
        iothub_poll p;
        iothub_poll_info(clients[i], &p);
        for (size_t place = 0; place < IOTHUB_POLL_FDS; place++) {
            look(&seen[i][place], &p.fds[place], i);
        }
        if (timeout_ms < 0 || (p.timeout_ms >= 0 && p.timeout_ms < timeout_ms)) {
            timeout_ms = p.timeout_ms;
        }
    }
    return timeout_ms;
}

static void begin(iothub_client *const of[LOOP_CLIENTS])
{
    clients = of;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    assert_true(epoll >= 0);
    for (size_t i = 0; i < LOOP_CLIENTS; i++) {
        for (size_t place = 0; place < IOTHUB_POLL_FDS; place++) {
            seen[i][place] = (loop_seen){ .fd = -1 };
        }
    }
}

static void run_until(bool (*is_over)(void))
{
    struct epoll_event events[EVENTS];

    while (!is_over()) {
        int timeout_ms = watch_all();
        int n = epoll_wait(epoll, events, EVENTS, timeout_ms);
        loop_wakeups++;
        loop_stalls += n == 0 && timeout_ms >= LONG_MS;
        for (size_t i = 0; i < LOOP_CLIENTS && clients[i] != NULL; i++) {
            assert_int_equal(iothub_process(clients[i]), IOTHUB_OK);
        }
    }
}

static void end(void)
{
    (void)watch_all();
    close(epoll);
}

int main(void)
{
    return loop_cases(&(loop_kind){ begin, run_until, end });
}
