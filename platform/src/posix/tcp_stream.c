#include "posix/tcp_stream.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failure/failure_text.h"
#include "posix/tcp_flow.h"

#define HOST_MAX 255

#define LOW_WATER_MAX 4096

static plat_tcp_stream *self_of(plat_stream *s)
{
    return (plat_tcp_stream *)s;
}

static const plat_tcp_stream *const_self_of(const plat_stream *s)
{
    return (const plat_tcp_stream *)s;
}

#ifndef NDEBUG
static bool has_what_its_state_needs(const plat_tcp_stream *s)
{
    switch (s->state) {
    case PLAT_TCP_CLOSED: return s->lookup == NULL && s->fd < 0;
    case PLAT_TCP_RESOLVING: return s->lookup != NULL && s->fd < 0;
    case PLAT_TCP_CONNECTING: return s->lookup != NULL && s->fd >= 0;
    case PLAT_TCP_OPEN: return s->lookup == NULL && s->fd >= 0;
    case PLAT_TCP_FAILED: return s->failure < 0;
    }
    return false;
}

bool plat_tcp_stream_valid(const plat_tcp_stream *s)
{
    if (!has_what_its_state_needs(s)) {
        return false;
    }
    if ((s->shown && s->fd < 0) || (s->lookup_shown && s->lookup == NULL)) {
        return false;
    }
    return s->state != PLAT_TCP_OPEN || (s->low_water >= 1 && s->low_water <= LOW_WATER_MAX);
}
#endif

static plat_result fail(plat_tcp_stream *s, plat_result r)
{
    s->state = PLAT_TCP_FAILED;
    s->failure = r;
    return r;
}

static const char *cause_text(int error, char *text, size_t cap)
{
    if (strerror_r(error, text, cap) != 0) {
        (void)snprintf(text, cap, "error %d", error);
    }
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

/* Makes a text such as "hub.example (192.0.2.1) port 8883: connection refused". */
static void explain(plat_tcp_stream *s, const plat_address *peer, int error)
{
    char address[PLAT_ADDRESS_TEXT];
    char cause[64];
    (void)plat_address_text(peer, address);
    bool numeric = strcmp(s->host, address) == 0;
    plat_failure_text_set(&s->detail, "%.80s%s%s%s port %u: %s", s->host, numeric ? "" : " (",
                          numeric ? "" : address, numeric ? "" : ")", (unsigned)s->port,
                          cause_text(error, cause, sizeof cause));
}

static void close_retired(plat_tcp_stream *s)
{
    if (s->retired >= 0) {
        (void)close(s->retired);
        s->retired = -1;
    }
}

/* Closes a descriptor, or retires it if poll has reported it: then it stays open until poll no
 * longer reports it, so that no loop watches a number that stands for another file. The peer
 * notices the end immediately. */
static void retire(plat_tcp_stream *s, int fd, bool shown)
{
    if (!shown) {
        (void)close(fd);
        return;
    }
    close_retired(s); /* when poll reported this one, it stopped reporting the earlier one */
    (void)shutdown(fd, SHUT_RDWR); /* fails without harm if this is the descriptor of a look-up */
    s->retired = fd;
    s->withdrawn = false;
}

static void drop_descriptor(plat_tcp_stream *s)
{
    if (s->fd >= 0) {
        retire(s, s->fd, s->shown);
        s->fd = -1;
        s->shown = false;
    }
}

static void drop_lookup(plat_tcp_stream *s)
{
    int fd = plat_lookup_release(s->lookup);
    if (fd >= 0) {
        retire(s, fd, s->lookup_shown);
    }
    s->lookup = NULL;
    s->lookup_shown = false;
}

static plat_result tcp_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    plat_tcp_stream *s = self_of(base);
    (void)now_ms;
    assert(plat_tcp_stream_valid(s));
    if (s->state != PLAT_TCP_CLOSED) {
        return PLAT_ERR_STATE;
    }
    if (host[0] == '\0' || strlen(host) > HOST_MAX) {
        return PLAT_ERR_ARG;
    }
    s->host = host;
    s->port = port;
    plat_result r = plat_lookup_start(host, &s->lookup);
    if (r != PLAT_OK) {
        plat_failure_text_set(&s->detail, "%.80s: no memory, thread or descriptor is left", host);
        return fail(s, r);
    }
    if (plat_lookup_fd(s->lookup) >= 0) {
        s->generation++;
    }
    s->state = PLAT_TCP_RESOLVING;
    return PLAT_OK;
}

static plat_result become_open(plat_tcp_stream *s)
{
    const int fd = plat_tcp_race_take(&s->u.race, s->lookup);

    s->peer = *plat_lookup_at(s->lookup, s->u.race.latest);
    drop_descriptor(s); /* the set of the race */
    drop_lookup(s);
    s->fd = fd;
    s->generation++;
    s->low_water = 1;
    s->u.moved.received = 0;
    s->u.moved.sent = 0;
    s->state = PLAT_TCP_OPEN;
    return PLAT_OK;
}

