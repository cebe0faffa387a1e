#include "posix/wait.h"

#include <limits.h>
#include <poll.h>

#include "posix/clock.h"
#include "posix/resume_watch.h"

/* A sleep up to this length does not watch for suspensions, which saves system calls. If the
 * system is suspended meanwhile, the rest of the sleep follows after it has resumed. */
#define SHORT_MS 10000

static int until(uint64_t wake_at_ms, int timeout_ms)
{
    uint64_t now = plat_posix_clock.monotonic_ms(&plat_posix_clock);
    uint64_t left = wake_at_ms > now ? wake_at_ms - now : 0;
    int left_ms = left < INT_MAX ? (int)left : INT_MAX;
    return timeout_ms < 0 || left_ms < timeout_ms ? left_ms : timeout_ms;
}

/* Sleeps for so long that the system may be suspended meanwhile. */
static void sleep_long(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    const unsigned before = plat_resume_count();
    plat_resume_watch resumed;
    if (poll(fds, count, SHORT_MS) != 0 || !plat_resume_begin(before, &resumed)) {
        return;
    }
    fds[count] = (struct pollfd){ .fd = resumed.fd, .events = POLLIN };
    (void)poll(fds, count + 1, timeout_ms < 0 ? timeout_ms : timeout_ms - SHORT_MS);
    plat_resume_end(resumed, fds[count].revents != 0);
}

void plat_posix_wait(const plat_net *self, const plat_poll *polls, size_t count, int timeout_ms)
{
    struct pollfd fds[PLAT_WAIT_MAX + 1]; /* one more descriptor for sleep_long */
    const size_t most = count < PLAT_WAIT_MAX ? count : PLAT_WAIT_MAX;

    (void)self;
    for (size_t i = 0; i < most; i++) {
        const plat_poll *p = &polls[i];
        if (p->ready_now) {
            return;
        }
        if (p->wake_at_ms != 0) {
            timeout_ms = until(p->wake_at_ms, timeout_ms);
        }
        fds[i] = (struct pollfd){
            .fd = (int)p->fd, /* poll ignores the descriptor -1 */
            .events = (short)((p->want_read ? POLLIN : 0) | (p->want_write ? POLLOUT : 0)),
        };
    }
    if (timeout_ms < 0 || timeout_ms > SHORT_MS) {
        sleep_long(fds, most, timeout_ms);
    } else {
        (void)poll(fds, most, timeout_ms);
    }
}
