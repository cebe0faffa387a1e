#include "wolfssl/tls/tls_stream.h"

#include <assert.h>
#include <string.h>

#include "failure/failure_text.h"
#include "wolfssl/crypto/curve_tables.h"
#include "wolfssl/tls/tls_context.h"
#include "wolfssl/tls/tls_explain.h"
#include "wolfssl/tls/zero_pages.h"

#include <wolfssl/error-ssl.h>

#define HOST_MAX   255
#define PATH_SHOWN 76
#define RECORD_MAX 16384

static plat_tls_stream *self_of(plat_stream *s)
{
    return (plat_tls_stream *)s;
}

static const plat_tls_stream *const_self_of(const plat_stream *s)
{
    return (const plat_tls_stream *)s;
}

#ifndef NDEBUG
static bool has_what_its_state_needs(const plat_tls_stream *s)
{
    switch (s->state) {
    case PLAT_TLS_CLOSED: return s->ssl == NULL;
    case PLAT_TLS_LOWER: return s->ssl == NULL && s->profile != NULL;
    case PLAT_TLS_HANDSHAKE:
    case PLAT_TLS_OPEN: return s->ssl != NULL && !plat_tls_verify_has_refused(&s->verify);
    case PLAT_TLS_FAILED: return s->failure < 0;
    }
    return false;
}

bool plat_tls_stream_valid(const plat_tls_stream *s)
{
    if (!has_what_its_state_needs(s) || s->retry_len > RECORD_MAX) {
        return false;
    }
    return plat_tls_transport_valid(&s->transport);
}
#endif

static plat_result fail(plat_tls_stream *s, plat_result r, const char *why)
{
    if (s->state != PLAT_TLS_FAILED) {
        s->failed_in = s->state == PLAT_TLS_OPEN ? PLAT_STAGE_OPEN : PLAT_STAGE_TLS;
        plat_failure_text_set(&s->detail, "%.100s: %s", s->verify.host, why);
    }
    s->state = PLAT_TLS_FAILED;
    s->failure = r;
    return r;
}

/* Called when the stream below has failed; its own text explains that best. */
static plat_result fail_below(plat_tls_stream *s, plat_result r)
{
    s->below_failed = true;
    s->failed_in = s->state == PLAT_TLS_OPEN ? PLAT_STAGE_OPEN : PLAT_STAGE_TLS;
    s->state = PLAT_TLS_FAILED;
    s->failure = r;
    return r;
}

/* Reports that signing with the key of this side's certificate has failed. */
static plat_result fail_to_log_in(plat_tls_stream *s)
{
    const char *why;
    plat_result r = plat_tls_login_result(&s->profile->login, &why);
    return fail(s, r, why);
}

static plat_session_key session_key(const plat_tls_stream *s)
{
    return (plat_session_key){ .host = s->verify.host,
                               .identity = plat_tls_login_number(&s->profile->login),
                               .port = s->port };
}

static plat_sessions *sessions_of(const plat_tls_stream *s)
{
    return &s->profile->context->sessions;
}

static plat_stream *lower_of(const plat_tls_stream *s)
{
    return s->transport.lower;
}

static bool has_identity(const plat_tls_stream *s)
{
    return s->profile->login.identity != NULL;
}

static bool is_resumed(const plat_tls_stream *s)
{
    return plat_tls_resumption_succeeded(&s->resumption, s->ssl);
}

/* --- opening --- */

static plat_result tls_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    plat_tls_stream *s = self_of(base);
    plat_host parsed;
    assert(plat_tls_stream_valid(s));
    if (s->state != PLAT_TLS_CLOSED || s->profile == NULL) { /* NULL if there are no roots */
        return PLAT_ERR_STATE;
    }
    if (strlen(host) > HOST_MAX || !plat_host_parse(&parsed, host)) {
        return PLAT_ERR_ARG;
    }
    plat_tls_verify_init(&s->verify, &s->profile->context->roots, host);
    s->port = port;
    s->below_failed = false;
    s->state = PLAT_TLS_LOWER;
    plat_result r = lower_of(s)->ops->open(lower_of(s), host, port, now_ms);
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
    if (host.ip_len != 0) { /* no name is sent for an address (RFC 6066 section 3) */
        return true;
    }
    return wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, host.name, (word16)strlen(host.name)) ==
           WOLFSSL_SUCCESS;
}

