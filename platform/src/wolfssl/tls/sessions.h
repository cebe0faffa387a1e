#ifndef PLAT_WOLFSSL_SESSIONS_H
#define PLAT_WOLFSSL_SESSIONS_H

/**
 * @file
 * TLS sessions to resume, of all streams that share their roots.
 *
 * Resumption shows no certificate, so a session is worth what the full handshake at the
 * beginning of its line proved: it is used for that very host and port only, and no longer
 * than that proof lasts, however often it was resumed since.  Each is given out once: a
 * TLS 1.3 ticket ought not to be seen twice (RFC 8446 appendix C.4).
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wolfssl/x509/trust_time.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#define PLAT_SESSIONS_MIN    16              /* are kept in any case, */
#define PLAT_SESSION_STREAMS 2               /* and one for so many streams, if that is more */
#define PLAT_SESSION_LIFE_S  (24L * 60 * 60) /* from one full handshake to the next */
#define PLAT_SESSION_MAX_LEN (16 * 1024)     /* longer ones are not kept */

/** Whose session; a client's certificate will have to be part of it. */
typedef struct plat_session_key {
    const char *host;
    uint16_t port;
} plat_session_key;

typedef struct plat_sessions {
    pthread_mutex_t lock;
    struct plat_session *newest;
    struct plat_session *oldest;
    size_t count;
    size_t limit;
} plat_sessions;

void plat_sessions_init(plat_sessions *p);
void plat_sessions_free(plat_sessions *p);

/** How many streams there are now; when they get fewer, the oldest sessions may have to go. */
void plat_sessions_set_streams(plat_sessions *p, size_t streams);

/** Keep a copy; the oldest one makes room.  Without memory nothing happens. */
void plat_sessions_put(plat_sessions *p, const plat_session_key *key, WOLFSSL_SESSION *session,
                       const plat_trust *trust);

/** The newest session, to be freed by the caller, with its trust; NULL without one. */
WOLFSSL_SESSION *plat_sessions_take(plat_sessions *p, const plat_session_key *key,
                                    plat_trust *trust);

/** Drop all of this key: a full handshake comes next. */
void plat_sessions_forget(plat_sessions *p, const plat_session_key *key);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md.  Call it with
 * the lock held. */
bool plat_sessions_valid(const plat_sessions *p);
#endif

#endif
