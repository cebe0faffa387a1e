#include "wolfssl/tls/tls_stream.h"

#include <string.h>

#include "failure/failure_text.h"
#include "wolfssl/crypto/curve_tables.h"
#include "wolfssl/tls/tls_context.h"
#include "wolfssl/tls/tls_explain.h"
#include "wolfssl/tls/zero_pages.h"
#include "wolfssl/x509/chain.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/openssl/evp.h>

#define HOST_MAX    255
#define PATH_SHOWN  76
#define RECORD_MAX  16384
#define READ_AHEAD  1024 /* some dozens of acknowledgements, each in a record of its own */
#define GROWTH_UNIT 8u   /* no growth */
#define GROWTH_MAX  (8 * GROWTH_UNIT)

static plat_tls_stream *self_of(plat_stream *s)
{
    return (plat_tls_stream *)s;
}

static const plat_tls_stream *const_self_of(const plat_stream *s)
{
    return (const plat_tls_stream *)s;
}

static plat_result fail(plat_tls_stream *s, plat_result r, const char *why)
{
    if (s->state != PLAT_TLS_FAILED) {
        s->failed_in = s->state == PLAT_TLS_OPEN ? PLAT_STAGE_OPEN : PLAT_STAGE_TLS;
        plat_failure_text_set(&s->detail, "%.100s: %s", s->host, why);
    }
    s->state = PLAT_TLS_FAILED;
    s->failure = r;
    return r;
}

/* The stream below explains its failure better than we could. */
static plat_result fail_below(plat_tls_stream *s, plat_result r)
{
    s->below_failed = true;
    s->failed_in = s->state == PLAT_TLS_OPEN ? PLAT_STAGE_OPEN : PLAT_STAGE_TLS;
    s->state = PLAT_TLS_FAILED;
    s->failure = r;
    return r;
}

/* --- what wolfSSL calls --- */

static int io_result(plat_tls_stream *s, plat_result r, size_t n, int again)
{
    if (s->lower_result == PLAT_OK || s->lower_result == PLAT_WOULD_BLOCK) {
        s->lower_result = r; /* the first failure counts, not that of the farewell after it */
    }
    switch ((int)r) {
    case PLAT_OK: return (int)n;
    case PLAT_WOULD_BLOCK: return again;
    case PLAT_EOF: return WOLFSSL_CBIO_ERR_CONN_CLOSE;
    default: return WOLFSSL_CBIO_ERR_GENERAL;
    }
}

static bool has_bytes_ahead(const plat_tls_stream *s)
{
    return s->ahead_at < s->ahead_end;
}

/*
 * While wolfSSL works, what is read ahead stands on the stack, in room: most connections are
 * idle, and need no memory for it.
 */
static void lend_ahead(plat_tls_stream *s, uint8_t *room)
{
    s->ahead = s->ahead != NULL ? s->ahead : room;
}

/* What it left, for want of space or of the rest of a record, gets a place that stays. */
static plat_result keep_ahead(plat_tls_stream *s, const uint8_t *room, plat_result r)
{
    if (s->ahead != room) {
        return r;
    }
    s->ahead = has_bytes_ahead(s) ? wolfSSL_Malloc(READ_AHEAD) : NULL;
    if (s->ahead != NULL) {
        memcpy(s->ahead, room, s->ahead_end);
    } else if (has_bytes_ahead(s)) {
        s->ahead_end = s->ahead_at;
        return fail(s, PLAT_ERR_MEMORY, "no memory left");
    }
    return r;
}

static void drop_ahead(plat_tls_stream *s)
{
    wolfSSL_Free(s->ahead); /* takes NULL */
    s->ahead = NULL;
    s->ahead_at = s->ahead_end = 0;
}

/* wolfSSL asks for the five bytes of a record's header, then for its body. */
static plat_result read_ahead(plat_tls_stream *s)
{
    size_t got = 0;
    plat_result r = s->lower->ops->recv(s->lower, s->ahead, READ_AHEAD, &got);
    s->ahead_at = 0;
    s->ahead_end = (uint16_t)got;
    s->lower_empty = got < READ_AHEAD;
    return r;
}

static size_t take_ahead(plat_tls_stream *s, char *buf, size_t cap)
{
    size_t held = (size_t)s->ahead_end - s->ahead_at;
    size_t n = held < cap ? held : cap;
    memcpy(buf, s->ahead + s->ahead_at, n);
    s->ahead_at = (uint16_t)(s->ahead_at + n);
    return n;
}

