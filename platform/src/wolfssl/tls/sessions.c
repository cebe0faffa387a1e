#include "wolfssl/tls/sessions.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "wolfssl/crypto/secret.h"

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/memory.h>

/*
 * A session is kept serialised, because wolfSSL's own object takes 37 KB and must not be shared
 * between threads.  The memory comes from wolfSSL's allocator, like everything that grows with
 * connections.
 */
typedef struct plat_session {
    struct plat_session *newer;
    struct plat_session *older;
    plat_trust trust;
    int64_t expires_at_s; /* the limit that the server has set */
    uint64_t identity;
    uint16_t port;
    size_t host_len;
    size_t len;
    unsigned char data[]; /* the host, then the session */
} plat_session;

#ifndef NDEBUG
/* If the list is longer, the valid check looks only at the counters and the ends. */
enum { SESSIONS_CHECKED = 64 };

static bool is_list(const plat_sessions *p)
{
    const plat_session *newer = NULL;
    for (const plat_session *s = p->newest; s != NULL; newer = s, s = s->older) {
        if (s->newer != newer) {
            return false;
        }
    }
    return newer == p->oldest;
}

bool plat_sessions_valid(const plat_sessions *p)
{
    if (p->count > p->limit || p->limit < PLAT_SESSIONS_MIN) {
        return false;
    }
    if ((p->newest == NULL) != (p->count == 0) || (p->oldest == NULL) != (p->count == 0)) {
        return false;
    }
    return p->count > SESSIONS_CHECKED || is_list(p);
}
#endif

void plat_sessions_init(plat_sessions *p)
{
    *p = (plat_sessions){ .limit = PLAT_SESSIONS_MIN };
    (void)pthread_mutex_init(&p->lock, NULL);
}

/* Erases and frees a session, because it contains a secret. */
static void discard(plat_session *s)
{
    plat_secret_free(s, sizeof *s + s->host_len + s->len);
}

/* This function and those below must be called with the lock held. */
static plat_session *take_out(plat_sessions *p, plat_session *s)
{
    *(s->newer != NULL ? &s->newer->older : &p->newest) = s->older;
    *(s->older != NULL ? &s->older->newer : &p->oldest) = s->newer;
    p->count--;
    return s;
}

static void trim(plat_sessions *p, size_t limit)
{
    while (p->count > limit) {
        discard(take_out(p, p->oldest));
    }
}

void plat_sessions_free(plat_sessions *p)
{
    trim(p, 0);
    (void)pthread_mutex_destroy(&p->lock);
}

void plat_sessions_set_streams(plat_sessions *p, size_t streams)
{
    size_t share = streams / PLAT_SESSION_STREAMS;
    (void)pthread_mutex_lock(&p->lock);
    assert(plat_sessions_valid(p));
    p->limit = share > PLAT_SESSIONS_MIN ? share : PLAT_SESSIONS_MIN;
    trim(p, p->limit);
    (void)pthread_mutex_unlock(&p->lock);
}

/* Returns when the session expires. wolfSSL counts both numbers in unsigned 32 bits, but returns
 * them as long, which may have 32 bits with a sign. */
static int64_t expiry_of(const WOLFSSL_SESSION *session)
{
    return (int64_t)(uint32_t)wolfSSL_SESSION_get_time(session) +
           (uint32_t)wolfSSL_SESSION_get_timeout(session);
}

static plat_session *serialise(const plat_session_key *key, WOLFSSL_SESSION *session,
                               const plat_trust *trust)
{
    int len = wolfSSL_i2d_SSL_SESSION(session, NULL);
    if (wolfSSL_SESSION_is_resumable(session) == 0 || len <= 0 || len > PLAT_SESSION_MAX_LEN) {
        return NULL;
    }
    size_t host_len = strlen(key->host);
    plat_session *s = wolfSSL_Malloc(sizeof *s + host_len + (size_t)len);
    if (s == NULL) {
        return NULL;
    }
    *s = (plat_session){
        .trust = *trust,
        .expires_at_s = expiry_of(session),
        .identity = key->identity,
        .port = key->port,
        .host_len = host_len,
        .len = (size_t)len,
    };
    memcpy(s->data, key->host, host_len);
    unsigned char *at = s->data + host_len;
    if (wolfSSL_i2d_SSL_SESSION(session, &at) != len) {
        discard(s);
        return NULL;
    }
    return s;
}

static WOLFSSL_SESSION *deserialise(const plat_session *s)
{
    const unsigned char *at = s->data + s->host_len;
    return wolfSSL_d2i_SSL_SESSION(NULL, &at, (long)s->len);
}

/* Returns whether the session has expired, by the same clock as for certificates. If that clock
 * was set back, the session counts as expired, too. */
static bool has_lapsed(const plat_session *s)
{
    const int64_t now = plat_trust_now_s();
    return now < s->trust.verified_at_s || now - s->trust.verified_at_s >= PLAT_SESSION_LIFE_S ||
           now >= s->expires_at_s || now > s->trust.valid_until_s;
}

static bool is_for(const plat_session *s, const plat_session_key *key)
{
    return s->port == key->port && s->identity == key->identity &&
           s->host_len == strlen(key->host) && memcmp(s->data, key->host, s->host_len) == 0;
}

static void add_newest(plat_sessions *p, plat_session *s)
{
    s->older = p->newest;
    *(s->older != NULL ? &s->older->newer : &p->oldest) = s;
    p->newest = s;
    p->count++;
}

void plat_sessions_put(plat_sessions *p, const plat_session_key *key, WOLFSSL_SESSION *session,
                       const plat_trust *trust)
{
    plat_session *s = serialise(key, session, trust);
    if (s == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    assert(plat_sessions_valid(p));
    add_newest(p, s);
    trim(p, p->limit);
    (void)pthread_mutex_unlock(&p->lock);
}

static plat_session *take(plat_sessions *p, const plat_session_key *key)
{
    plat_session *found = NULL;
    plat_session *older;
    (void)pthread_mutex_lock(&p->lock);
    assert(plat_sessions_valid(p));
    for (plat_session *s = p->newest; s != NULL && found == NULL; s = older) {
        older = s->older;
        if (has_lapsed(s)) {
            discard(take_out(p, s));
        } else if (is_for(s, key)) {
            found = take_out(p, s);
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    return found;
}

WOLFSSL_SESSION *plat_sessions_take(plat_sessions *p, const plat_session_key *key,
                                    plat_trust *trust)
{
    plat_session *s = take(p, key);
    if (s == NULL) {
        return NULL;
    }
    *trust = s->trust;
    WOLFSSL_SESSION *session = deserialise(s);
    discard(s);
    return session;
}

void plat_sessions_forget(plat_sessions *p, const plat_session_key *key)
{
    plat_session *older;
    (void)pthread_mutex_lock(&p->lock);
    assert(plat_sessions_valid(p));
    for (plat_session *s = p->newest; s != NULL; s = older) {
        older = s->older;
        if (is_for(s, key)) {
            discard(take_out(p, s));
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
}
