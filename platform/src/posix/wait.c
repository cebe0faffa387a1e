#include "posix/wait.h"

#include <limits.h>
#include <poll.h>

#include "posix/clock.h"

static int until(uint64_t wake_at_ms, int timeout_ms)
{
    uint64_t now = plat_posix_clock.monotonic_ms(&plat_posix_clock);
    uint64_t left = wake_at_ms > now ? wake_at_ms - now : 0;
    int left_ms = left < INT_MAX ? (int)left : INT_MAX;
    return timeout_ms < 0 || left_ms < timeout_ms ? left_ms : timeout_ms;
}

void plat_posix_wait(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    struct pollfd fds[PLAT_WAIT_MAX];

    (void)self;
    for (size_t i = 0; i < count && i < PLAT_WAIT_MAX; i++) {
        const plat_poll *p = &polls[i];
        if (p->ready_now) {
            return;
        }
        if (p->wake_at_ms != 0) {
            timeout_ms = until(p->wake_at_ms, timeout_ms);
        }
        fds[i] = (struct pollfd){
            .fd = (int)p->fd, /* poll ignores -1 */
            .events = (short)((p->want_read ? POLLIN : 0) | (p->want_write ? POLLOUT : 0)),
        };
    }
    (void)poll(fds, count < PLAT_WAIT_MAX ? count : PLAT_WAIT_MAX, timeout_ms);
}