static int io_recv(WOLFSSL *ssl, char *buf, int cap, void *user)
{
    (void)ssl;
    plat_tls_stream *s = user;
    size_t got = 0;
    plat_result r = PLAT_OK;
    bool empty = !has_bytes_ahead(s);
    bool large = (size_t)cap >= READ_AHEAD; /* no detour */
    if (empty && (large || s->ahead == NULL)) {
        r = s->lower->ops->recv(s->lower, (uint8_t *)buf, (size_t)cap, &got);
        s->lower_empty = got < (size_t)cap;
    } else {
        r = empty ? read_ahead(s) : r;
        got = r == PLAT_OK ? take_ahead(s, buf, (size_t)cap) : 0;
    }
    s->taken += (uint32_t)got;
    return io_result(s, r, got, WOLFSSL_CBIO_ERR_WANT_READ);
}

static int io_send(WOLFSSL *ssl, char *buf, int len, void *user)
{
    (void)ssl;
    plat_tls_stream *s = user;
    size_t sent = 0;
    plat_result r = s->lower->ops->send(s->lower, (const uint8_t *)buf, (size_t)len, &sent);
    return io_result(s, r, sent, WOLFSSL_CBIO_ERR_WANT_WRITE);
}

/* The session keeps a copy of each certificate, which nobody is going to ask for. */
static void discard_chain(WOLFSSL_X509_STORE_CTX *store)
{
#ifdef SESSION_CERTS
    const int count = wolfSSL_get_chain_count(store->sesChain);
    for (int i = 0; i < count; i++) {
        memset(wolfSSL_get_chain_cert(store->sesChain, i), 0,
               (size_t)wolfSSL_get_chain_length(store->sesChain, i));
    }
#endif
    store->discardSessionCerts = 1;
}

/*
 * The connection keeps a copy of the server's own certificate, too, with its key and its names
 * taken apart: 16 KB and more.  The handshake uses another copy of the key.
 */
static void discard_own_certificate(WOLFSSL_X509_STORE_CTX *store)
{
#if defined(OPENSSL_ALL) && defined(WOLFSSL_CERT_GEN)
    WOLFSSL_X509 *copy = store->current_cert;
    WOLFSSL_X509_PUBKEY *key = wolfSSL_X509_get_X509_PUBKEY(copy);
    WOLFSSL_X509_NAME *empty = wolfSSL_X509_NAME_new();
    if (key != NULL) {
        wolfSSL_EVP_PKEY_free(key->pkey); /* takes NULL */
        key->pkey = NULL;
    }
    (void)wolfSSL_X509_set_subject_name(copy, empty); /* refuse NULL */
    (void)wolfSSL_X509_set_issuer_name(copy, empty);
    wolfSSL_X509_NAME_free(empty);
#else
    (void)store;
#endif
}

/*
 * Called for each certificate, the server's own last, whatever wolfSSL thinks of it; nothing but
 * the answer for that last one counts.
 */
static int judge(int preverified, WOLFSSL_X509_STORE_CTX *store)
{
    (void)preverified;
    plat_tls_stream *s = store->userCtx;
    if (store->error_depth > 0) {
        return 1;
    }
    plat_host host;
    plat_chain_verdict verdict = { .why = "the host name is malformed" };
    s->full_chain = store->totalCerts >= wolfSSL_get_verify_depth(s->ssl);
    s->verdict = PLAT_ERR_ARG;
    if (plat_host_parse(&host, s->host) && store->totalCerts > 0) {
        const plat_chain chain = { .certs = store->certs,
                                   .count = (size_t)store->totalCerts,
                                   .now_s = plat_trust_now_s() };
        s->verdict = plat_chain_verify(&chain, &s->context->roots, &host, &verdict);
    }
    if (s->verdict != PLAT_OK) {
        bool cut = s->full_chain && s->verdict == PLAT_ERR_CERT_UNTRUSTED;
        (void)fail(s, s->verdict, cut ? plat_tls_too_many_certificates : verdict.why);
        return 0;
    }
    s->trust = verdict.trust;
    discard_chain(store);
    discard_own_certificate(store);
    return 1;
}

/* TLS 1.2 brings tickets in the handshake, TLS 1.3 at any time after it. */
static int note_ticket(WOLFSSL *ssl, const unsigned char *ticket, int len, void *user)
{
    (void)ssl;
    (void)ticket;
    (void)len;
    plat_tls_stream *s = user;
    s->new_ticket = true;
    return 0;
}

