#ifndef PLAT_POSIX_ADDRESS_H
#define PLAT_POSIX_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/** An IPv4 or IPv6 address and port, in 28 bytes instead of sockaddr_storage's 128. */
typedef union plat_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} plat_address;

#define PLAT_ADDRESS_TEXT INET6_ADDRSTRLEN

socklen_t plat_address_len(const plat_address *a);
void plat_address_set_port(plat_address *a, uint16_t port);
const char *plat_address_text(const plat_address *a, char text[PLAT_ADDRESS_TEXT]);

#endif
