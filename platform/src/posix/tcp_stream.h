#ifndef PLAT_POSIX_TCP_STREAM_H
#define PLAT_POSIX_TCP_STREAM_H

#include "platform/stream.h"
#include "posix/resolver.h"

typedef enum plat_tcp_state {
    PLAT_TCP_CLOSED = 0,
    PLAT_TCP_RESOLVING,
    PLAT_TCP_CONNECTING,
    PLAT_TCP_OPEN,
    PLAT_TCP_FAILED /* until close; every call repeats the failure */
} plat_tcp_state;

typedef struct plat_tcp_stream {
    plat_stream base;
    plat_tcp_state state;
    plat_result failure;
    int fd;
    plat_lookup *lookup; /* while RESOLVING and CONNECTING */
    size_t next;         /* address to try after the current one */
    bool unacknowledged; /* bytes were received, and none sent since */
    bool timed_out;      /* some address of this round was slow rather than refused */
    uint16_t low_water;  /* so many bytes to read wake a sleeper */
    uint32_t patience_ms;
    uint64_t give_up_ms; /* the current address; 0: never, it is the only one */
    plat_address peer;
    uint16_t port;
    const char *host; /* borrowed until close */
    char *detail;     /* see detail.h */
} plat_tcp_stream;

void plat_tcp_init(plat_tcp_stream *s);

#endif
