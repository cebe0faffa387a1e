#ifndef HUB_SERVER_LINE_H
#define HUB_SERVER_LINE_H

/**
 * @file
 * The side of a client of the front that leads to a server of this machine: a Unix socket, and the
 * bytes that wait for it. They are few, because the client is not read while there are any.
 */

#include "base/text.h"

typedef struct hub_server_line {
    int fd;       /* -1: not connected */
    hub_text out; /* bytes for the server; the first `sent` of them were already sent */
    size_t sent;
    bool ends; /* the server must receive the end after them */
} hub_server_line;

void hub_server_line_init(hub_server_line *line);
/** Takes over a connected socket, and sends the bytes that wait. */
void hub_server_line_open(hub_server_line *line, int fd);
/** Closes the socket and drops the bytes. */
void hub_server_line_close(hub_server_line *line);

/** Adds bytes while the line is not connected. */
void hub_server_line_add(hub_server_line *line, const void *data, size_t len);
/** Sends bytes; only those that the server does not accept now are copied. */
void hub_server_line_send(hub_server_line *line, const void *data, size_t len);
/** Notifies the server, after everything was sent, that nothing more follows. */
void hub_server_line_end(hub_server_line *line);
/** Tries again to send what waits. */
void hub_server_line_flush(hub_server_line *line);
/** Returns the number of bytes that wait. */
size_t hub_server_line_pending(const hub_server_line *line);

#endif