/* --- sessions --- */

static plat_session_key session_key(const plat_tls_stream *s)
{
    return (plat_session_key){ .host = s->host, .port = s->port };
}

static void offer_session(plat_tls_stream *s)
{
    const plat_session_key key = session_key(s);
    WOLFSSL_SESSION *session = plat_sessions_take(&s->context->sessions, &key, &s->trust);
    if (session != NULL) {
        s->offered = wolfSSL_set_session(s->ssl, session) == WOLFSSL_SUCCESS;
        s->unproven = s->offered;
        wolfSSL_SESSION_free(session); /* the connection has its own reference */
    }
}

static void keep_session(plat_tls_stream *s)
{
    const plat_session_key key = session_key(s);
    WOLFSSL_SESSION *session = wolfSSL_get1_session(s->ssl);
    if (session != NULL) {
        plat_sessions_put(&s->context->sessions, &key, session, &s->trust);
        wolfSSL_SESSION_free(session);
    }
    s->new_ticket = false;
}

/* Whatever it was that went wrong, the next attempt must not meet it again. */
static void forget_unproven_session(plat_tls_stream *s)
{
    if (s->unproven) {
        const plat_session_key key = session_key(s);
        plat_sessions_forget(&s->context->sessions, &key);
        s->unproven = false;
    }
}

static bool is_resumed(const plat_tls_stream *s)
{
    return s->offered && wolfSSL_session_reused(s->ssl) != 0;
}

/* --- opening --- */

static plat_result tls_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    plat_tls_stream *s = self_of(base);
    plat_host parsed;
    if (s->state != PLAT_TLS_CLOSED) {
        return PLAT_ERR_STATE;
    }
    if (strlen(host) > HOST_MAX || !plat_host_parse(&parsed, host)) {
        return PLAT_ERR_ARG;
    }
    s->host = host;
    s->port = port;
    s->below_failed = false;
    s->state = PLAT_TLS_LOWER;
    plat_result r = s->lower->ops->open(s->lower, host, port, now_ms);
    if (r != PLAT_OK) {
        (void)fail_below(s, r);
        s->failed_in = PLAT_STAGE_RESOLVE;
    }
    return r;
}

static bool set_server_name(WOLFSSL *ssl, const char *text)
{
    plat_host host;
    if (!plat_host_parse(&host, text)) {
        return false;
    }
    if (host.ip_len != 0) { /* RFC 6066 section 3: no addresses */
        return true;
    }
    return wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, host.name, (word16)strlen(host.name)) ==
           WOLFSSL_SUCCESS;
}

static plat_result begin_handshake(plat_tls_stream *s)
{
    s->state = PLAT_TLS_HANDSHAKE;
    s->verdict = PLAT_WOULD_BLOCK;
    s->lower_result = PLAT_OK;
    s->wants_write = false;
    s->retry_len = 0;
    s->offered = false;
    s->new_ticket = false;
    s->full_chain = false;
    s->ssl = wolfSSL_new(s->context->ctx);
    if (s->ssl == NULL || !set_server_name(s->ssl, s->host)) {
        return fail(s, PLAT_ERR_MEMORY, "no memory or descriptor left"); /* it reads /dev/urandom */
    }
    wolfSSL_SSLSetIORecv(s->ssl, io_recv);
    wolfSSL_SSLSetIOSend(s->ssl, io_send);
    wolfSSL_SetIOReadCtx(s->ssl, s);
    wolfSSL_SetIOWriteCtx(s->ssl, s);
    wolfSSL_set_verify(s->ssl, WOLFSSL_VERIFY_PEER, judge);
    wolfSSL_SetCertCbCtx(s->ssl, s);
    (void)wolfSSL_set_SessionTicket_cb(s->ssl, note_ticket, s);
    offer_session(s);
    plat_curve_tables_handshake_begins();
    return PLAT_OK;
}

/* An abbreviated handshake of TLS 1.2 has no key exchange; that of its first one was checked. */
static bool has_safe_group(const plat_tls_stream *s, bool is_tls13)
{
    return (is_resumed(s) && !is_tls13) || plat_tls_group_is_safe(wolfSSL_get_curve_name(s->ssl));
}

