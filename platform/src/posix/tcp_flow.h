#ifndef PLAT_POSIX_TCP_FLOW_H
#define PLAT_POSIX_TCP_FLOW_H

/**
 * @file
 * What the system knows about the bytes of a TCP connection.
 */

#include <stdbool.h>
#include <stdint.h>

/** The bytes that a connected socket holds at this moment. */
typedef struct plat_tcp_queues {
    uint64_t unread;         /* received, but not read yet */
    uint64_t unacknowledged; /* not acknowledged by the peer's system, whether sent or not */
    bool awaited;            /* the peer's system owes an answer */
} plat_tcp_queues;

/** Asks the system.  If the system cannot tell, nothing is held and the peer counts as silent. */
plat_tcp_queues plat_tcp_queues_of(int fd);

#endif