static void offer_session(plat_tls_stream *s)
{
    const plat_session_key key = session_key(s);
    plat_trust trust = { 0 };
    plat_tls_resumption_begin(&s->resumption, s->ssl, sessions_of(s), &key, &trust);
    plat_tls_verify_adopt(&s->verify, &trust);
}

static plat_result begin_handshake(plat_tls_stream *s)
{
    s->state = PLAT_TLS_HANDSHAKE;
    s->wants_write = false;
    s->retry_len = 0;
    s->ssl = wolfSSL_new(s->profile->context->ctx);
    if (s->ssl == NULL || !set_server_name(s->ssl, s->verify.host) ||
        !plat_tls_profile_limit(s->profile, s->ssl)) {
        return fail(s, PLAT_ERR_MEMORY,
                    /* A descriptor, because wolfSSL opens /dev/urandom. */
                    "no memory or descriptor is left");
    }
    if (plat_tls_login_begin(&s->profile->login, s->ssl) != PLAT_OK) {
        return fail_to_log_in(s);
    }
    plat_tls_transport_attach(&s->transport, s->ssl);
    plat_tls_verify_attach(&s->verify, s->ssl);
    offer_session(s);
    plat_curve_tables_handshake_begins();
    return PLAT_OK;
}

/* Returns whether the group of the key exchange is safe. An abbreviated handshake of TLS 1.2 has
 * no key exchange; that of the full handshake was checked. */
static bool has_safe_group(const plat_tls_stream *s, bool is_tls13)
{
    return (is_resumed(s) && !is_tls13) || plat_tls_group_is_safe(wolfSSL_get_curve_name(s->ssl));
}

/* By the RFC a server can choose only what was offered, but wolfSSL does not check all of this. */
static plat_result check_agreement(plat_tls_stream *s)
{
    const char *version = wolfSSL_get_version(s->ssl);
    bool is_tls13 = strcmp(version, "TLSv1.3") == 0;
    if (!plat_tls_profile_allows(s->profile, version)) {
        return fail(s, PLAT_ERR_TLS, "the server insists on a version of TLS that is not allowed");
    }
    if (!plat_tls_suite_is_safe(wolfSSL_get_cipher_name(s->ssl))) {
        return fail(s, PLAT_ERR_TLS, "the server insists on an unsafe cipher suite");
    }
    if (!has_safe_group(s, is_tls13)) {
        return fail(s, PLAT_ERR_TLS, "the server insists on an unsafe key exchange");
    }
    plat_result wanted =
        /* WOULD_BLOCK means that no chain was received. */
        is_resumed(s) ? PLAT_WOULD_BLOCK : PLAT_OK;
    if (s->verify.verdict != wanted) {
        return fail(
            s, PLAT_ERR_CERT,
            "the server presents no certificate, or presents one although it resumes a session");
    }
    return PLAT_OK;
}

/* Returns whether the peer answers in HTTP. The bytes that were read last are still available,
 * because wolfSSL fails after the first five. */
static bool answers_in_http(const plat_tls_stream *s)
{
    return s->state == PLAT_TLS_HANDSHAKE && s->verify.verdict == PLAT_WOULD_BLOCK &&
           s->transport.ahead != NULL &&
           plat_tls_is_http(s->transport.ahead, s->transport.ahead_end);
}

static plat_result ssl_failed(plat_tls_stream *s, int error)
{
    const plat_result below = s->transport.lower_result;
    const char *why = NULL;
    if (s->profile->login.result != PLAT_OK) {
        return fail_to_log_in(s);
    }
    const plat_tls_progress progress = { .presented = has_identity(s),
                                         .accepted = s->verify.verdict == PLAT_OK };
    if (error == FATAL_ERROR && plat_tls_explain_refusal(s->ssl, progress, &why)) {
        return fail(s, PLAT_ERR_IDENTITY_REFUSED, why);
    }
    if (below == PLAT_EOF) {
        return fail(s, s->state == PLAT_TLS_OPEN ? PLAT_ERR_IO : PLAT_ERR_TLS,
                    plat_tls_explain_end(s->ssl));
    }
    if (below != PLAT_OK && below != PLAT_WOULD_BLOCK) {
        return fail_below(s, below);
    }
    if (answers_in_http(s)) {
        return fail(s, PLAT_ERR_TLS, "an HTTP server without TLS answers on this port");
    }
    if (s->state == PLAT_TLS_HANDSHAKE && s->verify.full_chain && error != FATAL_ERROR) {
        return fail(s, PLAT_ERR_TLS, plat_tls_too_many_certificates);
    }
    bool untried = s->verify.verdict == PLAT_WOULD_BLOCK;
    return fail(s, untried && plat_tls_blames_certificate(error) ? PLAT_ERR_CERT : PLAT_ERR_TLS,
                plat_tls_explain(s->ssl, error));
}

