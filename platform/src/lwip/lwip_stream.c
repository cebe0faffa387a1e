#include "lwip/lwip_stream.h"

#include <stdio.h>
#include <string.h>

#include <lwip/dns.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include "lwip/lwip_drive.h"

static lwip_stream *from_base(plat_stream *s)
{
    return (lwip_stream *)(void *)s;
}

static void drop_connection(lwip_stream *s)
{
    lwip_lookup_forget(s->lookup);
    s->lookup = NULL;
    if (s->waiting != NULL) {
        pbuf_free(s->waiting);
        s->waiting = NULL;
    }
    if (s->pcb == NULL) {
        return;
    }
    struct tcp_pcb *pcb = s->pcb;
    s->pcb = NULL;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK) { /* no memory for a FIN */
        tcp_abort(pcb);
    }
}

static plat_result fail(lwip_stream *s, plat_stage stage, plat_result r, const char *cause)
{
    drop_connection(s);
    s->state = LWIP_STREAM_FAILED;
    s->stage = stage;
    s->result = r;
    s->cause = cause;
    s->net->changes++;
    return r;
}

/* --- what lwIP calls -------------------------------------------------------- */

static void look_up(lwip_stream *s, uint8_t type);

/* Ends opening, or tries IPv6 if a name could not be reached by IPv4. */
static void cannot_connect(lwip_stream *s, const char *cause)
{
    ip_addr_t literal;

    if (s->second_version || !IP_IS_V4(&s->address) || ipaddr_aton(s->host, &literal)) {
        fail(s, PLAT_STAGE_CONNECT, PLAT_ERR_CONNECT, cause);
        return;
    }
    s->second_version = true;
    look_up(s, LWIP_DNS_ADDRTYPE_IPV6);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t e)
{
    lwip_stream *s = arg;

    (void)pcb;
    (void)e; /* always ERR_OK: lwIP reports a failure by on_error */
    s->state = LWIP_STREAM_OPEN;
    s->net->changes++;
    return ERR_OK;
}

static void on_error(void *arg, err_t e)
{
    lwip_stream *s = arg;
    const char *cause = e == ERR_RST ? "reset by the peer" : "no answer";

    s->pcb = NULL; /* lwIP has freed it */
    if (s->state == LWIP_STREAM_CONNECTING) {
        cannot_connect(s, e == ERR_RST ? "connection refused" : cause);
        return;
    }
    fail(s, PLAT_STAGE_OPEN, PLAT_ERR_IO, cause);
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t e)
{
    lwip_stream *s = arg;

    (void)pcb;
    (void)e;
    s->net->changes++;
    if (p == NULL) {
        s->ended = true;
        return ERR_OK;
    }
    s->received += p->tot_len;
    if (s->waiting == NULL) {
        s->waiting = p;
    } else {
        pbuf_cat(s->waiting, p);
    }
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    lwip_stream *s = arg;

    (void)pcb;
    s->delivered += len;
    s->net->changes++;
    return ERR_OK;
}

/* --- opening ---------------------------------------------------------------- */

static void connect_to(lwip_stream *s, const ip_addr_t *address)
{
    s->address = *address;
    s->pcb = tcp_new_ip_type(IP_GET_TYPE(address));
    if (s->pcb == NULL) {
        fail(s, PLAT_STAGE_CONNECT, PLAT_ERR_MEMORY, "no memory for a connection");
        return;
    }
    s->state = LWIP_STREAM_CONNECTING;
    tcp_arg(s->pcb, s);
    tcp_recv(s->pcb, on_received);
    tcp_sent(s->pcb, on_sent);
    tcp_err(s->pcb, on_error);
    tcp_nagle_disable(s->pcb); /* the layers above send whole batches */
    err_t e = tcp_connect(s->pcb, address, s->port, on_connected);
    if (e == ERR_RTE) {
        cannot_connect(s, "no route");
    } else if (e != ERR_OK) {
        fail(s, PLAT_STAGE_CONNECT, PLAT_ERR_MEMORY, "no memory for a connection");
    }
}

static void on_address(void *user, const ip_addr_t *address)
{
    lwip_stream *s = user;

    s->lookup = NULL;
    s->net->changes++;
    if (address != NULL) {
        connect_to(s, address);
    } else if (s->second_version) {
        fail(s, PLAT_STAGE_CONNECT, PLAT_ERR_CONNECT,
             "not reached by IPv4, and has no IPv6 address");
    } else {
        fail(s, PLAT_STAGE_RESOLVE, PLAT_ERR_DNS, "the name does not resolve");
    }
}

static void look_up(lwip_stream *s, uint8_t type)
{
    ip_addr_t address;

    drop_connection(s);
    s->state = LWIP_STREAM_RESOLVING;
    plat_result r = lwip_lookup_begin(s->host, type, on_address, s, &address, &s->lookup);
    if (r == PLAT_OK) {
        connect_to(s, &address);
    } else if (r != PLAT_WOULD_BLOCK) {
        fail(s, PLAT_STAGE_RESOLVE, r, "the name cannot be looked up");
    }
}

static plat_result stream_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    lwip_stream *s = from_base(base);

    (void)now_ms;
    if (s->state != LWIP_STREAM_CLOSED) {
        return PLAT_ERR_STATE;
    }
    s->host = host;
    s->port = port;
    look_up(s, LWIP_DNS_ADDRTYPE_IPV4_IPV6);
    return s->state == LWIP_STREAM_FAILED ? s->result : PLAT_OK;
}

