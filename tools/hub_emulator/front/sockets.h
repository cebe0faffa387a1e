#ifndef HUB_SOCKETS_H
#define HUB_SOCKETS_H

/** @file The two sockets of a client of the front. */

#include <stddef.h>

/** Writes the address and port of the peer, such as "127.0.0.1:40000" or "[::1]:40000". */
void hub_socket_peer(int fd, char *out, size_t cap);

/** Lets TCP send short packets without waiting for more. */
void hub_socket_send_at_once(int fd);

/**
 * Connects to a Unix socket without waiting. Returns the descriptor, or -1 if its queue is full,
 * nobody listens, or no descriptor is free.
 */
int hub_socket_connect(const char *path);

#endif
