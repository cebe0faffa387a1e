#ifndef HUB_PORTS_H
#define HUB_PORTS_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

/** The addresses to listen on; an empty text means none of that family. */
typedef struct hub_addresses {
    char v4[INET_ADDRSTRLEN];
    char v6[INET6_ADDRSTRLEN];
} hub_addresses;

/** Sets both loopback addresses. */
void hub_addresses_loopback(hub_addresses *a);
/**
 * Parses one numeric address; :: stands for all addresses of IPv4 and IPv6. Returns false if the
 * text is not an address.
 */
bool hub_addresses_parse(hub_addresses *a, const char *text);
/** Returns true if only this machine can reach the addresses. */
bool hub_addresses_are_private(const hub_addresses *a);
/** Returns true if a client on this machine reaches them as localhost. */
bool hub_addresses_have_localhost(const hub_addresses *a);
/** Returns the address for clients to connect to; for 0.0.0.0 and :: a loopback address. */
const char *hub_addresses_one(const hub_addresses *a);

/** Listening sockets. */
typedef struct hub_sockets {
    int v4; /* -1: none */
    int v6; /* -1: none, or no IPv6 here */
    uint16_t port;
} hub_sockets;

/**
 * Listens on these addresses. Port 0 selects a port that is free for both families. IPv6 may be
 * unavailable if IPv4 is used, too. `option` is the name of the command line option, for error
 * texts.
 */
hub_result hub_sockets_open(hub_sockets *s, const hub_addresses *a, uint16_t port,
                            const char *option, hub_fault *fault);
/** No sockets. */
void hub_sockets_init(hub_sockets *s);
void hub_sockets_close(hub_sockets *s);

#endif