static plat_result stream_progress(plat_stream *base, uint64_t now_ms, plat_stage *stage)
{
    lwip_stream *s = from_base(base);

    (void)now_ms;
    lwip_drive(s->net);
    switch (s->state) {
    case LWIP_STREAM_RESOLVING: *stage = PLAT_STAGE_RESOLVE; return PLAT_WOULD_BLOCK;
    case LWIP_STREAM_CONNECTING: *stage = PLAT_STAGE_CONNECT; return PLAT_WOULD_BLOCK;
    case LWIP_STREAM_OPEN: *stage = PLAT_STAGE_OPEN; return PLAT_OK;
    case LWIP_STREAM_FAILED: *stage = s->stage; return s->result;
    case LWIP_STREAM_CLOSED: break;
    }
    *stage = PLAT_STAGE_RESOLVE;
    return PLAT_ERR_STATE;
}

/* --- bytes ------------------------------------------------------------------ */

/* Returns PLAT_OK if the connection is open. */
static plat_result check_open(const lwip_stream *s)
{
    if (s->state == LWIP_STREAM_OPEN) {
        return PLAT_OK;
    }
    return s->state == LWIP_STREAM_FAILED ? s->result : PLAT_ERR_STATE;
}

/* Forgets bytes of the front, whose pbufs lwIP can use again. */
static void take(lwip_stream *s, size_t len)
{
    tcp_recved(s->pcb, (u16_t)len);
    s->offset = (uint16_t)(s->offset + len);
    while (s->waiting != NULL && s->offset >= s->waiting->len) {
        struct pbuf *first = s->waiting;
        s->offset = (uint16_t)(s->offset - first->len);
        s->waiting = first->next;
        if (s->waiting != NULL) {
            pbuf_ref(s->waiting); /* pbuf_free frees the whole chain otherwise */
        }
        pbuf_free(first);
    }
}

static plat_result stream_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    lwip_stream *s = from_base(base);

    *got = 0;
    lwip_drive(s->net);
    plat_result r = check_open(s);
    if (r != PLAT_OK) {
        return r;
    }
    if (s->waiting == NULL) {
        return s->ended ? PLAT_EOF : PLAT_WOULD_BLOCK;
    }
    const u16_t most = cap < UINT16_MAX ? (u16_t)cap : UINT16_MAX;
    *got = pbuf_copy_partial(s->waiting, buf, most, s->offset);
    take(s, *got);
    return PLAT_OK;
}

static plat_result stream_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    lwip_stream *s = from_base(base);

    *sent = 0;
    plat_result r = check_open(s);
    if (r != PLAT_OK) {
        return r;
    }
    const size_t room = tcp_sndbuf(s->pcb);
    const u16_t part = (u16_t)(len < room ? len : room);
    if (part == 0) {
        return PLAT_WOULD_BLOCK;
    }
    err_t e = tcp_write(s->pcb, buf, part, TCP_WRITE_FLAG_COPY);
    if (e == ERR_MEM) { /* acknowledgements of the peer make room */
        return PLAT_WOULD_BLOCK;
    }
    if (e != ERR_OK) {
        return fail(s, PLAT_STAGE_OPEN, PLAT_ERR_IO, "the connection has ended");
    }
    (void)tcp_output(s->pcb); /* what has no room now is sent by a timer */
    s->sent += part;
    *sent = part;
    return PLAT_OK;
}

static void stream_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    const lwip_stream *s = from_base(base);
    const bool writable = want_send && s->state == LWIP_STREAM_OPEN && tcp_sndbuf(s->pcb) > 0 &&
                          s->sent == s->delivered;

    (void)least;
    *out = (plat_poll){ .fd = -1 };
    if (s->state == LWIP_STREAM_CLOSED) {
        return;
    }
    out->ready_now = s->waiting != NULL || s->ended || s->state == LWIP_STREAM_FAILED || writable;
    out->wake_at_ms = lwip_drive_next(s->net);
}

static void stream_flow(plat_stream *base, plat_flow *out)
{
    const lwip_stream *s = from_base(base);

    *out = (plat_flow){
        .received = s->received,
        .delivered = s->delivered,
        .pending = s->sent - s->delivered,
        .awaited = s->sent != s->delivered && s->pcb != NULL && s->pcb->snd_wnd > 0,
    };
}

static bool stream_resumed(const plat_stream *base)
{
    (void)base;
    return false;
}

static const char *stream_detail(const plat_stream *base)
{
    const lwip_stream *s = (const lwip_stream *)(const void *)base;

    if (s->state != LWIP_STREAM_FAILED) {
        return "";
    }
    (void)snprintf(s->net->text, sizeof s->net->text, "%s port %u: %s", s->host, (unsigned)s->port,
                   s->cause);
    return s->net->text;
}

static void stream_close(plat_stream *base)
{
    lwip_stream *s = from_base(base);

    drop_connection(s);
    lwip_stream_init(s, s->net);
}

static const plat_stream_ops ops = {
    .open = stream_open,
    .progress = stream_progress,
    .recv = stream_recv,
    .send = stream_send,
    .poll = stream_poll,
    .flow = stream_flow,
    .resumed = stream_resumed,
    .detail = stream_detail,
    .close = stream_close,
    .deinit = stream_close,
};

plat_stream *lwip_stream_init(lwip_stream *s, plat_lwip_net *net)
{
    *s = (lwip_stream){ .base = { &ops }, .net = net };
    return &s->base;
}
