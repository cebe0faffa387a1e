#ifndef PLAT_POSIX_TCP_FLOW_H
#define PLAT_POSIX_TCP_FLOW_H

#include <stdbool.h>
#include <stdint.h>

/** What a connected socket holds at this moment. */
typedef struct plat_tcp_queues {
    uint64_t unread;         /* bytes that were received and not read */
    uint64_t unacknowledged; /* bytes that the peer's system has not acknowledged, sent or not */
    bool awaited;            /* that system leaves something unanswered */
} plat_tcp_queues;

/** On systems that cannot tell: nothing is held, and the peer counts as silent. */
plat_tcp_queues plat_tcp_queues_of(int fd);

#endif
