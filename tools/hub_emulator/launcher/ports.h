#ifndef HUB_PORTS_H
#define HUB_PORTS_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

/** The addresses to listen on; "" for none of that family. */
typedef struct hub_addresses {
    char v4[INET_ADDRSTRLEN];
    char v6[INET6_ADDRSTRLEN];
} hub_addresses;

/** Both loopback addresses. */
void hub_addresses_loopback(hub_addresses *a);
/** One address in numbers; :: stands for all of IPv4 and IPv6.  False when it is not one. */
bool hub_addresses_parse(hub_addresses *a, const char *text);
/** Do not listen on IPv6. */
void hub_addresses_drop_v6(hub_addresses *a);
/** True if only this machine can reach the addresses. */
bool hub_addresses_are_private(const hub_addresses *a);
/** True if a client on this machine reaches them as localhost. */
bool hub_addresses_have_localhost(const hub_addresses *a);
/** The one for a client to connect to; a loopback address for 0.0.0.0 and ::. */
const char *hub_addresses_one(const hub_addresses *a);

/** Listening sockets. */
typedef struct hub_sockets {
    int v4; /* -1: none */
    int v6; /* -1: none, or no IPv6 here */
    uint16_t port;
} hub_sockets;

/**
 * Listens on these addresses. Port 0 uses a port that is free for both families. IPv6 may be
 * unavailable if IPv4 is used, too. option names the option of the port in errors.
 */
hub_result hub_sockets_open(hub_sockets *s, const hub_addresses *a, uint16_t port,
                            const char *option, hub_fault *fault);
/** No sockets. */
void hub_sockets_init(hub_sockets *s);
void hub_sockets_close(hub_sockets *s);

#endif
