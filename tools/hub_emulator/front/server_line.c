#include "front/server_line.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void hub_server_line_init(hub_server_line *line)
{
    *line = (hub_server_line){ .fd = -1 };
}

size_t hub_server_line_pending(const hub_server_line *line)
{
    return line->out.len - line->sent;
}

static void forget_sent(hub_server_line *line)
{
    hub_text_free(&line->out);
    line->sent = 0;
}

void hub_server_line_open(hub_server_line *line, int fd)
{
    line->fd = fd;
    hub_server_line_flush(line);
}

void hub_server_line_close(hub_server_line *line)
{
    if (line->fd >= 0) {
        (void)close(line->fd);
    }
    line->fd = -1;
    forget_sent(line);
}

void hub_server_line_add(hub_server_line *line, const void *data, size_t len)
{
    hub_text_add(&line->out, data, len);
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR;
}

static void end_if_sent(const hub_server_line *line)
{
    if (line->ends && hub_server_line_pending(line) == 0) {
        (void)shutdown(line->fd, SHUT_WR);
    }
}

void hub_server_line_end(hub_server_line *line)
{
    line->ends = true;
    end_if_sent(line);
}

void hub_server_line_flush(hub_server_line *line)
{
    while (hub_server_line_pending(line) > 0) {
        ssize_t n = send(line->fd, line->out.p + line->sent, hub_server_line_pending(line),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && is_passing(errno)) {
            return;
        }
        if (n < 0) {
            break; /* the server has closed; the next turn reads its last bytes */
        }
        line->sent += (size_t)n;
    }
    forget_sent(line);
    end_if_sent(line);
}

void hub_server_line_send(hub_server_line *line, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    ssize_t n = 0;

    if (hub_server_line_pending(line) == 0) {
        n = send(line->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && !is_passing(errno)) {
            return;
        }
        n = n > 0 ? n : 0;
    }
    if ((size_t)n < len) {
        hub_text_add(&line->out, bytes + n, len - (size_t)n);
    }
}
