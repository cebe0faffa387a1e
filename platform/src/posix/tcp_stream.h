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

/* While RESOLVING and CONNECTING. */
typedef struct plat_tcp_trying {
    uint32_t next; /* address to try after the current one */
    uint32_t patience_ms;
    uint64_t until_ms; /* for the current address; 0: for ever, it is the only one */
} plat_tcp_trying;

/* Once OPEN: bytes. */
typedef struct plat_tcp_moved {
    uint64_t received; /* from the peer, */
    uint64_t sent;     /* and taken by the socket */
} plat_tcp_moved;

typedef struct plat_tcp_stream {
    plat_stream base;
    plat_tcp_state state;
    plat_result failure;
    int fd;
    uint16_t low_water;  /* so many bytes to read wake a sleeper */
    bool unacknowledged; /* bytes were received, and none sent since */
    bool timed_out;      /* some address of this round was slow rather than refused */
    plat_lookup *lookup; /* while RESOLVING and CONNECTING */
    union {
        plat_tcp_trying trying;
        plat_tcp_moved moved;
    } u;
    plat_address peer;
    uint16_t port;
    const char *host; /* borrowed until close */
    char *detail;     /* see detail.h */
} plat_tcp_stream;

void plat_tcp_init(plat_tcp_stream *s);

#endif
