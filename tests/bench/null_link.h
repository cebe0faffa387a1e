#ifndef NULL_LINK_H
#define NULL_LINK_H

/** @file A connection of the null broker: a socket, plain or with TLS by GnuTLS. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>

typedef struct null_link {
    int fd;
    gnutls_session_t tls; /* NULL: plain */
    bool greeted;         /* the handshake is complete */
    uint8_t *ahead;       /* read from the socket, but not yet by GnuTLS */
    size_t ahead_at;
    size_t ahead_len;
} null_link;

/**
 * Load what TLS needs from server.crt and server.key in this folder, and with tickets, which allow
 * sessions to be resumed, from ticket.key; made when missing.  ciphers: those taken, in the words
 * of GnuTLS ("+AES-128-GCM"), with TLS 1.3 only; NULL: all, and the client's first choice counts.
 */
void null_tls_load(const char *folder, const char *ciphers, bool tickets);

void null_link_open(null_link *l, int fd, bool secure);
void null_link_close(null_link *l);

/** Return the number of bytes moved; 0: it would block; -1: the connection has ended. */
ssize_t null_link_read(null_link *l, uint8_t *buf, size_t cap);
ssize_t null_link_write(null_link *l, const uint8_t *buf, size_t len);

#endif
