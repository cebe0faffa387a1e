#include "scripted_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Large enough for most tests, so that the buffer does not grow in tests that count allocations. */
#define FIRST_CAP 65536

static scripted_stream *self_of(plat_stream *s)
{
    return (scripted_stream *)s;
}

static const scripted_stream *const_self_of(const plat_stream *s)
{
    return (const scripted_stream *)s;
}

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "scripted_stream: the caller broke the contract: %s\n", what);
        abort();
    }
}

static void reserve(scripted_bytes *b, size_t cap)
{
    if (cap <= b->cap) {
        return;
    }
    size_t grown = b->cap != 0 ? b->cap : FIRST_CAP;
    while (grown < cap) {
        grown *= 2;
    }
    uint8_t *ptr = realloc(b->ptr, grown);
    require(ptr != NULL, "no memory left");
    b->ptr = ptr;
    b->cap = grown;
}

static void append(scripted_bytes *b, const void *bytes, size_t len)
{
    reserve(b, b->len + len);
    if (len > 0) {
        memcpy(b->ptr + b->len, bytes, len);
    }
    b->len += len;
}

static plat_result finish(scripted_stream *s, scripted_call call, plat_result r)
{
    if (r < PLAT_WOULD_BLOCK && s->state != SCRIPTED_FAILED) {
        s->state = SCRIPTED_FAILED;
        s->failure = r;
    }
    if (s->after != NULL) {
        s->after(s, call, r, s->user);
    }
    return r;
}

/* Counts the call. Returns true if the script makes it fail, or if an earlier call has failed. */
static bool fails(scripted_stream *s, scripted_call call, plat_result *r)
{
    s->calls[call]++;
    if (s->state == SCRIPTED_FAILED) {
        *r = s->failure;
        return true;
    }
    if (s->fail_in == 0 || (s->fail_call != SCRIPTED_ANY && s->fail_call != call)) {
        return false;
    }
    s->fail_in--;
    if (s->fail_in > 0) {
        return false;
    }
    *r = s->fail_with;
    return true;
}

static plat_result stream_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    scripted_stream *s = self_of(base);
    require(s->state == SCRIPTED_CLOSED, "open of a stream that is not closed");
    require(strlen(host) < sizeof s->host, "host name too long for this fake");
    memcpy(s->host, host, strlen(host) + 1);
    s->borrowed_host = host;
    s->port = port;
    s->opened_at_ms = now_ms;
    s->rx.len = s->rx_read = 0;
    s->tx.len = s->tx_read = 0;
    s->rx_total = s->tx_total = 0;
    s->peer_has = UINT64_MAX;
    s->hidden = 0;
    s->promised.len = 0;
    s->stage_done = 0;
    s->stage = PLAT_STAGE_RESOLVE;
    s->state = SCRIPTED_OPENING;
    plat_result r = PLAT_OK;
    (void)fails(s, SCRIPTED_OPEN, &r);
    return finish(s, SCRIPTED_OPEN, r);
}

/* Most streams are no WebSocket, so only a test that requests this stage reaches it. */
static plat_stage stage_after(const scripted_stream *s)
{
    bool skips = s->stage == PLAT_STAGE_TLS && s->stall_at != PLAT_STAGE_UPGRADE;
    return skips ? PLAT_STAGE_OPEN : s->stage + 1;
}

static void advance(scripted_stream *s)
{
    while (s->stage != PLAT_STAGE_OPEN && s->stage != s->stall_at) {
        if (s->stage_done < s->stage_calls) {
            s->stage_done++;
            return;
        }
        s->stage_done = 0;
        s->stage = stage_after(s);
    }
}

