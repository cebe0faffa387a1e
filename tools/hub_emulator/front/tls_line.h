#ifndef HUB_TLS_LINE_H
#define HUB_TLS_LINE_H

/**
 * @file
 * The server's side of TLS 1.2 and 1.3 over a non-blocking socket, with GnuTLS. It asks for a
 * client certificate but does not demand one; its user decides whether to accept the certificate.
 *
 * Bytes that the socket does not accept yet are kept here, so a write always succeeds. To limit
 * their number, the user must wait while hub_tls_line_pending is not 0.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "base/text.h"

struct gnutls_certificate_credentials_st;
struct gnutls_priority_st;
struct gnutls_session_int;

/** Number of bytes that are read from a socket at a time. */
#define HUB_TLS_CHUNK 16384

/** What all lines of a server share. Only one line at a time uses the buffer. */
typedef struct hub_tls_server {
    struct gnutls_certificate_credentials_st *credentials;
    struct gnutls_priority_st *priorities;
    uint8_t *ticket_key;
    unsigned ticket_key_len;
    /* Received bytes; those from at to len are still encrypted and unread. */
    uint8_t bytes[HUB_TLS_CHUNK];
    size_t at;
    size_t len;
    bool drained; /* in this turn the socket of the current line is not read again */
} hub_tls_server;

/** Opens a server with the PEM files of its certificate and key. */
hub_result hub_tls_server_open(hub_tls_server *s, const char *certificate_file,
                               const char *key_file, hub_fault *fault);
void hub_tls_server_close(hub_tls_server *s);

typedef struct hub_tls_line {
    hub_tls_server *server;
    int fd;
    struct gnutls_session_int *session;
    hub_text out; /* encrypted bytes; the first `sent` of them were already sent */
    size_t sent;
    hub_text kept; /* bytes that were received but not read at the end of a turn */
    bool broken;   /* the socket accepts no bytes any more */
} hub_tls_line;

/**
 * Takes over a connected socket, which hub_tls_line_close closes. Returns false if there is no
 * memory for a session.
 */
bool hub_tls_line_open(hub_tls_line *line, hub_tls_server *server, int fd);
/** Ends TLS without sending anything; the socket stays open. */
void hub_tls_line_drop_session(hub_tls_line *line);
void hub_tls_line_close(hub_tls_line *line);

/**
 * Begins and ends a turn. Everything that is done with the line because its socket became ready
 * must be done between the two calls. The socket is read at most once in a turn, so that no client
 * delays the others.
 */
void hub_tls_line_begin(hub_tls_line *line);
/** Sends what was written. */
void hub_tls_line_end(hub_tls_line *line);

typedef enum hub_tls_state {
    HUB_TLS_AGAIN = 0, /* nothing more can be done in this turn */
    HUB_TLS_DONE,
    HUB_TLS_ENDED, /* the peer has closed */
    HUB_TLS_FAILED /* *why, if why is not NULL, is GnuTLS' text of the reason */
} hub_tls_state;

/**
 * Looks at the first byte of the peer. ENDED: the peer has closed, or the byte is not one of TLS.
 * In the latter case the peer receives no alert, because it would not understand it.
 */
hub_tls_state hub_tls_line_greet(hub_tls_line *line);
/** Call it after hub_tls_line_greet has returned DONE. */
hub_tls_state hub_tls_line_handshake(hub_tls_line *line, const char **why);
/** Reads bytes. After DONE, *len bytes are in buffer. */
hub_tls_state hub_tls_line_read(hub_tls_line *line, void *buffer, size_t cap, size_t *len,
                                const char **why);
void hub_tls_line_write(hub_tls_line *line, const void *data, size_t len);
/** Sends a fatal alert (RFC 8446, section 6). */
void hub_tls_line_alert(hub_tls_line *line, uint8_t alert);
/** Tells the peer that nothing more follows. */
void hub_tls_line_bye(hub_tls_line *line);
/** Tries again to send what is waiting. */
void hub_tls_line_flush(hub_tls_line *line);
/** Returns the number of bytes that wait for the socket; 0 for a broken line. */
size_t hub_tls_line_pending(const hub_tls_line *line);

/**
 * Appends the certificates of the client after the handshake, its own first, as DER in base64,
 * separated by commas. Returns false if there are more than max_count, or if they are longer than
 * max_len.
 */
bool hub_tls_line_peer_chain(const hub_tls_line *line, size_t max_count, size_t max_len,
                             hub_text *out);

#endif