/* A server can choose only what was offered, says the RFC; wolfSSL does not check all of it. */
static plat_result check_agreement(plat_tls_stream *s)
{
    const char *version = wolfSSL_get_version(s->ssl);
    bool is_tls13 = strcmp(version, "TLSv1.3") == 0;
    if (!is_tls13 && strcmp(version, "TLSv1.2") != 0) {
        return fail(s, PLAT_ERR_TLS, "the server insists on an old version of TLS");
    }
    if (!plat_tls_suite_is_safe(wolfSSL_get_cipher_name(s->ssl))) {
        return fail(s, PLAT_ERR_TLS, "the server insists on an unsafe cipher suite");
    }
    if (!has_safe_group(s, is_tls13)) {
        return fail(s, PLAT_ERR_TLS, "the server insists on an unsafe key exchange");
    }
    if (is_resumed(s) ? s->verdict != PLAT_WOULD_BLOCK : s->verdict != PLAT_OK) {
        return fail(s, PLAT_ERR_CERT, "the server presents no certificate, or one out of turn");
    }
    return PLAT_OK;
}

/* What was read last is still there; wolfSSL fails on the first five bytes. */
static bool answers_in_http(const plat_tls_stream *s)
{
    return s->state == PLAT_TLS_HANDSHAKE && s->verdict == PLAT_WOULD_BLOCK && s->ahead != NULL &&
           plat_tls_is_http(s->ahead, s->ahead_end);
}

static plat_result ssl_failed(plat_tls_stream *s, int error)
{
    if (s->state == PLAT_TLS_FAILED) { /* judge said why */
        return s->failure;
    }
    if (s->lower_result == PLAT_EOF) {
        return fail(s, s->state == PLAT_TLS_OPEN ? PLAT_ERR_IO : PLAT_ERR_TLS,
                    plat_tls_explain_end(s->ssl));
    }
    if (s->lower_result != PLAT_OK && s->lower_result != PLAT_WOULD_BLOCK) {
        return fail_below(s, s->lower_result);
    }
    if (answers_in_http(s)) {
        return fail(s, PLAT_ERR_TLS, "an HTTP server without TLS answers on this port");
    }
    if (s->state == PLAT_TLS_HANDSHAKE && s->full_chain && error != FATAL_ERROR) {
        return fail(s, PLAT_ERR_TLS, plat_tls_too_many_certificates);
    }
    bool untried = s->verdict == PLAT_WOULD_BLOCK;
    return fail(s, untried && plat_tls_blames_certificate(error) ? PLAT_ERR_CERT : PLAT_ERR_TLS,
                plat_tls_explain(s->ssl, error));
}

/* WOULD_BLOCK or a failure, from what a call of wolfSSL left behind. */
static plat_result ssl_result(plat_tls_stream *s, int rc)
{
    int error = wolfSSL_get_error(s->ssl, rc);
    s->wants_write = error == WOLFSSL_ERROR_WANT_WRITE;
    if (error == WOLFSSL_ERROR_WANT_READ || s->wants_write) {
        return PLAT_WOULD_BLOCK;
    }
    if (error == WOLFSSL_ERROR_ZERO_RETURN) {
        return PLAT_EOF;
    }
    return ssl_failed(s, error);
}

/* The handshake alone needs 5.5 KB; the rest is room that most connections never fill. */
static void give_memory_back(WOLFSSL *ssl)
{
    WOLFSSL_SESSION *session = wolfSSL_get1_session(ssl);
    wolfSSL_FreeArrays(ssl);
    plat_zero_pages_give_back(session);
    plat_zero_pages_give_back(ssl);
    wolfSSL_SESSION_free(session); /* takes NULL */
}

static void become_open(plat_tls_stream *s)
{
    s->wants_write = false;
    s->unproven = is_resumed(s);
    s->state = PLAT_TLS_OPEN;
    if (s->new_ticket || strcmp(wolfSSL_get_version(s->ssl), "TLSv1.2") == 0) {
        keep_session(s); /* of TLS 1.2 also the one just resumed: it may be used again */
    }
    give_memory_back(s->ssl);
}

static plat_result handshake(plat_tls_stream *s)
{
    int rc = wolfSSL_connect(s->ssl);
    if (rc != WOLFSSL_SUCCESS) {
        plat_result r = ssl_result(s, rc);
        return r == PLAT_EOF ? fail(s, PLAT_ERR_TLS, "the peer refused the handshake") : r;
    }
    plat_result r = check_agreement(s);
    if (r == PLAT_OK) {
        become_open(s);
    }
    return r;
}