/* Returns PLAT_WOULD_BLOCK, PLAT_EOF or a failure, after a call of wolfSSL that did not succeed. */
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

/* wolfSSL_FreeArrays frees 5.5 KB that only the handshake needs. The pages of zeros contain
 * buffers that most connections never use. */
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
    const plat_session_key key = session_key(s);
    s->wants_write = false;
    s->state = PLAT_TLS_OPEN;
    plat_tls_resumption_open(&s->resumption, s->ssl, sessions_of(s), &key, &s->verify.u.trust);
    plat_tls_login_end(&s->profile->login, s->ssl);
    give_memory_back(s->ssl);
}

static plat_result handshake(plat_tls_stream *s)
{
    int rc = wolfSSL_connect(s->ssl);
    if (plat_tls_verify_has_refused(
            &s->verify)) { /* also if wolfSSL could not send its alert yet */
        return fail(s, s->verify.verdict, s->verify.u.why);
    }
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

static plat_result lost_bytes(plat_tls_stream *s)
{
    return fail(s, PLAT_ERR_MEMORY, "no memory left");
}

static plat_result handshake_step(plat_tls_stream *s)
{
    uint8_t room[PLAT_TLS_READ_AHEAD];
    plat_tls_transport_lend(&s->transport, room);
    plat_result r = handshake(s);
    if (!plat_tls_transport_keep(&s->transport, room)) {
        r = lost_bytes(s);
    }
    if (r != PLAT_WOULD_BLOCK) {
        plat_curve_tables_handshake_ends();
    }
    plat_curve_tables_tidy();
    return r;
}

static plat_result open_lower(plat_tls_stream *s, uint64_t now_ms, plat_stage *stage)
{
    plat_result r = lower_of(s)->ops->progress(lower_of(s), now_ms, stage);
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
    plat_result r = PLAT_OK;
    assert(plat_tls_stream_valid(s));
    *stage = PLAT_STAGE_RESOLVE;
    if (s->state == PLAT_TLS_LOWER) {
        r = open_lower(s, now_ms, stage);
        if (r != PLAT_OK) {
            return r;
        }
    }
    switch (s->state) {
    case PLAT_TLS_HANDSHAKE:
        r = handshake_step(s);
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

/* Reads several records at once. wolfSSL returns one record for each read, so small records are
 * collected, which saves calls. */
static plat_result read_records(plat_tls_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    while (*got < cap && (*got == 0 || plat_tls_transport_may_have_more(&s->transport))) {
        int n = wolfSSL_read(s->ssl, buf + *got, at_most(cap - *got, RECORD_MAX));
        if (n <= 0) {
            if (wolfSSL_get_error(s->ssl, n) != WOLFSSL_ERROR_WANT_READ) {
                plat_tls_resumption_distrust(&s->resumption);
            }
            return *got > 0 ? PLAT_OK : ssl_result(s, n);
        }
        *got += (size_t)n;
    }
    return PLAT_OK;
}

static plat_result tls_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    plat_tls_stream *s = self_of(base);
    uint8_t room[PLAT_TLS_READ_AHEAD];
    assert(plat_tls_stream_valid(s));
    *got = 0;
    if (s->state != PLAT_TLS_OPEN) {
        return not_open(s);
    }
    const plat_session_key key = session_key(s);
    plat_tls_transport_lend(&s->transport, room);
    plat_result r = read_records(s, buf, cap, got);
    if (!plat_tls_transport_keep(&s->transport, room)) {
        r = lost_bytes(s);
    }
    plat_tls_resumption_received(&s->resumption, s->ssl, *got, sessions_of(s), &key,
                                 &s->verify.u.trust);
    plat_tls_transport_note_growth(&s->transport, *got);
    return r;
}

static plat_result tls_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    plat_tls_stream *s = self_of(base);
    assert(plat_tls_stream_valid(s));
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

static void tls_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    const plat_tls_stream *s = const_self_of(base);
    assert(plat_tls_stream_valid(s));
    *out = (plat_poll){ .fd = -1 };
    plat_stream *lower = lower_of(s);
    switch (s->state) {
    case PLAT_TLS_CLOSED:
    case PLAT_TLS_LOWER: lower->ops->poll(lower, false, 1, out); break;
    case PLAT_TLS_HANDSHAKE: lower->ops->poll(lower, s->wants_write, 1, out); break;
    case PLAT_TLS_OPEN:
        lower->ops->poll(lower, want_send || s->wants_write,
                         plat_tls_transport_least_below(&s->transport, least), out);
        out->ready_now = out->ready_now || wolfSSL_pending(s->ssl) > 0 ||
                         plat_tls_transport_has_bytes(&s->transport);
        break;
    case PLAT_TLS_FAILED: break;
    }
}

/* Reports the flow of the stream below, so the bytes of records and of the handshake are
 * included. */
static void tls_flow(plat_stream *base, plat_flow *out)
{
    const plat_tls_stream *s = const_self_of(base);
    assert(plat_tls_stream_valid(s));
    *out = (plat_flow){ .awaited = true };
    plat_stream *lower = lower_of(s);
    if (s->state != PLAT_TLS_CLOSED && lower->ops->flow != NULL) {
        lower->ops->flow(lower, out);
    }
}

static bool tls_resumed(const plat_stream *base)
{
    const plat_tls_stream *s = const_self_of(base);
    return s->state == PLAT_TLS_OPEN && is_resumed(s);
}

static plat_result tls_set_identity(plat_stream *base, plat_identity *identity)
{
    plat_tls_stream *s = self_of(base);
    assert(plat_tls_stream_valid(s));
    if (s->state != PLAT_TLS_CLOSED || s->profile == NULL) {
        return PLAT_ERR_STATE;
    }
    return identity == s->profile->login.identity ? PLAT_OK
                                                  : plat_tls_profile_change(&s->profile, identity);
}

static const char *tls_detail(const plat_stream *base)
{
    const plat_tls_stream *s = const_self_of(base);
    if (s->state != PLAT_TLS_FAILED) {
        return "";
    }
    return s->below_failed ? lower_of(s)->ops->detail(lower_of(s))
                           : plat_failure_text_get(s->detail);
}

static void tls_close(plat_stream *base)
{
    plat_tls_stream *s = self_of(base);
    assert(plat_tls_stream_valid(s));
    if (s->state == PLAT_TLS_HANDSHAKE) {
        plat_curve_tables_handshake_ends();
    }
    if (s->state == PLAT_TLS_OPEN) {
        (void)wolfSSL_shutdown(s->ssl); /* sends close_notify, if the socket accepts it */
    }
    if (s->ssl != NULL) {
        const plat_session_key key = session_key(s);
        plat_tls_resumption_end(&s->resumption, sessions_of(s), &key);
    }
    wolfSSL_free(s->ssl); /* takes NULL */
    s->ssl = NULL;
    plat_tls_transport_drop(&s->transport);
    plat_failure_text_drop(&s->detail);
    lower_of(s)->ops->close(lower_of(s));
    s->state = PLAT_TLS_CLOSED;
}

static void tls_deinit(plat_stream *base)
{
    plat_tls_stream *s = self_of(base);
    tls_close(base);
    lower_of(s)->ops->deinit(lower_of(s));
    if (s->profile != NULL) {
        plat_tls_profile_release(s->profile);
        s->profile = NULL;
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
    .set_identity = tls_set_identity,
    .detail = tls_detail,
    .close = tls_close,
    .deinit = tls_deinit,
};

/* If a path is long, only its end is shown, so that the text has room for the cause. */
static plat_result refuse_config(plat_tls_stream *s, plat_result r, const plat_roots_fault *fault)
{
    const char *source = fault->source != NULL ? fault->source : "";
    const char *file = fault->file != NULL ? fault->file : fault->source != NULL ? "" : "wolfSSL";
    size_t len = strlen(file);
    bool cut = len > PATH_SHOWN;
    plat_failure_text_set(&s->detail, "%s%s%s%s: %s", source,
                          *source != '\0' && *file != '\0' ? " " : "", cut ? "..." : "",
                          cut ? file + len - PATH_SHOWN : file,
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

plat_result plat_tls_init(plat_tls_stream *s, plat_stream *lower, const plat_stream_config *config)
{
    plat_roots_fault fault;
    *s = (plat_tls_stream){ .base.ops = &ops };
    plat_tls_transport_init(&s->transport, lower);
    plat_result r = plat_tls_profile_acquire(config, &s->profile, &fault);
    return r == PLAT_OK ? r : refuse_config(s, r, &fault);
}
