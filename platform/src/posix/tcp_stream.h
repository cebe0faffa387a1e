#ifndef PLAT_POSIX_TCP_STREAM_H
#define PLAT_POSIX_TCP_STREAM_H

/**
 * @file
 * A stream over TCP: looks up the host, tries its addresses one after the other, sends and
 * receives.
 */

#include "platform/stream.h"
#include "posix/resolver.h"

/** What the stream is doing. */
typedef enum plat_tcp_state {
    PLAT_TCP_CLOSED = 0,
    PLAT_TCP_RESOLVING,
    PLAT_TCP_CONNECTING,
    PLAT_TCP_OPEN,
    PLAT_TCP_FAILED /* until close; every call repeats the failure */
} plat_tcp_state;

/** While RESOLVING and CONNECTING. */
typedef struct plat_tcp_trying {
    uint32_t next;     /* address to try after the current one */
    uint32_t share_ms; /* how long each address is tried in this round */
    uint64_t until_ms; /* when the next address is tried; 0: never, there is only one */
} plat_tcp_trying;

/** Once OPEN: numbers of bytes. */
typedef struct plat_tcp_moved {
    uint64_t received; /* read from the socket */
    uint64_t sent;     /* taken by the socket */
} plat_tcp_moved;

/** Written by tcp_stream.c only. */
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
    int retired;         /* a descriptor that is closed once its watcher knows; -1: none */
    uint32_t generation; /* number of descriptors so far, including those of look-ups */
    uint16_t low_water;  /* SO_RCVLOWAT: this many received bytes make fd readable */
    uint16_t port;
    plat_tcp_state state : 8;
    plat_result failure : 8;
    bool unacknowledged : 1; /* bytes were received, and none were sent since */
    bool timed_out : 1;      /* an address of this round was slow rather than refused */
    bool shown : 1;          /* the last call of poll has reported fd */
    bool lookup_shown : 1;   /* the last call of poll has reported the look-up's descriptor */
    bool withdrawn : 1;      /* poll was called since the descriptor was retired */
} plat_tcp_stream;

/** Makes a closed stream.  Returns &s->base. */
plat_stream *plat_tcp_init(plat_tcp_stream *s);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_tcp_stream_valid(const plat_tcp_stream *s);
#endif

#endif
