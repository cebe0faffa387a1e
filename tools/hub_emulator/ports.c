#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG    64
#define FREE_TRIES 20

/* SO_REUSEADDR: a port whose last connections are still in TIME_WAIT is free. */
static int listen_on(int family, const struct sockaddr *address, socklen_t len)
{
    const int one = 1;
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    }
    if (bind(fd, address, len) != 0 || listen(fd, BACKLOG) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int listen_v4(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    return listen_on(AF_INET, (const struct sockaddr *)&address, sizeof address);
}

static int listen_v6(uint16_t port)
{
    const struct sockaddr_in6 address = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(port),
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    return listen_on(AF_INET6, (const struct sockaddr *)&address, sizeof address);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in address = { 0 };
    socklen_t len = sizeof address;

    return getsockname(fd, (struct sockaddr *)&address, &len) == 0 ? ntohs(address.sin_port) : 0;
}

/* No IPv6 on this machine is fine; a port taken there is not. */
static bool open_both(hub_sockets *s, uint16_t port)
{
    *s = (hub_sockets){ .v4 = listen_v4(port), .v6 = -1 };
    if (s->v4 < 0) {
        return false;
    }
    s->port = port_of(s->v4);
    s->v6 = listen_v6(s->port);
    if (s->v6 < 0 && errno == EADDRINUSE) {
        hub_sockets_close(s);
        errno = EADDRINUSE;
        return false;
    }
    return true;
}

hub_result hub_sockets_open(hub_sockets *s, uint16_t port, const char *option, hub_fault *fault)
{
    for (int i = 0; i < FREE_TRIES; i++) {
        if (open_both(s, port)) {
            return HUB_OK;
        }
        if (port != 0) {
            break;
        }
    }
    if (errno == EADDRINUSE) {
        return hub_fail(fault, HUB_ERR_STATE, "port %u is in use; choose another with %s", port,
                        option);
    }
    return hub_fail(fault, HUB_ERR_STATE, "port %u: %s", port, strerror(errno));
}

void hub_sockets_close(hub_sockets *s)
{
    if (s->v4 >= 0) {
        (void)close(s->v4);
    }
    if (s->v6 >= 0) {
        (void)close(s->v6);
    }
    s->v4 = -1;
    s->v6 = -1;
}
