#ifndef HUB_TLS_LINE_H
#define HUB_TLS_LINE_H

/**
 * @file The server's side of TLS 1.2 and 1.3 over a non-blocking socket, with GnuTLS. It asks for a
 * client certificate and does not demand one; whoever is served decides what a certificate is
 * worth.
 *
 * Bytes that the socket does not take yet are kept here, so that a write always succeeds; a user
 * that waits while hub_tls_line_pending is not 0 bounds them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "base/text.h"

struct gnutls_certificate_credentials_st;
struct gnutls_priority_st;
struct gnutls_session_int;

/** Bytes that are read from a socket at a time. */
#define HUB_TLS_CHUNK 16384

/** What all lines of a server share. One line uses the buffer at a time. */
typedef struct hub_tls_server {
    struct gnutls_certificate_credentials_st *credentials;
    struct gnutls_priority_st *priorities;
    uint8_t *ticket_key;
    unsigned ticket_key_len;
    uint8_t bytes[HUB_TLS_CHUNK]; /* received, from at to len still encrypted and unread */
    size_t at;
    size_t len;
    bool drained; /* the socket of the current line is not read again in this turn */
} hub_tls_server;

/** PEM files of the certificate and its key. */
hub_result hub_tls_server_open(hub_tls_server *s, const char *certificate_file,
                               const char *key_file, hub_fault *fault);
void hub_tls_server_close(hub_tls_server *s);

typedef struct hub_tls_line {
    hub_tls_server *server;
    int fd;
    struct gnutls_session_int *session;
    hub_text out; /* encrypted; the first `sent` bytes are gone */
    size_t sent;
    hub_text kept; /* received and unread, between two turns */
    bool broken;   /* the socket takes nothing any more */
} hub_tls_line;

/** Takes a connected socket, which hub_tls_line_close closes. False: no memory for a session. */
bool hub_tls_line_open(hub_tls_line *line, hub_tls_server *server, int fd);
/** Ends TLS without a word; the socket stays open. */
void hub_tls_line_drop_session(hub_tls_line *line);
void hub_tls_line_close(hub_tls_line *line);

/**
 * A turn: everything that is done with the line because its socket became ready stands between
 * begin and end. The socket is read once at most, so that no client keeps the others waiting.
 */
void hub_tls_line_begin(hub_tls_line *line);
/** Sends what was written. */
void hub_tls_line_end(hub_tls_line *line);

typedef enum hub_tls_state {
    HUB_TLS_AGAIN = 0, /* nothing more in this turn */
    HUB_TLS_DONE,
    HUB_TLS_ENDED, /* the peer has closed */
    HUB_TLS_FAILED /* *why, if given, says why, in words of GnuTLS */
} hub_tls_state;

hub_tls_state hub_tls_line_handshake(hub_tls_line *line, const char **why);
/** DONE: *len bytes were read into buffer. */
hub_tls_state hub_tls_line_read(hub_tls_line *line, void *buffer, size_t cap, size_t *len,
                                const char **why);
void hub_tls_line_write(hub_tls_line *line, const void *data, size_t len);
/** Tells the peer that nothing follows. */
void hub_tls_line_bye(hub_tls_line *line);
/** Tries again to send what is waiting. */
void hub_tls_line_flush(hub_tls_line *line);
/** Bytes that wait for the socket; 0 for a broken line. */
size_t hub_tls_line_pending(const hub_tls_line *line);

/**
 * After the handshake: appends the certificates of the client, its own first, as DER in base64,
 * separated by commas. False if they are more than max_count, or longer than max_len.
 */
bool hub_tls_line_peer_chain(const hub_tls_line *line, size_t max_count, size_t max_len,
                             hub_text *out);

#endif