/* Reports why the binding excludes every address of the host. */
static void explain_binding(plat_tcp_stream *s, int error)
{
    char cause[64];

    plat_failure_text_set(&s->detail, "%.80s port %u, bound to %.45s: %s", s->host,
                          (unsigned)s->port, s->bind,
                          error == EAFNOSUPPORT ? "the host has no address of that family"
                                                : cause_text(error, cause, sizeof cause));
}

static plat_result lose(plat_tcp_stream *s)
{
    const plat_tcp_race *r = &s->u.race;
    const int error = r->error;

    if (s->bind != NULL) {
        explain_binding(s, error);
    } else {
        explain(s, plat_lookup_at(s->lookup, r->latest), error);
    }
    return fail(s, PLAT_ERR_CONNECT);
}

static plat_result connecting(plat_tcp_stream *s, uint64_t now_ms)
{
    const plat_tcp_target target = { .port = s->port, .bind = s->bind };

    switch (plat_tcp_race_turn(&s->u.race, s->lookup, &target, now_ms)) {
    case PLAT_TCP_RACE_RUNS: break;
    case PLAT_TCP_RACE_WON: return become_open(s);
    case PLAT_TCP_RACE_LOST: return lose(s);
    }
    return PLAT_WOULD_BLOCK;
}

static plat_result resolving(plat_tcp_stream *s, uint64_t now_ms)
{
    if (!plat_lookup_is_done(s->lookup)) {
        return PLAT_WOULD_BLOCK;
    }
    const char *why;
    if (plat_lookup_count(s->lookup, &why) == 0) {
        plat_failure_text_set(&s->detail, "%.100s: %.100s", s->host, why);
        return fail(s, PLAT_ERR_DNS);
    }
    if (plat_tcp_race_begin(&s->u.race, s->lookup, &s->peer) != PLAT_OK) {
        plat_failure_text_set(&s->detail, "%.80s: no descriptor is left", s->host);
        return fail(s, PLAT_ERR_MEMORY);
    }
    s->state = PLAT_TCP_CONNECTING;
    s->fd = s->u.race.set;
    s->generation++;
    return connecting(s, now_ms);
}

static plat_stage stage_of(const plat_tcp_stream *s, plat_result r)
{
    switch (s->state) {
    case PLAT_TCP_OPEN: return PLAT_STAGE_OPEN;
    case PLAT_TCP_CONNECTING: return PLAT_STAGE_CONNECT;
    case PLAT_TCP_FAILED: return r == PLAT_ERR_CONNECT ? PLAT_STAGE_CONNECT : PLAT_STAGE_RESOLVE;
    case PLAT_TCP_CLOSED:
    case PLAT_TCP_RESOLVING: break;
    }
    return PLAT_STAGE_RESOLVE;
}

static plat_result tcp_progress(plat_stream *base, uint64_t now_ms, plat_stage *stage)
{
    plat_tcp_stream *s = self_of(base);
    plat_result r = PLAT_ERR_STATE;
    assert(plat_tcp_stream_valid(s));
    switch (s->state) {
    case PLAT_TCP_RESOLVING: r = resolving(s, now_ms); break;
    case PLAT_TCP_CONNECTING: r = connecting(s, now_ms); break;
    case PLAT_TCP_OPEN: r = PLAT_OK; break;
    case PLAT_TCP_FAILED: r = s->failure; break;
    case PLAT_TCP_CLOSED: break;
    }
    *stage = stage_of(s, r);
    return r;
}

static plat_result not_open(const plat_tcp_stream *s)
{
    return s->state == PLAT_TCP_FAILED ? s->failure : PLAT_ERR_STATE;
}

static plat_result io_failed(plat_tcp_stream *s, int error)
{
    if (error == EAGAIN || error == EWOULDBLOCK) {
        return PLAT_WOULD_BLOCK;
    }
    explain(s, &s->peer, error);
    return fail(s, PLAT_ERR_IO);
}

/* Acknowledges received bytes without delay. A server that uses Nagle's algorithm, such as
 * Mosquitto by default, holds a small packet back until the previous one was acknowledged. Each
 * PUBACK would then take 40 ms, unless we send something that can carry the acknowledgement.
 * Linux switches delayed acknowledgements on again automatically, so the option is set each
 * time. */
static void acknowledge_now(plat_tcp_stream *s)
{
#ifdef TCP_QUICKACK
    const int on = 1;
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#endif
    s->unacknowledged = false;
}

/* Sets for how many bytes to wake. Waking for fewer bytes is allowed, so the option is not set
 * for each small change: the system call would cost more than it saves. */
