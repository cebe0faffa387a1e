#include "tls_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int io_recv(WOLFSSL *ssl, char *buf, int cap, void *user)
{
    (void)ssl;
    tls_peer *p = user;
    size_t len;
    const uint8_t *sent = scripted_sent(p->wire, &len);
    if (len == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    size_t n = len < (size_t)cap ? len : (size_t)cap;
    memcpy(buf, sent, n);
    scripted_drain(p->wire, n);
    p->taken += n;
    return (int)n;
}

static void flush(tls_peer *p)
{
    size_t n = p->held_len < p->budget ? p->held_len : p->budget;
    if (p->corrupt_at >= p->fed && p->corrupt_at - p->fed < n) {
        p->held[p->corrupt_at - p->fed] ^= 0x55;
    }
    scripted_feed(p->wire, p->held, n);
    memmove(p->held, p->held + n, p->held_len - n);
    p->held_len -= n;
    p->fed += n;
    p->budget -= p->budget != SIZE_MAX ? n : 0;
}

static int io_send(WOLFSSL *ssl, char *buf, int len, void *user)
{
    (void)ssl;
    tls_peer *p = user;
    assert_true((size_t)len <= sizeof p->held - p->held_len);
    memcpy(p->held + p->held_len, buf, (size_t)len);
    p->held_len += (size_t)len;
    flush(p);
    return len;
}

static int on_sni(WOLFSSL *ssl, int *alert, void *user)
{
    (void)alert;
    tls_peer *p = user;
    void *name = NULL;
    word16 len = wolfSSL_SNI_GetRequest(ssl, WOLFSSL_SNI_HOST_NAME, &name);
    snprintf(p->sni, sizeof p->sni, "%.*s", (int)len, name != NULL ? (const char *)name : "");
    return 0;
}

static void load(WOLFSSL_CTX *ctx, const tls_peer_config *c)
{
    byte all[sizeof c->chain / sizeof c->chain[0] * sizeof c->chain[0]->der * 2];
    size_t len = 0;
    for (size_t i = 0; i < c->chain_len; i++) {
        int n = wc_DerToPem(c->chain[i]->der, (word32)c->chain[i]->len, all + len,
                            (word32)(sizeof all - len), CERT_TYPE);
        assert_true(n > 0);
        len += (size_t)n;
    }
    byte key[2048];
    size_t key_len = pki_key_der(c->key, key, sizeof key);
    assert_int_equal(wolfSSL_CTX_use_certificate_chain_buffer(ctx, all, (long)len),
                     WOLFSSL_SUCCESS);
    assert_int_equal(
        wolfSSL_CTX_use_PrivateKey_buffer(ctx, key, (long)key_len, WOLFSSL_FILETYPE_ASN1),
        WOLFSSL_SUCCESS);
}

static void allow_anonymous(WOLFSSL_CTX *ctx)
{
    assert_int_equal(wolfSSL_CTX_allow_anon_cipher(ctx), WOLFSSL_SUCCESS);
    const DhParams *dh = wc_Dh_ffdhe2048_Get();
    assert_int_equal(wolfSSL_CTX_SetTmpDH(ctx, dh->p, (int)dh->p_len, dh->g, (int)dh->g_len),
                     WOLFSSL_SUCCESS);
}

/* The test needs no secrecy, but wolfSSL expects that the ticket was changed. */
static int seal_or_open(WOLFSSL *ssl, byte name[16], byte iv[16], byte mac[32], int seal,
                        byte *ticket, int len, int *out_len, void *user)
{
    (void)ssl;
    tls_tickets *t = user;
    *out_len = len;
    for (int i = 0; i < len; i++) {
        ticket[i] ^= 0x0f;
    }
    if (seal) {
        memset(name, 'n', 16);
        memset(iv, 'i', 16);
        memset(mac, 'm', 32);
        return WOLFSSL_TICKET_RET_OK;
    }
    t->offered++;
    if (t->decline || mac[0] != 'm') {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    if (t->spoil_at < (size_t)len) {
        ticket[t->spoil_at] ^= 0x55;
    }
    return WOLFSSL_TICKET_RET_OK;
}

static void share_tickets(WOLFSSL_CTX *ctx, tls_tickets *t)
{
    int life_s = t->life_s != 0 ? t->life_s : 24 * 60 * 60;
    assert_int_equal(wolfSSL_CTX_set_TicketEncCb(ctx, seal_or_open), WOLFSSL_SUCCESS);
    assert_int_equal(wolfSSL_CTX_set_TicketEncCtx(ctx, t), WOLFSSL_SUCCESS);
    assert_int_equal(wolfSSL_CTX_set_TicketHint(ctx, life_s), WOLFSSL_SUCCESS);
    (void)wolfSSL_CTX_set_timeout(ctx, (unsigned)life_s);
    if (t->no_new) {
        assert_int_equal(wolfSSL_CTX_no_ticket_TLSv13(ctx), 0);
    }
    if (t->without_exchange) {
        assert_int_equal(wolfSSL_CTX_no_dhe_psk(ctx), 0);
    }
}

bool tls_peer_has_suite(const char *name)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfSSLv23_server_method());
    assert_non_null(ctx);
    bool has = wolfSSL_CTX_set_cipher_list(ctx, name) == WOLFSSL_SUCCESS;
    wolfSSL_CTX_free(ctx);
    return has;
}