static plat_result stream_progress(plat_stream *base, uint64_t now_ms, plat_stage *stage)
{
    scripted_stream *s = self_of(base);
    (void)now_ms;
    require(s->state != SCRIPTED_CLOSED, "progress of a closed stream");
    plat_result r = PLAT_OK;
    if (!fails(s, SCRIPTED_PROGRESS, &r)) {
        advance(s);
        r = s->stage == PLAT_STAGE_OPEN ? PLAT_OK : PLAT_WOULD_BLOCK;
        s->state = r == PLAT_OK ? SCRIPTED_READY : SCRIPTED_OPENING;
    }
    *stage = s->stage;
    return finish(s, SCRIPTED_PROGRESS, r);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static plat_result stream_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    scripted_stream *s = self_of(base);
    require(s->state == SCRIPTED_READY || s->state == SCRIPTED_FAILED, "recv before open");
    require(cap > 0, "recv into no space");
    *got = 0;
    plat_result r = PLAT_OK;
    if (fails(s, SCRIPTED_RECV, &r)) {
        return finish(s, SCRIPTED_RECV, r);
    }
    size_t n = smaller(s->rx.len - s->rx_read, cap);
    if (n == 0) {
        return finish(s, SCRIPTED_RECV, s->recv_then);
    }
    if (s->recv_max != 0) {
        n = smaller(n, s->recv_max);
    }
    memcpy(buf, s->rx.ptr + s->rx_read, n);
    s->rx_read += n;
    *got = n;
    return finish(s, SCRIPTED_RECV, PLAT_OK);
}

/* After WOULD_BLOCK the caller must offer the same bytes again; it may add more bytes after
 * them. */
static void check_promise(const scripted_stream *s, const uint8_t *buf, size_t len)
{
    require(len >= s->promised.len, "fewer bytes offered than before WOULD_BLOCK");
    require(s->promised.len == 0 || memcmp(buf, s->promised.ptr, s->promised.len) == 0,
            "other bytes offered than before WOULD_BLOCK");
}

static plat_result stream_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    scripted_stream *s = self_of(base);
    require(s->state == SCRIPTED_READY || s->state == SCRIPTED_FAILED, "send before open");
    require(len > 0, "send of nothing");
    *sent = 0;
    if (s->state == SCRIPTED_READY) {
        check_promise(s, buf, len);
    }
    plat_result r = PLAT_OK;
    size_t n = 0;
    s->promised.len = 0;
    if (fails(s, SCRIPTED_SEND, &r)) {
        r = r == PLAT_EOF ? PLAT_ERR_IO : r; /* PLAT_EOF is a result of recv only */
    } else {
        n = smaller(len, s->send_max != 0 ? smaller(s->send_max, s->send_room) : s->send_room);
        r = n == 0 ? PLAT_WOULD_BLOCK : PLAT_OK;
    }
    if (r == PLAT_WOULD_BLOCK) {
        append(&s->promised, buf, len);
    }
    if (r != PLAT_OK) {
        return finish(s, SCRIPTED_SEND, r);
    }
    append(&s->tx, buf, n);
    s->tx_total += n;
    if (s->send_room != SIZE_MAX) {
        s->send_room -= n;
    }
    s->last_send = n;
    *sent = n;
    return finish(s, SCRIPTED_SEND, PLAT_OK);
}

static bool readable(const scripted_stream *s)
{
    return s->state == SCRIPTED_FAILED ||
           (s->state == SCRIPTED_READY &&
            (s->rx_read < s->rx.len || s->recv_then != PLAT_WOULD_BLOCK));
}

static void stream_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    scripted_stream *s = self_of(base);
    bool opening = s->state == SCRIPTED_OPENING;
    s->last_least = least;
    *out = (plat_poll){
        .fd = s->state == SCRIPTED_READY ? s->fd : -1,
        .generation = s->calls[SCRIPTED_OPEN],
        .want_read = opening || s->state == SCRIPTED_READY,
        .want_write = want_send && s->state == SCRIPTED_READY,
        .ready_now = readable(s) || (opening && s->stage != s->stall_at),
    };
}

