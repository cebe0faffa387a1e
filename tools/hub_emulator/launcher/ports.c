#include "launcher/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG    1024 /* many devices may connect at the same time */
#define FREE_TRIES 20

/* With SO_REUSEADDR, a port whose last connections are still in TIME_WAIT can be used. */
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

static int listen_v4(const char *text, uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

    (void)inet_pton(AF_INET, text, &address.sin_addr);
    return listen_on(AF_INET, (const struct sockaddr *)&address, sizeof address);
}

static int listen_v6(const char *text, uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    (void)inet_pton(AF_INET6, text, &address.sin6_addr);
    return listen_on(AF_INET6, (const struct sockaddr *)&address, sizeof address);
}

/* The port has the same offset in the addresses of both families. */
static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = { .v6 = { 0 } };
    socklen_t len = sizeof address;

    if (getsockname(fd, &address.any, &len) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

/* Returns false if a port is in use. IPv6 may be missing if there is IPv4. */
static bool open_both(hub_sockets *s, const hub_addresses *a, uint16_t port)
{
    *s = (hub_sockets){ .v4 = -1, .v6 = -1, .port = port };
    if (a->v4[0] != '\0') {
        s->v4 = listen_v4(a->v4, port);
        if (s->v4 < 0) {
            return false;
        }
        s->port = port_of(s->v4);
    }
    if (a->v6[0] == '\0') {
        return true;
    }
    s->v6 = listen_v6(a->v6, s->port);
    if (s->v6 < 0 && (s->v4 < 0 || errno == EADDRINUSE)) {
        int why = errno;
        hub_sockets_close(s);
        errno = why;
        return false;
    }
    s->port = s->v4 < 0 ? port_of(s->v6) : s->port;
    return true;
}

static hub_result refuse(const hub_addresses *a, uint16_t port, const char *option,
                         hub_fault *fault)
{
    if (errno == EADDRINUSE) {
        return hub_fail(fault, HUB_ERR_STATE, "port %u is in use; choose another with %s", port,
                        option);
    }
    if (errno == EACCES) {
        return hub_fail(fault, HUB_ERR_STATE,
                        "port %u: only root may listen there; choose another with %s", port,
                        option);
    }
    if (errno == EADDRNOTAVAIL) {
        return hub_fail(fault, HUB_ERR_STATE, "--listen: %s is not an address of this machine",
                        a->v4[0] != '\0' ? a->v4 : a->v6);
    }
    return hub_fail(fault, HUB_ERR_STATE, "port %u: %s", port, strerror(errno));
}

hub_result hub_sockets_open(hub_sockets *s, const hub_addresses *a, uint16_t port,
                            const char *option, hub_fault *fault)
{
    for (int i = 0; i < FREE_TRIES; i++) {
        if (open_both(s, a, port)) {
            return HUB_OK;
        }
        if (port != 0) {
            break;
        }
    }
    return refuse(a, port, option, fault);
}

void hub_sockets_init(hub_sockets *s)
{
    *s = (hub_sockets){ .v4 = -1, .v6 = -1 };
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

/* --- addresses --------------------------------------------------------- */

void hub_addresses_loopback(hub_addresses *a)
{
    *a = (hub_addresses){ .v4 = "127.0.0.1", .v6 = "::1" };
}

/* Writes the address in its standard spelling, for the certificate and the connection strings. */
bool hub_addresses_parse(hub_addresses *a, const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;

    *a = (hub_addresses){ 0 };
    if (inet_pton(AF_INET, text, &v4) == 1) {
        return inet_ntop(AF_INET, &v4, a->v4, sizeof a->v4) != NULL;
    }
    if (inet_pton(AF_INET6, text, &v6) != 1) {
        return false;
    }
    if (IN6_IS_ADDR_UNSPECIFIED(&v6)) {
        (void)strcpy(a->v4, "0.0.0.0");
    }
    return inet_ntop(AF_INET6, &v6, a->v6, sizeof a->v6) != NULL;
}

bool hub_addresses_are_private(const hub_addresses *a)
{
    return (a->v4[0] == '\0' || strncmp(a->v4, "127.", 4) == 0) &&
           (a->v6[0] == '\0' || strcmp(a->v6, "::1") == 0);
}

static bool is_any(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

bool hub_addresses_have_localhost(const hub_addresses *a)
{
    return is_any(a->v4) || is_any(a->v6) || strcmp(a->v4, "127.0.0.1") == 0 ||
           strcmp(a->v6, "::1") == 0;
}

const char *hub_addresses_one(const hub_addresses *a)
{
    if (a->v4[0] != '\0') {
        return is_any(a->v4) ? "127.0.0.1" : a->v4;
    }
    return a->v6;
}
