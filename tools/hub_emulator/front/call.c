#include "front/call.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Memory for one descriptor, with the alignment that the kernel requires. */
typedef union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

static bool send_end(int calls_fd, int stream_fd, const char *chain, size_t len)
{
    char mark = '+'; /* because a message without bytes would look like the end of the connection */
    union {
        const char *in;
        char *out;
    } cast = { .in = chain }; /* sendmsg only reads it */
    struct iovec parts[] = { { .iov_base = &mark, .iov_len = 1 },
                             { .iov_base = cast.out, .iov_len = len } };
    control room = { .bytes = { 0 } };
    struct msghdr m = { .msg_iov = parts,
                        .msg_iovlen = 2,
                        .msg_control = room.bytes,
                        .msg_controllen = sizeof room.bytes };
    struct cmsghdr *head = CMSG_FIRSTHDR(&m);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof stream_fd);
    memcpy(CMSG_DATA(head), &stream_fd, sizeof stream_fd);
    return sendmsg(calls_fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)(1 + len);
}

int hub_call_connect(int calls_fd, const char *chain, size_t len)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        return -1;
    }
    const bool ok = send_end(calls_fd, pair[1], chain, len);
    (void)close(pair[1]);
    if (!ok) {
        (void)close(pair[0]);
        return -1;
    }
    return pair[0];
}

int hub_call_receive(int calls_fd, char chain[HUB_CALL_CHAIN_MAX], size_t *len)
{
    char mark = 0;
    struct iovec parts[] = { { .iov_base = &mark, .iov_len = 1 },
                             { .iov_base = chain, .iov_len = HUB_CALL_CHAIN_MAX } };
    control room = { .bytes = { 0 } };
    struct msghdr m = { .msg_iov = parts,
                        .msg_iovlen = 2,
                        .msg_control = room.bytes,
                        .msg_controllen = sizeof room.bytes };
    int fd = -1;

    ssize_t n = recvmsg(calls_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
        *len = (size_t)n - 1;
    }
    return fd;
}
