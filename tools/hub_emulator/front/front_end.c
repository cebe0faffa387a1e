#include "front/front_end.h"

#include <sys/epoll.h>

void hub_front_end_init(hub_front_end *end, struct hub_front_client *client, int fd)
{
    *end = (hub_front_end){ .client = client, .fd = fd };
}

void hub_front_end_watch(hub_front_end *end, int epoll_fd, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = end };
    int what = EPOLL_CTL_MOD;

    if (end->fd < 0 || end->events == events) {
        return;
    }
    if (end->events == 0) {
        what = EPOLL_CTL_ADD;
    } else if (events == 0) { /* otherwise a hang-up would be reported again and again */
        what = EPOLL_CTL_DEL;
    }
    if (epoll_ctl(epoll_fd, what, end->fd, &e) == 0) {
        end->events = events;
    }
}
