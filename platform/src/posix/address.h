#ifndef PLAT_POSIX_ADDRESS_H
#define PLAT_POSIX_ADDRESS_H

/**
 * @file
 * Addresses of hosts.
 */

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/** An IPv4 or IPv6 address and port, in 28 bytes instead of sockaddr_storage's 128. */
typedef union plat_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} plat_address;

/** Size of an address as text, with the NUL. */
#define PLAT_ADDRESS_TEXT INET6_ADDRSTRLEN

/** Returns the size of the address for connect(2). */
socklen_t plat_address_len(const plat_address *a);

/** Sets the port. */
void plat_address_set_port(plat_address *a, uint16_t port);

/** Writes the address without its port, NUL-terminated, and returns text. */
const char *plat_address_text(const plat_address *a, char text[PLAT_ADDRESS_TEXT]);

#endif
