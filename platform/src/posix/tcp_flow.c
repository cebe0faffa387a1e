#include "posix/tcp_flow.h"

#ifdef __linux__
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static uint64_t bytes_in(int fd, unsigned long queue)
{
    int bytes = 0;
    return ioctl(fd, queue, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

/* Returns whether sent segments, or more than one probe of a closed window, are unacknowledged. */
static bool leaves_unanswered(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 || info.tcpi_unacked > 0 ||
           info.tcpi_probes > 1;
}

plat_tcp_queues plat_tcp_queues_of(int fd)
{
    return (plat_tcp_queues){
        .unread = bytes_in(fd, SIOCINQ),
        .unacknowledged = bytes_in(fd, SIOCOUTQ),
        .awaited = leaves_unanswered(fd),
    };
}

#else

plat_tcp_queues plat_tcp_queues_of(int fd)
{
    (void)fd;
    return (plat_tcp_queues){ .awaited = true };
}

#endif
