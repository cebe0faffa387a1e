#ifndef HUB_FRONT_END_H
#define HUB_FRONT_END_H

/** @file A descriptor that the front watches with epoll, which reports this struct. */

#include <stdbool.h>
#include <stdint.h>

struct hub_front_client;

typedef struct hub_front_end {
    struct hub_front_client *client; /* NULL: a descriptor of the front itself */
    uint32_t events; /* the events that are registered with epoll; 0: not registered */
    int fd;          /* -1: none */
} hub_front_end;

void hub_front_end_init(hub_front_end *end, struct hub_front_client *client, int fd);
/** Changes what is watched: EPOLLIN and EPOLLOUT; 0: nothing, not even a hang-up. */
void hub_front_end_watch(hub_front_end *end, int epoll_fd, uint32_t events);

#endif
