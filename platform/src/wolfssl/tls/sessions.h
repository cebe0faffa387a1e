#ifndef PLAT_WOLFSSL_SESSIONS_H
#define PLAT_WOLFSSL_SESSIONS_H

/**
 * @file
 * A cache of the TLS sessions of all streams that share their roots.
 *
 * A resumed connection shows no certificate, so a session is trusted only as far as the full
 * handshake from which it descends. It is used only for the host and port of that handshake, and
 * only as long as the certificates of that handshake are valid, however often it was resumed since.
 * Each session is given out once, because a TLS 1.3 ticket should not be used twice (RFC 8446
 * appendix C.4).
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wolfssl/x509/trust_time.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#define PLAT_SESSIONS_MIN 16 /* smallest limit of cached sessions */
/* Above that minimum, one cached session is allowed for this number of streams. */
#define PLAT_SESSION_STREAMS 2
#define PLAT_SESSION_LIFE_S  (24L * 60 * 60) /* longest time from one full handshake to the next */
#define PLAT_SESSION_MAX_LEN (16 * 1024)     /* a longer session is not kept */

/**
 * Identifies the peer of a session. A server binds a session to the client certificate of its full
 * handshake.
 */
typedef struct plat_session_key {
    const char *host;
    uint64_t identity; /* number of the client's identity; 0 if it had none */
    uint16_t port;
} plat_session_key;

/** The cache. Any thread may use it. Only sessions.c writes its members. */
typedef struct plat_sessions {
    pthread_mutex_t lock;
    struct plat_session *newest;
    struct plat_session *oldest;
    size_t count;
    size_t limit;
} plat_sessions;

void plat_sessions_init(plat_sessions *p);
void plat_sessions_free(plat_sessions *p);

/** Sets the number of streams that use the cache.  If it decreases, the oldest sessions may be
 * dropped. */
void plat_sessions_set_streams(plat_sessions *p, size_t streams);

/**
 * Adds a copy of a session. If the cache is full, the oldest session is dropped. If there is no
 * memory, nothing happens.
 */
void plat_sessions_put(plat_sessions *p, const plat_session_key *key, WOLFSSL_SESSION *session,
                       const plat_trust *trust);

/**
 * Removes the newest session with this key from the cache and returns it, with its trust. The
 * caller frees it. NULL: there is none.
 */
WOLFSSL_SESSION *plat_sessions_take(plat_sessions *p, const plat_session_key *key,
                                    plat_trust *trust);

/** Drops all sessions with this key, so that the next handshake is a full one. */
void plat_sessions_forget(plat_sessions *p, const plat_session_key *key);

#ifndef NDEBUG
/**
 * Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. Call it
 * with the lock held.
 */
bool plat_sessions_valid(const plat_sessions *p);
#endif

#endif
