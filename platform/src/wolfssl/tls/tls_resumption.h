#ifndef PLAT_WOLFSSL_TLS_RESUMPTION_H
#define PLAT_WOLFSSL_TLS_RESUMPTION_H

/**
 * @file
 * The sessions that one TLS stream takes from the cache (sessions.h) and adds to it.
 */

#include <stdbool.h>

#include "wolfssl/tls/sessions.h"

/** The state of one stream. Only tls_resumption.c writes its members. */
typedef struct plat_tls_resumption {
    bool offered : 1;    /* a session of an earlier connection was offered to the server */
    bool unproven : 1;   /* nothing was received since the session was resumed */
    bool new_ticket : 1; /* this connection has received a ticket that is not in the cache yet */
} plat_tls_resumption;

/**
 * Before a handshake: offers a session of an earlier connection, if the cache has one.
 * @param[out] trust  what that session is worth; untouched if there is none
 */
void plat_tls_resumption_begin(plat_tls_resumption *r, WOLFSSL *ssl, plat_sessions *cache,
                               const plat_session_key *key, plat_trust *trust);

/** Returns whether the server has accepted the session that was offered. */
bool plat_tls_resumption_succeeded(const plat_tls_resumption *r, WOLFSSL *ssl);

/**
 * Call it when the handshake has succeeded. Adds the session to the cache, if it can be used again.
 */
void plat_tls_resumption_open(plat_tls_resumption *r, WOLFSSL *ssl, plat_sessions *cache,
                              const plat_session_key *key, const plat_trust *trust);

/** Call it when `got` bytes were received. Adds the session of a new ticket to the cache. */
void plat_tls_resumption_received(plat_tls_resumption *r, WOLFSSL *ssl, size_t got,
                                  plat_sessions *cache, const plat_session_key *key,
                                  const plat_trust *trust);

/**
 * Call it when reading has failed: a ticket that arrived just before may belong to an incomplete
 * session.
 */
void plat_tls_resumption_distrust(plat_tls_resumption *r);

/**
 * Call it at the end of a connection. If the connection was resumed and ended before it received a
 * byte, all sessions of the host are dropped, so that the next attempt does not fail for the same
 * reason.
 */
void plat_tls_resumption_end(plat_tls_resumption *r, plat_sessions *cache,
                             const plat_session_key *key);

#endif
