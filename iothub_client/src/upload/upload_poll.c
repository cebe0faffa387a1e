#include "upload/upload_poll.h"

#include <limits.h>

void upload_poll_clear(iothub_upload_poll *p)
{
    for (int i = 0; i < IOTHUB_UPLOAD_POLL_FDS; i++) {
        p->fds[i] = (plat_poll){ .fd = -1 };
    }
    p->timeout_ms = -1;
}

void upload_wake_in(iothub_upload_poll *p, int ms)
{
    if (ms >= 0 && (p->timeout_ms < 0 || ms < p->timeout_ms)) {
        p->timeout_ms = ms;
    }
}

void upload_wake_at(iothub_upload_poll *p, uint64_t now, uint64_t due)
{
    const uint64_t left = due > now ? due - now : 0;

    upload_wake_in(p, left < INT_MAX ? (int)left : INT_MAX);
}

void upload_http_poll(plat_http *http, plat_poll *at, iothub_upload_poll *p)
{
    int wake_in_ms;

    http->ops->poll(http, at, &wake_in_ms);
    upload_wake_in(p, wake_in_ms);
}

/* Moves the used slots to the front. Returns their number. */
static size_t gather(iothub_upload_poll *p)
{
    size_t count = 0;

    for (int i = 0; i < IOTHUB_UPLOAD_POLL_FDS; i++) {
        if (p->fds[i].fd >= 0) {
            p->fds[count++] = p->fds[i];
        }
    }
    return count;
}

void upload_poll_sleep(iothub_upload_poll *p, const plat_net *net, uint32_t max_ms)
{
    enum { SHORT_MS = 20 }; /* if there are more descriptors than the platform waits for */
    const size_t count = gather(p);

    upload_wake_in(p, max_ms < INT_MAX ? (int)max_ms : INT_MAX);
    if (count > PLAT_WAIT_MAX) {
        upload_wake_in(p, SHORT_MS);
    }
    net->wait(net, p->fds, count < PLAT_WAIT_MAX ? count : PLAT_WAIT_MAX, p->timeout_ms);
}