static void stream_flow(plat_stream *base, plat_flow *out)
{
    const scripted_stream *s = const_self_of(base);
    uint64_t delivered = s->peer_has < s->tx_total ? s->peer_has : s->tx_total;
    *out = (plat_flow){
        .received = s->rx_total + s->hidden,
        .delivered = delivered,
        .pending = s->tx_total - delivered,
        .awaited = delivered < s->tx_total && !s->window_closed,
    };
}

static plat_result stream_set_identity(plat_stream *base, plat_identity *identity)
{
    scripted_stream *s = self_of(base);
    if (s->state != SCRIPTED_CLOSED) {
        return PLAT_ERR_STATE;
    }
    s->identity = identity;
    return PLAT_OK;
}

static bool stream_resumed(const plat_stream *base)
{
    const scripted_stream *s = const_self_of(base);
    return s->state == SCRIPTED_READY && s->resumed;
}

static const char *stream_detail(const plat_stream *base)
{
    const scripted_stream *s = const_self_of(base);
    return s->state == SCRIPTED_FAILED ? s->failure_detail : "";
}

static void stream_close(plat_stream *base)
{
    scripted_stream *s = self_of(base);
    require(s->state == SCRIPTED_CLOSED || strcmp(s->borrowed_host, s->host) == 0,
            "the host did not stay until close");
    s->calls[SCRIPTED_CLOSE]++;
    s->state = SCRIPTED_CLOSED;
    (void)finish(s, SCRIPTED_CLOSE, PLAT_OK);
}

static const plat_stream_ops ops = {
    .open = stream_open,
    .progress = stream_progress,
    .recv = stream_recv,
    .send = stream_send,
    .poll = stream_poll,
    .flow = stream_flow,
    .resumed = stream_resumed,
    .set_identity = stream_set_identity,
    .detail = stream_detail,
    .close = stream_close,
    .deinit = stream_close,
};

void scripted_init(scripted_stream *s)
{
    *s = (scripted_stream){
        .base.ops = &ops,
        .stall_at = PLAT_STAGE_OPEN,
        .send_room = SIZE_MAX,
        .recv_then = PLAT_WOULD_BLOCK,
        .fd = -1,
        .failure_detail = "scripted failure",
        .stage = PLAT_STAGE_RESOLVE,
        .peer_has = UINT64_MAX,
    };
    reserve(&s->rx, FIRST_CAP);
    reserve(&s->tx, FIRST_CAP);
    reserve(&s->promised, FIRST_CAP);
}

void scripted_free(scripted_stream *s)
{
    free(s->rx.ptr);
    free(s->tx.ptr);
    free(s->promised.ptr);
    *s = (scripted_stream){ 0 };
}

void scripted_feed(scripted_stream *s, const void *bytes, size_t len)
{
    if (s->rx_read == s->rx.len) {
        s->rx.len = s->rx_read = 0;
    }
    append(&s->rx, bytes, len);
    s->rx_total += len;
}

size_t scripted_unread(const scripted_stream *s)
{
    return s->rx.len - s->rx_read;
}

const uint8_t *scripted_sent(const scripted_stream *s, size_t *len)
{
    *len = s->tx.len - s->tx_read;
    return s->tx.ptr + s->tx_read;
}

void scripted_drain(scripted_stream *s, size_t len)
{
    s->tx_read += smaller(len, s->tx.len - s->tx_read);
    if (s->tx_read == s->tx.len) {
        s->tx.len = s->tx_read = 0;
    }
}

void scripted_fail(scripted_stream *s, scripted_call call, unsigned nth, plat_result r)
{
    s->fail_call = call;
    s->fail_in = nth;
    s->fail_with = r;
}

void scripted_break(scripted_stream *s, plat_result r)
{
    s->rx.len = s->rx_read = 0;
    s->state = SCRIPTED_FAILED;
    s->failure = r;
}

bool scripted_is_ready(const scripted_stream *s, const plat_poll *p)
{
    return p->ready_now || (p->want_write && s->send_room > 0);
}
