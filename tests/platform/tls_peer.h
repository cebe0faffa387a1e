#ifndef TEST_TLS_PEER_H
#define TEST_TLS_PEER_H

/** @file A TLS server at the other end of a scripted stream: no sockets, no threads, no time. */

#include "scripted_stream.h"
#include "test_pki.h"

#include <wolfssl/ssl.h>

typedef struct tls_peer_config {
    const pki_cert *chain[12]; /* the server's own first; none: anonymous */
    size_t chain_len;
    pki_key key;
    int min_version; /* WOLFSSL_TLSV1_2 ...; 0: what wolfSSL has */
    int max_version;
    const char *suites; /* NULL: wolfSSL's */
    int group;          /* of wolfSSL's numbers; 0: what wolfSSL has */
} tls_peer_config;

/**
 * Keys for session tickets of TLS 1.3, as servers of one name share them; the test decides what
 * they do.  The sessions of TLS 1.2 are known by their ids, which wolfSSL keeps for the process.
 */
typedef struct tls_tickets {
    bool decline;          /* what was issued before: do a full handshake; both versions */
    bool no_new;           /* issue none */
    bool without_exchange; /* resume without a new key exchange */
    size_t spoil_at;       /* that byte of what a ticket holds is changed; SIZE_MAX: none */
    int life_s;            /* sent to the client; 0: a day */
    unsigned offered;      /* each look at a ticket that came back */
} tls_tickets;

typedef struct tls_peer {
    WOLFSSL_CTX *ctx;
    WOLFSSL *ssl;
    scripted_stream *wire;
    bool done;         /* the handshake is complete */
    bool failed;       /* and nothing more comes */
    size_t budget;     /* bytes that it may still put on the wire; SIZE_MAX: all */
    size_t corrupt_at; /* that byte of what it sends is flipped; SIZE_MAX: none */
    size_t fed;        /* bytes put on the wire, and taken from it */
    size_t taken;
    uint8_t held[16384]; /* sent, but beyond the budget */
    size_t held_len;
    uint8_t got[65536]; /* application bytes */
    size_t got_len;
    char sni[64];
} tls_peer;

/** Whether this wolfSSL was built with a suite: later releases leave the weakest ones out. */
bool tls_peer_has_suite(const char *name);

/** tickets NULL: with keys of its own, so that it declines what another server issued. */
void tls_peer_start(tls_peer *p, scripted_stream *wire, const tls_peer_config *config,
                    tls_tickets *tickets);

/** Handle what has arrived. */
void tls_peer_step(tls_peer *p);

void tls_peer_send(tls_peer *p, const void *bytes, size_t len);
void tls_peer_close_notify(tls_peer *p);
void tls_peer_stop(tls_peer *p);

#endif
