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
    plat_lookup *lookup; /* while RESOLVING and CONNECTING */
    union {
        plat_tcp_trying trying;
        plat_tcp_moved moved;
    } u;
    const char *host; /* borrowed until close */
    char *detail;     /* see failure_text.h */
    plat_address peer;
    int fd;              /* of the socket; -1: none */
    int retired;         /* a descriptor to be closed once who polls it knows; -1: none */
    uint32_t generation; /* counts the descriptors, those of look-ups as well */
    uint16_t low_water;  /* so many bytes to read wake a sleeper */
    uint16_t port;
    plat_tcp_state state : 8;
    plat_result failure : 8;
    bool unacknowledged : 1; /* bytes were received, and none sent since */
    bool timed_out : 1;      /* some address of this round was slow rather than refused */
    bool shown : 1;          /* poll has said fd last, */
    bool lookup_shown : 1;   /* or that of the look-up */
    bool told : 1;           /* poll was called since the descriptor was retired */
} plat_tcp_stream;

/** Makes a closed stream.  Returns &s->base. */
plat_stream *plat_tcp_init(plat_tcp_stream *s);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_tcp_stream_valid(const plat_tcp_stream *s);
#endif

#endif
