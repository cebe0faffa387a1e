#ifndef NULL_LINK_H
#define NULL_LINK_H

/**
 * @file
 * A connection of the null broker: a TCP socket, optionally with TLS by GnuTLS and WebSocket.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>

#include "null_websocket.h"

typedef struct null_link {
    int fd;
    gnutls_session_t tls; /* NULL: plain */
    bool greeted;         /* the TLS handshake is complete */
    uint8_t *ahead;       /* bytes that were read from the socket, but not yet by GnuTLS */
    size_t ahead_at;
    size_t ahead_len;
    null_websocket *websocket; /* NULL: none */
} null_link;

/** If true, every connection is a WebSocket. */
extern bool null_websockets;

/** If true, clients are asked for a certificate. Any certificate is accepted, and also none. */
extern bool null_tls_asks;

/**
 * Loads server.crt and server.key from the folder. With `tickets` sessions can be resumed; their
 * key is read from ticket.key, which is made if it is missing. `ciphers` names what TLS 1.3 may
 * use, in the words of GnuTLS (such as "+AES-128-GCM"); NULL: all TLS versions and ciphers, in the
 * client's order of preference.
 */
void null_tls_load(const char *folder, const char *ciphers, bool tickets);

void null_link_open(null_link *l, int fd, bool secure);
void null_link_close(null_link *l);

/** Return the number of bytes; 0: the call would block; -1: the connection has ended. */
ssize_t null_link_read(null_link *l, uint8_t *buf, size_t cap);
ssize_t null_link_write(null_link *l, const uint8_t *buf, size_t len);

#endif
