#include "front/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void hub_socket_peer(int fd, char *out, size_t cap)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = { .v6 = { 0 } };
    socklen_t len = sizeof address;
    char text[INET6_ADDRSTRLEN] = "?";

    if (getpeername(fd, &address.any, &len) == 0 && address.any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
        (void)snprintf(out, cap, "%s:%u", text, (unsigned)ntohs(address.v4.sin_port));
    } else {
        (void)inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
        (void)snprintf(out, cap, "[%s]:%u", text, (unsigned)ntohs(address.v6.sin6_port));
    }
}

void hub_socket_send_at_once(int fd)
{
    const int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

int hub_socket_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}