static void wake_for(plat_tcp_stream *s, size_t least)
{
    const int bytes = least < LOW_WATER_MAX ? (int)least : LOW_WATER_MAX;
    if (bytes >= s->low_water && bytes / 2 < s->low_water) {
        return;
    }
    if (setsockopt(s->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0) {
        s->low_water = (uint16_t)bytes;
    }
}

static plat_result tcp_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    plat_tcp_stream *s = self_of(base);
    assert(plat_tcp_stream_valid(s));
    *got = 0;
    if (s->state != PLAT_TCP_OPEN) {
        return not_open(s);
    }
    ssize_t n;
    do {
        n = recv(s->fd, buf, cap, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return io_failed(s, errno);
    }
    if (n == 0) {
        return PLAT_EOF;
    }
    s->unacknowledged = true;
    s->u.moved.received += (size_t)n;
    *got = (size_t)n;
    return PLAT_OK;
}

/* A peer that resets the connection has often said why, such as by a TLS alert. As long as such
 * bytes wait, the failure is left to recv. */
static plat_result send_failed(plat_tcp_stream *s, int error)
{
    char byte;
    const bool reset = error == ECONNRESET || error == EPIPE;

    return reset && recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1 ? PLAT_WOULD_BLOCK
                                                                        : io_failed(s, error);
}

static plat_result tcp_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    plat_tcp_stream *s = self_of(base);
    assert(plat_tcp_stream_valid(s));
    *sent = 0;
    if (s->state != PLAT_TCP_OPEN) {
        return not_open(s);
    }
    ssize_t n;
    do {
        n = send(s->fd, buf, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return send_failed(s, errno);
    }
    s->unacknowledged = false; /* the segment carries the acknowledgement */
    s->u.moved.sent += (size_t)n;
    *sent = (size_t)n;
    return PLAT_OK;
}

/* From this call on, poll no longer reports the retired descriptor. The next call, which comes
 * soon, closes it. */
static void withdraw(plat_tcp_stream *s, plat_poll *out)
{
    if (s->withdrawn) {
        close_retired(s);
    } else {
        s->withdrawn = true;
        out->ready_now = true;
    }
}

static void tcp_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    plat_tcp_stream *s = self_of(base);
    assert(plat_tcp_stream_valid(s));
    *out = (plat_poll){ .fd = -1, .generation = s->generation };
    if (s->retired >= 0) {
        withdraw(s, out);
    }
    s->lookup_shown = s->state == PLAT_TCP_RESOLVING;
    s->shown = s->state == PLAT_TCP_CONNECTING || s->state == PLAT_TCP_OPEN;
    switch (s->state) {
    case PLAT_TCP_RESOLVING:
        out->fd = plat_lookup_fd(s->lookup);
        out->want_read = true;
        out->ready_now = out->ready_now || out->fd < 0;
        break;
    case PLAT_TCP_CONNECTING:
        out->fd = s->fd;
        out->want_read = true;
        out->wake_at_ms = s->u.race.next_at_ms;
        break;
    case PLAT_TCP_OPEN:
        if (s->unacknowledged && !want_send) {
            acknowledge_now(s);
        }
        wake_for(s, least);
        out->fd = s->fd;
        out->want_read = true;
        out->want_write = want_send;
        break;
    case PLAT_TCP_CLOSED:
    case PLAT_TCP_FAILED: break;
    }
}

static void tcp_flow(plat_stream *base, plat_flow *out)
{
    plat_tcp_stream *s = self_of(base);
    assert(plat_tcp_stream_valid(s));
    *out = (plat_flow){ .awaited = true };
    if (s->state != PLAT_TCP_OPEN) {
        return;
    }
    const plat_tcp_queues q = plat_tcp_queues_of(s->fd);
    out->received = s->u.moved.received + q.unread;
    out->pending = q.unacknowledged < s->u.moved.sent ? q.unacknowledged : s->u.moved.sent;
    out->delivered = s->u.moved.sent - out->pending;
    out->awaited = q.awaited;
}

static bool tcp_resumed(const plat_stream *base)
{
    (void)base;
    return false;
}

static const char *tcp_detail(const plat_stream *base)
{
    const plat_tcp_stream *s = const_self_of(base);
    return s->state == PLAT_TCP_FAILED ? plat_failure_text_get(s->detail) : "";
}

static void tcp_close(plat_stream *base)
{
    plat_tcp_stream *s = self_of(base);
    assert(plat_tcp_stream_valid(s));
    if (s->state == PLAT_TCP_CONNECTING) {
        plat_tcp_race_end(&s->u.race, s->lookup);
    }
    drop_lookup(s);
    drop_descriptor(s);
    plat_failure_text_drop(&s->detail);
    s->state = PLAT_TCP_CLOSED;
}

static void tcp_deinit(plat_stream *base)
{
    tcp_close(base);
    close_retired(self_of(base));
}

static const plat_stream_ops ops = {
    .open = tcp_open,
    .progress = tcp_progress,
    .recv = tcp_recv,
    .send = tcp_send,
    .poll = tcp_poll,
    .flow = tcp_flow,
    .resumed = tcp_resumed,
    .detail = tcp_detail,
    .close = tcp_close,
    .deinit = tcp_deinit,
};

plat_stream *plat_tcp_init(plat_tcp_stream *s, const char *bind)
{
    *s = (plat_tcp_stream){ .base.ops = &ops, .fd = -1, .retired = -1, .bind = bind };
    return &s->base;
}
