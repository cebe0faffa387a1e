#include "wolfssl/tls/tls_transport.h"

#include <assert.h>
#include <string.h>

#define GROWTH_UNIT 8u /* growth is counted in eighths; 8 means that TLS adds no bytes */
#define GROWTH_MAX  (8 * GROWTH_UNIT)

#ifndef NDEBUG
bool plat_tls_transport_valid(const plat_tls_transport *t)
{
    if (t->lower == NULL || t->ahead_at > t->ahead_end || t->ahead_end > PLAT_TLS_READ_AHEAD) {
        return false;
    }
    if (t->ahead == NULL &&
        t->ahead_at != t->ahead_end) { /* bytes are noted, but there is no memory for them */
        return false;
    }
    return t->growth <= GROWTH_MAX;
}
#endif

void plat_tls_transport_init(plat_tls_transport *t, plat_stream *lower)
{
    *t = (plat_tls_transport){ .lower = lower };
}

/* --- what wolfSSL calls --- */

static int io_result(plat_tls_transport *t, plat_result r, size_t n, int again)
{
    if (t->lower_result == PLAT_OK || t->lower_result == PLAT_WOULD_BLOCK) {
        t->lower_result = r; /* keeps the first failure, not that of the close_notify after it */
    }
    switch ((int)r) {
    case PLAT_OK: return (int)n;
    case PLAT_WOULD_BLOCK: return again;
    case PLAT_EOF: return WOLFSSL_CBIO_ERR_CONN_CLOSE;
    default: return WOLFSSL_CBIO_ERR_GENERAL;
    }
}

static plat_result read_ahead(plat_tls_transport *t)
{
    size_t got = 0;
    plat_result r = t->lower->ops->recv(t->lower, t->ahead, PLAT_TLS_READ_AHEAD, &got);
    t->ahead_at = 0;
    t->ahead_end = (uint16_t)got;
    t->lower_empty = got < PLAT_TLS_READ_AHEAD;
    return r;
}

static size_t take_ahead(plat_tls_transport *t, char *buf, size_t cap)
{
    size_t held = (size_t)t->ahead_end - t->ahead_at;
    size_t n = held < cap ? held : cap;
    memcpy(buf, t->ahead + t->ahead_at, n);
    t->ahead_at = (uint16_t)(t->ahead_at + n);
    return n;
}

static int io_recv(WOLFSSL *ssl, char *buf, int cap, void *user)
{
    (void)ssl;
    plat_tls_transport *t = user;
    size_t got = 0;
    plat_result r = PLAT_OK;
    bool empty = !plat_tls_transport_has_bytes(t);
    bool large = (size_t)cap >= PLAT_TLS_READ_AHEAD; /* a large read goes directly into buf */
    if (empty && (large || t->ahead == NULL)) {
        r = t->lower->ops->recv(t->lower, (uint8_t *)buf, (size_t)cap, &got);
        t->lower_empty = got < (size_t)cap;
    } else {
        r = empty ? read_ahead(t) : r;
        got = r == PLAT_OK ? take_ahead(t, buf, (size_t)cap) : 0;
    }
    t->taken += (uint32_t)got;
    return io_result(t, r, got, WOLFSSL_CBIO_ERR_WANT_READ);
}

static int io_send(WOLFSSL *ssl, char *buf, int len, void *user)
{
    (void)ssl;
    plat_tls_transport *t = user;
    size_t sent = 0;
    plat_result r = t->lower->ops->send(t->lower, (const uint8_t *)buf, (size_t)len, &sent);
    return io_result(t, r, sent, WOLFSSL_CBIO_ERR_WANT_WRITE);
}

void plat_tls_transport_attach(plat_tls_transport *t, WOLFSSL *ssl)
{
    assert(plat_tls_transport_valid(t));
    t->lower_result = PLAT_OK;
    wolfSSL_SSLSetIORecv(ssl, io_recv);
    wolfSSL_SSLSetIOSend(ssl, io_send);
    wolfSSL_SetIOReadCtx(ssl, t);
    wolfSSL_SetIOWriteCtx(ssl, t);
}

/* --- bytes that are read ahead --- */

bool plat_tls_transport_has_bytes(const plat_tls_transport *t)
{
    return t->ahead_at < t->ahead_end;
}

bool plat_tls_transport_may_have_more(const plat_tls_transport *t)
{
    return plat_tls_transport_has_bytes(t) || !t->lower_empty;
}

void plat_tls_transport_lend(plat_tls_transport *t, uint8_t room[PLAT_TLS_READ_AHEAD])
{
    assert(plat_tls_transport_valid(t));
    t->ahead = t->ahead != NULL ? t->ahead : room;
    t->taken = 0;
}

bool plat_tls_transport_keep(plat_tls_transport *t, const uint8_t room[PLAT_TLS_READ_AHEAD])
{
    if (t->ahead != room) {
        return true;
    }
    t->ahead = plat_tls_transport_has_bytes(t) ? wolfSSL_Malloc(PLAT_TLS_READ_AHEAD) : NULL;
    if (t->ahead != NULL) {
        memcpy(t->ahead, room, t->ahead_end);
    } else if (plat_tls_transport_has_bytes(t)) {
        t->ahead_end = t->ahead_at;
        return false;
    }
    assert(plat_tls_transport_valid(t));
    return true;
}

void plat_tls_transport_drop(plat_tls_transport *t)
{
    wolfSSL_Free(t->ahead); /* takes NULL */
    t->ahead = NULL;
    t->ahead_at = t->ahead_end = 0;
}

/* --- growth --- */

void plat_tls_transport_note_growth(plat_tls_transport *t, size_t got)
{
    size_t left = (size_t)t->ahead_end - t->ahead_at;
    assert(plat_tls_transport_valid(t));
    if (got > 0 && t->taken >= left) {
        size_t growth = (t->taken - left) * GROWTH_UNIT / got;
        t->growth = (uint8_t)(growth < GROWTH_MAX ? growth : GROWTH_MAX);
    }
}

size_t plat_tls_transport_least_below(const plat_tls_transport *t, size_t least)
{
    return least > 1 && t->growth > GROWTH_UNIT ? least * t->growth / GROWTH_UNIT : least;
}