static int accept_any(int preverified, WOLFSSL_X509_STORE_CTX *store)
{
    (void)preverified;
    (void)store;
    return 1;
}

void tls_peer_start(tls_peer *p, scripted_stream *wire, const tls_peer_config *c,
                    tls_tickets *tickets)
{
    memset(p, 0, sizeof *p);
    p->wire = wire;
    p->budget = SIZE_MAX;
    p->corrupt_at = SIZE_MAX;
    p->ctx = wolfSSL_CTX_new(wolfSSLv23_server_method());
    assert_non_null(p->ctx);
    if (c->ask) {
        wolfSSL_CTX_set_verify(p->ctx, WOLFSSL_VERIFY_PEER, accept_any);
    }
    if (c->min_version != 0) {
        assert_int_equal(wolfSSL_CTX_SetMinVersion(p->ctx, c->min_version), WOLFSSL_SUCCESS);
    }
    (void)wolfSSL_CTX_SetMinRsaKey_Sz(p->ctx, 1024);
    (void)wolfSSL_CTX_SetMinEccKey_Sz(p->ctx, 160);
    if (c->chain_len > 0) {
        load(p->ctx, c);
    } else {
        allow_anonymous(p->ctx);
    }
    if (c->suites != NULL) {
        assert_int_equal(wolfSSL_CTX_set_cipher_list(p->ctx, c->suites), WOLFSSL_SUCCESS);
    }
    if (c->group != 0) {
        int group = c->group;
        assert_int_equal(wolfSSL_CTX_UseSupportedCurve(p->ctx, (word16)group), WOLFSSL_SUCCESS);
        assert_int_equal(wolfSSL_CTX_set_groups(p->ctx, &group, 1), WOLFSSL_SUCCESS);
        if (group == WOLFSSL_ECC_SECP256R1) { /* sets the group for TLS 1.2, too */
            assert_int_equal(wolfSSL_CTX_set1_curves_list(p->ctx, "P-256"), WOLFSSL_SUCCESS);
        }
    }
    if (tickets != NULL) {
        share_tickets(p->ctx, tickets);
    }
    if (tickets == NULL || tickets->decline) {
        (void)wolfSSL_CTX_set_session_cache_mode(p->ctx, WOLFSSL_SESS_CACHE_OFF);
    }
    wolfSSL_CTX_SetIORecv(p->ctx, io_recv);
    wolfSSL_CTX_SetIOSend(p->ctx, io_send);
    wolfSSL_CTX_set_servername_callback(p->ctx, on_sni);
    (void)wolfSSL_CTX_set_servername_arg(p->ctx, p);
    p->ssl = wolfSSL_new(p->ctx);
    assert_non_null(p->ssl);
    if (c->max_version != 0) {
        assert_int_equal(wolfSSL_set_max_proto_version(p->ssl, c->max_version), WOLFSSL_SUCCESS);
    }
    wolfSSL_SetIOReadCtx(p->ssl, p);
    wolfSSL_SetIOWriteCtx(p->ssl, p);
}

static bool waits(tls_peer *p, int rc)
{
    int error = wolfSSL_get_error(p->ssl, rc);
    return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE;
}

void tls_peer_step(tls_peer *p)
{
    flush(p);
    if (!p->done && !p->failed) {
        int rc = wolfSSL_accept(p->ssl);
        p->done = rc == WOLFSSL_SUCCESS;
        p->failed = !p->done && !waits(p, rc);
    }
    while (p->done && !p->failed) {
        int n = wolfSSL_read(p->ssl, p->got + p->got_len, (int)(sizeof p->got - p->got_len));
        if (n <= 0) {
            p->failed = !waits(p, n);
            return;
        }
        p->got_len += (size_t)n;
    }
}

void tls_peer_send(tls_peer *p, const void *bytes, size_t len)
{
    assert_int_equal(wolfSSL_write(p->ssl, bytes, (int)len), (int)len);
}

void tls_peer_close_notify(tls_peer *p)
{
    (void)wolfSSL_shutdown(p->ssl);
}

void tls_peer_stop(tls_peer *p)
{
    wolfSSL_free(p->ssl);
    wolfSSL_CTX_free(p->ctx);
}
