#ifndef TEST_TLS_PEER_H
#define TEST_TLS_PEER_H

/**
 * @file
 * A TLS server at the other end of a scripted stream. It needs no sockets, no threads and no clock.
 */

#include "scripted_stream.h"
#include "test_pki.h"

#include <wolfssl/ssl.h>

typedef struct tls_peer_config {
    /* The server's own certificate is the first; without any, the server is anonymous. */
    const pki_cert *chain[12];
    size_t chain_len;
    pki_key key;
    int min_version; /* a constant such as WOLFSSL_TLSV1_2; 0: wolfSSL's default */
    int max_version;
    const char *suites; /* NULL: wolfSSL's */
    int group;          /* number of a group in wolfSSL; 0: wolfSSL's default */
    bool ask; /* ask for a client certificate and accept any; use gnutls_peer.h to check them */
} tls_peer_config;

/**
 * Keys of session tickets of TLS 1.3, which servers of the same name share; the test decides how
 * tickets are handled. Sessions of TLS 1.2 have ids, and wolfSSL keeps them in the process.
 */
typedef struct tls_tickets {
    bool decline; /* reject sessions of both TLS versions, so that a full handshake follows */
    bool no_new;  /* issue none */
    bool without_exchange; /* resume without a new key exchange */
    size_t spoil_at; /* index of the byte in the ticket's content that is changed; SIZE_MAX: none */
    int life_s;      /* lifetime that is sent to the client; 0: a day */
    unsigned offered; /* number of times that the server has opened a ticket */
} tls_tickets;

typedef struct tls_peer {
    WOLFSSL_CTX *ctx;
    WOLFSSL *ssl;
    scripted_stream *wire;
    bool done;         /* the handshake is complete */
    bool failed;       /* an error has ended the connection */
    size_t budget;     /* number of bytes that the server may still send; SIZE_MAX: no limit */
    size_t corrupt_at; /* index of the sent byte that is flipped; SIZE_MAX: none */
    size_t fed; /* number of bytes that it has put on the wire; `taken` counts those it has read */
    size_t taken;
    uint8_t held[16384]; /* bytes to send that exceed the budget */
    size_t held_len;
    uint8_t got[65536]; /* application bytes */
    size_t got_len;
    char sni[64];
} tls_peer;

/** Returns whether this wolfSSL was built with the suite; later releases omit the weakest ones. */
bool tls_peer_has_suite(const char *name);

/**
 * Starts a server. If tickets is NULL, it has keys of its own, so it cannot open tickets of other
 * servers.
 */
void tls_peer_start(tls_peer *p, scripted_stream *wire, const tls_peer_config *config,
                    tls_tickets *tickets);

/** Handles the bytes that have arrived. */
void tls_peer_step(tls_peer *p);

void tls_peer_send(tls_peer *p, const void *bytes, size_t len);
void tls_peer_close_notify(tls_peer *p);
void tls_peer_stop(tls_peer *p);

#endif
