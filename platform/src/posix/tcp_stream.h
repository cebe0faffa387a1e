#ifndef PLAT_POSIX_TCP_STREAM_H
#define PLAT_POSIX_TCP_STREAM_H

/**
 * @file
 * A stream over TCP: looks up the host, tries its addresses (tcp_race.h), sends and receives.
 */

#include "platform/stream.h"
#include "posix/tcp_race.h"

/** The states of the stream. */
typedef enum plat_tcp_state {
    PLAT_TCP_CLOSED = 0,
    PLAT_TCP_RESOLVING,
    PLAT_TCP_CONNECTING,
    PLAT_TCP_OPEN,
    PLAT_TCP_FAILED /* every call returns the failure again, until close */
} plat_tcp_state;

/** Members that are used in the state OPEN: numbers of bytes. */
typedef struct plat_tcp_moved {
    uint64_t received; /* bytes that were read from the socket */
    uint64_t sent;     /* bytes that the socket has accepted */
} plat_tcp_moved;

/** A TCP stream. Only tcp_stream.c writes its members. */
typedef struct plat_tcp_stream {
    plat_stream base;
    plat_lookup *lookup; /* the look-up, in the states RESOLVING and CONNECTING */
    union {
        plat_tcp_race race; /* in the state CONNECTING */
        plat_tcp_moved moved;
    } u;
    const char *host;  /* the caller's text, valid until close */
    char *detail;      /* text of the last failure; see failure_text.h */
    const char *bind;  /* see plat_stream_config.bind; the caller's text */
    plat_address peer; /* the address that was connected last, which the next race begins with */
    int fd; /* descriptor of the socket; in the state CONNECTING that of the race; -1: none */
    /* A descriptor that is closed when its watcher knows that it is no longer used; -1: none. */
    int retired;
    uint32_t generation; /* number of descriptors so far, including those of look-ups */
    uint16_t low_water;  /* SO_RCVLOWAT: this many received bytes make fd readable */
    uint16_t port;
    plat_tcp_state state : 8;
    plat_result failure : 8;
    bool unacknowledged : 1; /* bytes were received, and none were sent since */
    bool shown : 1;          /* the last call of poll has reported fd */
    bool lookup_shown : 1;   /* the last call of poll has reported the look-up's descriptor */
    bool withdrawn : 1;      /* poll was called since the descriptor was retired */
} plat_tcp_stream;

/** Makes a closed stream. bind is plat_stream_config.bind. Returns &s->base. */
plat_stream *plat_tcp_init(plat_tcp_stream *s, const char *bind);

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_tcp_stream_valid(const plat_tcp_stream *s);
#endif

#endif
