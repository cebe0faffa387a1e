#ifndef PLAT_POSIX_TCP_RACE_H
#define PLAT_POSIX_TCP_RACE_H

/**
 * @file
 * Connects to one of the addresses of a host ("happy eyeballs", RFC 8305 section 5): each address
 * is tried as soon as the one before has failed or is 250 ms old, and the first connection wins. So
 * a dead IPv6 route costs a quarter of a second. Nobody sees the descriptors of the sockets before
 * one has won; until then the set stands for all of them.
 */

#include <stdbool.h>

#include "posix/resolver.h"

/** The host to connect to. */
typedef struct plat_tcp_target {
    uint16_t port;
    const char *bind; /* see plat_stream_config.bind */
} plat_tcp_target;

typedef enum plat_tcp_race_state {
    PLAT_TCP_RACE_RUNS,
    PLAT_TCP_RACE_WON, /* an address is connected */
    PLAT_TCP_RACE_LOST /* all addresses have failed */
} plat_tcp_race_state;

/** A race. Its sockets are kept in the look-up. */
typedef struct plat_tcp_race {
    uint64_t next_at_ms; /* when the next address is tried; 0: all were tried */
    int set;             /* epoll descriptor that can be read when a socket has an event */
    int error;           /* errno of the latest failure; see latest */
    uint8_t first;       /* index of the address that is tried first */
    uint8_t tried;       /* number of addresses that were tried */
    uint8_t pending;     /* number of sockets that are neither connected nor failed */
    /* Index of the address that has failed latest, or has won. An address that could not be tried
     * for its family or without a route counts only if no other has failed. */
    uint8_t latest;
} plat_tcp_race;

/**
 * Begins a race among the addresses of a look-up that is done, with the address `good` if it is one
 * of them.
 * @retval PLAT_ERR_MEMORY  no descriptor is left
 */
plat_result plat_tcp_race_begin(plat_tcp_race *r, const plat_lookup *l, const plat_address *good);
/** Continues. After PLAT_TCP_RACE_WON, plat_tcp_race_take must be called. */
plat_tcp_race_state plat_tcp_race_turn(plat_tcp_race *r, plat_lookup *l, const plat_tcp_target *t,
                                       uint64_t now_ms);
/** Returns the connected socket, and ends the race. */
int plat_tcp_race_take(plat_tcp_race *r, plat_lookup *l);
/** Closes the sockets. The caller closes the set, when nobody watches it any more. */
void plat_tcp_race_end(plat_tcp_race *r, plat_lookup *l);

#ifndef NDEBUG
bool plat_tcp_race_valid(const plat_tcp_race *r, plat_lookup *l);
#endif

#endif
