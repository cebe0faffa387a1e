#include "wolfssl/tls/tls_resumption.h"

#include <string.h>

/* Notes a new ticket. With TLS 1.2, tickets arrive in the handshake; with TLS 1.3, at any time
 * after it. */
static int note_ticket(WOLFSSL *ssl, const unsigned char *ticket, int len, void *user)
{
    (void)ssl;
    (void)ticket;
    (void)len;
    plat_tls_resumption *r = user;
    r->new_ticket = true;
    return 0;
}

void plat_tls_resumption_begin(plat_tls_resumption *r, WOLFSSL *ssl, plat_sessions *cache,
                               const plat_session_key *key, plat_trust *trust)
{
    *r = (plat_tls_resumption){ 0 };
    (void)wolfSSL_set_SessionTicket_cb(ssl, note_ticket, r);
    WOLFSSL_SESSION *session = plat_sessions_take(cache, key, trust);
    if (session != NULL) {
        r->offered = wolfSSL_set_session(ssl, session) == WOLFSSL_SUCCESS;
        r->unproven = r->offered;
        wolfSSL_SESSION_free(session); /* the connection has its own reference */
    }
}

bool plat_tls_resumption_succeeded(const plat_tls_resumption *r, WOLFSSL *ssl)
{
    return r->offered && wolfSSL_session_reused(ssl) != 0;
}

static void keep_session(plat_tls_resumption *r, WOLFSSL *ssl, plat_sessions *cache,
                         const plat_session_key *key, const plat_trust *trust)
{
    WOLFSSL_SESSION *session = wolfSSL_get1_session(ssl);
    if (session != NULL) {
        plat_sessions_put(cache, key, session, trust);
        wolfSSL_SESSION_free(session);
    }
    r->new_ticket = false;
}

void plat_tls_resumption_open(plat_tls_resumption *r, WOLFSSL *ssl, plat_sessions *cache,
                              const plat_session_key *key, const plat_trust *trust)
{
    r->unproven = plat_tls_resumption_succeeded(r, ssl);
    if (r->new_ticket || strcmp(wolfSSL_get_version(ssl), "TLSv1.2") == 0) {
        /* Kept, because a session of TLS 1.2 may be resumed again. */
        keep_session(r, ssl, cache, key, trust);
    }
}

void plat_tls_resumption_received(plat_tls_resumption *r, WOLFSSL *ssl, size_t got,
                                  plat_sessions *cache, const plat_session_key *key,
                                  const plat_trust *trust)
{
    if (r->new_ticket) {
        keep_session(r, ssl, cache, key, trust);
    }
    r->unproven = r->unproven && got == 0;
}

void plat_tls_resumption_distrust(plat_tls_resumption *r)
{
    r->new_ticket = false;
}

void plat_tls_resumption_end(plat_tls_resumption *r, plat_sessions *cache,
                             const plat_session_key *key)
{
    if (r->unproven) {
        plat_sessions_forget(cache, key);
        r->unproven = false;
    }
}
