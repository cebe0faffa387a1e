#ifndef PLAT_POSIX_TCP_FLOW_H
#define PLAT_POSIX_TCP_FLOW_H

/**
 * @file
 * Reports what the system knows about the bytes of a TCP connection.
 */

#include <stdbool.h>
#include <stdint.h>

/** Numbers of bytes that a connected socket holds at this moment. */
typedef struct plat_tcp_queues {
    uint64_t unread; /* received, but not read yet */
    /* Bytes that the peer's system has not acknowledged, whether they were sent or not. */
    uint64_t unacknowledged;
    bool awaited; /* the peer's system has not answered yet */
} plat_tcp_queues;

/** Asks the system. If the system cannot tell, both counts are 0 and awaited is true. */
plat_tcp_queues plat_tcp_queues_of(int fd);

#endif