static plat_result open_lower(plat_tls_stream *s, uint64_t now_ms, plat_stage *stage)
{
    plat_result r = s->lower->ops->progress(s->lower, now_ms, stage);
    if (r == PLAT_OK) {
        return begin_handshake(s);
    }
    if (r != PLAT_WOULD_BLOCK) {
        (void)fail_below(s, r);
        s->failed_in = *stage;
    }
    return r;
}

static plat_result tls_progress(plat_stream *base, uint64_t now_ms, plat_stage *stage)
{
    plat_tls_stream *s = self_of(base);
    uint8_t room[READ_AHEAD];
    plat_result r = PLAT_OK;
    *stage = PLAT_STAGE_RESOLVE;
    if (s->state == PLAT_TLS_LOWER) {
        r = open_lower(s, now_ms, stage);
        if (r != PLAT_OK) {
            return r;
        }
    }
    switch (s->state) {
    case PLAT_TLS_HANDSHAKE:
        lend_ahead(s, room);
        r = keep_ahead(s, room, handshake(s));
        if (r != PLAT_WOULD_BLOCK) {
            plat_curve_tables_handshake_ends();
        }
        plat_curve_tables_tidy();
        *stage = r == PLAT_OK ? PLAT_STAGE_OPEN : PLAT_STAGE_TLS;
        return r;
    case PLAT_TLS_OPEN: *stage = PLAT_STAGE_OPEN; return PLAT_OK;
    case PLAT_TLS_FAILED: *stage = s->failed_in; return s->failure;
    case PLAT_TLS_CLOSED:
    case PLAT_TLS_LOWER: break;
    }
    return PLAT_ERR_STATE;
}

/* --- open --- */

static plat_result not_open(const plat_tls_stream *s)
{
    return s->state == PLAT_TLS_FAILED ? s->failure : PLAT_ERR_STATE;
}

static int at_most(size_t n, int limit)
{
    return n < (size_t)limit ? (int)n : limit;
}

/* Is there another record, or a part of one? */
static bool holds_bytes(const plat_tls_stream *s)
{
    return has_bytes_ahead(s) || !s->lower_empty;
}

/* One read gives one record; small ones are worth collecting. */
static plat_result read_records(plat_tls_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    while (*got < cap && (*got == 0 || holds_bytes(s))) {
        int n = wolfSSL_read(s->ssl, buf + *got, at_most(cap - *got, RECORD_MAX));
        if (n <= 0) {
            bool sound = wolfSSL_get_error(s->ssl, n) == WOLFSSL_ERROR_WANT_READ;
            s->new_ticket = s->new_ticket && sound; /* or it may be half a session */
            return *got > 0 ? PLAT_OK : ssl_result(s, n);
        }
        *got += (size_t)n;
    }
    return PLAT_OK;
}

static void note_growth(plat_tls_stream *s, size_t got)
{
    size_t left = (size_t)s->ahead_end - s->ahead_at;
    if (got > 0 && s->taken >= left) {
        size_t growth = (s->taken - left) * GROWTH_UNIT / got;
        s->growth = (uint8_t)(growth < GROWTH_MAX ? growth : GROWTH_MAX);
    }
}

static plat_result tls_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    plat_tls_stream *s = self_of(base);
    uint8_t room[READ_AHEAD];
    *got = 0;
    if (s->state != PLAT_TLS_OPEN) {
        return not_open(s);
    }
    s->taken = 0;
    lend_ahead(s, room);
    plat_result r = keep_ahead(s, room, read_records(s, buf, cap, got));
    if (s->new_ticket) {
        keep_session(s);
    }
    s->unproven = s->unproven && *got == 0;
    note_growth(s, *got);
    return r;
}

static plat_result tls_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    plat_tls_stream *s = self_of(base);
    *sent = 0;
    if (s->state != PLAT_TLS_OPEN) {
        return not_open(s);
    }
    if (len < s->retry_len) {
        return PLAT_ERR_ARG;
    }
    int want = s->retry_len != 0 ? s->retry_len : at_most(len, RECORD_MAX);
    int n = wolfSSL_write(s->ssl, buf, want);
    if (n <= 0) {
        plat_result r = ssl_result(s, n);
        s->retry_len = r == PLAT_WOULD_BLOCK ? (uint16_t)want : (uint16_t)0;
        return r == PLAT_EOF ? PLAT_ERR_IO : r;
    }
    s->retry_len = 0;
    s->wants_write = false;
    *sent = (size_t)n;
    return PLAT_OK;
}

