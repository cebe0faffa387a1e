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

void plat_posix_wait(const plat_net *self, const plat_poll *p, int timeout_ms)
{
    (void)self;
    if (p->ready_now) {
        return;
    }
    struct pollfd pfd = {
        .fd = (int)p->fd, /* poll ignores -1 */
        .events = (short)((p->want_read ? POLLIN : 0) | (p->want_write ? POLLOUT : 0)),
    };
    (void)poll(&pfd, 1, p->wake_at_ms != 0 ? until(p->wake_at_ms, timeout_ms) : timeout_ms);
}