/* As many bytes below as brought that many of late: small records are mostly overhead. */
static size_t least_below(const plat_tls_stream *s, size_t least)
{
    return least > 1 && s->growth > GROWTH_UNIT ? least * s->growth / GROWTH_UNIT : least;
}

static void tls_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    const plat_tls_stream *s = const_self_of(base);
    *out = (plat_poll){ .fd = -1 };
    switch (s->state) {
    case PLAT_TLS_CLOSED:
    case PLAT_TLS_LOWER: s->lower->ops->poll(s->lower, false, 1, out); break;
    case PLAT_TLS_HANDSHAKE: s->lower->ops->poll(s->lower, s->wants_write, 1, out); break;
    case PLAT_TLS_OPEN:
        s->lower->ops->poll(s->lower, want_send || s->wants_write, least_below(s, least), out);
        out->ready_now = out->ready_now || wolfSSL_pending(s->ssl) > 0 || has_bytes_ahead(s);
        break;
    case PLAT_TLS_FAILED: break;
    }
}

/* Records and the handshake are bytes as well. */
static void tls_flow(plat_stream *base, plat_flow *out)
{
    const plat_tls_stream *s = const_self_of(base);
    *out = (plat_flow){ .awaited = true };
    if (s->state != PLAT_TLS_CLOSED && s->lower->ops->flow != NULL) {
        s->lower->ops->flow(s->lower, out);
    }
}

static bool tls_resumed(const plat_stream *base)
{
    const plat_tls_stream *s = const_self_of(base);
    return s->state == PLAT_TLS_OPEN && is_resumed(s);
}

static const char *tls_detail(const plat_stream *base)
{
    const plat_tls_stream *s = const_self_of(base);
    if (s->state != PLAT_TLS_FAILED) {
        return "";
    }
    return s->below_failed ? s->lower->ops->detail(s->lower) : plat_failure_text_get(s->detail);
}

static void tls_close(plat_stream *base)
{
    plat_tls_stream *s = self_of(base);
    if (s->state == PLAT_TLS_HANDSHAKE) {
        plat_curve_tables_handshake_ends();
    }
    if (s->state == PLAT_TLS_OPEN) {
        (void)wolfSSL_shutdown(s->ssl); /* close_notify, if the socket takes it */
    }
    forget_unproven_session(s);
    wolfSSL_free(s->ssl); /* takes NULL */
    s->ssl = NULL;
    drop_ahead(s);
    plat_failure_text_drop(&s->detail);
    s->lower->ops->close(s->lower);
    s->state = PLAT_TLS_CLOSED;
}

static void tls_deinit(plat_stream *base)
{
    plat_tls_stream *s = self_of(base);
    tls_close(base);
    s->lower->ops->deinit(s->lower);
    if (s->context != NULL) {
        plat_tls_context_release(s->context);
        s->context = NULL;
    }
}

static const plat_stream_ops ops = {
    .open = tls_open,
    .progress = tls_progress,
    .recv = tls_recv,
    .send = tls_send,
    .poll = tls_poll,
    .flow = tls_flow,
    .resumed = tls_resumed,
    .detail = tls_detail,
    .close = tls_close,
    .deinit = tls_deinit,
};

/* Of a long path the end tells more, and the cause must not be cut. */
static plat_result refuse_roots(plat_tls_stream *s, plat_result r, const char *ca_file,
                                const plat_roots_fault *fault)
{
    const char *file = fault->file != NULL ? fault->file : "wolfSSL";
    size_t len = strlen(file);
    bool cut = len > PATH_SHOWN;
    plat_failure_text_set(&s->detail, "%s%s%s: %s", ca_file != NULL ? "ca_file " : "",
                          cut ? "..." : "", cut ? file + len - PATH_SHOWN : file,
                          fault->why != NULL ? fault->why : "not enough memory to load it");
    s->state = PLAT_TLS_FAILED;
    s->failed_in = PLAT_STAGE_RESOLVE;
    s->failure = r;
    return r;
}

plat_stream *plat_tls_base(plat_tls_stream *s)
{
    return &s->base;
}

plat_result plat_tls_init(plat_tls_stream *s, plat_stream *lower, const char *ca_file)
{
    plat_roots_fault fault;
    *s = (plat_tls_stream){ .base.ops = &ops, .lower = lower };
    plat_result r = plat_tls_context_acquire(ca_file, &s->context, &fault);
    return r == PLAT_OK ? r : refuse_roots(s, r, ca_file, &fault);
}
