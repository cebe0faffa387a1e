#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curl/curl_bind.h"
#include "curl/curl_memory.h"
#include "curl/proxy_url.h"
#include "curl/tunnel_failure.h"
#include "failure/failure_text.h"
#include "platform/tunnel.h"
#include "posix/tcp_flow.h"

/* Longest host name or address. */
#define HOST_MAX 255

/* The largest number of bytes that one call sends over TLS to a proxy. */
#define KEPT_MAX 16384

typedef enum tunnel_state {
    TUNNEL_CLOSED = 0,
    TUNNEL_RESOLVING,
    TUNNEL_CONNECTING,
    TUNNEL_OPEN,
    TUNNEL_FAILED /* every call returns the failure again, until close */
} tunnel_state;

/*
 * libcurl makes the connection, and keeps it. Its descriptors, and later the one of the connection,
 * are members of one epoll descriptor, which is the only one that poll reports: so it never changes
 * while libcurl tries addresses.
 */
typedef struct curl_tunnel {
    plat_stream base;
    plat_proxy_url proxy;
    char *bind;    /* NULL: none */
    char *ca_file; /* NULL: none */
    void *ca_data; /* NULL: none */
    size_t ca_len;

    CURLM *multi;
    CURL *easy;           /* NULL unless the stream is being opened or is open */
    int epoll;            /* -1: none could be made */
    curl_socket_t socket; /* of the open connection */
    bool watches_write;   /* socket is watched until it is writable */
    bool may_have_more;   /* TLS to the proxy may hold bytes that were not returned yet */
    tunnel_state state;
    plat_result failure;
    uint64_t wake_at_ms; /* when libcurl's timer expires; 0: never */
    uint64_t received;   /* bytes of the open connection */
    uint64_t sent;
    const char *host; /* the caller's text, valid until close */
    uint16_t port;
    uint16_t tried_port; /* of the address that libcurl connected to last */
    char *detail;        /* text of the last failure; see failure_text.h */
    char remark[CURL_ERROR_SIZE];

    /* Bytes that must be passed to TLS again from the same address, because OpenSSL requires
     * that. Used only if the scheme of the proxy is https. */
    uint8_t *kept;
    size_t kept_len;
} curl_tunnel;

static curl_tunnel *self_of(plat_stream *s)
{
    return (curl_tunnel *)s;
}

static plat_result fail(curl_tunnel *t, plat_result r)
{
    t->state = TUNNEL_FAILED;
    t->failure = r;
    return r;
}

/* --- what libcurl waits for ------------------------------------------------------------------ */

static void watch(int epoll, curl_socket_t socket, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.fd = socket };

    if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &e) != 0 && errno == ENOENT) {
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &e);
    }
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *unused)
{
    const curl_tunnel *t = user;
    uint32_t events = 0;

    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    events |= (what & CURL_POLL_IN) != 0 ? EPOLLIN : 0;
    events |= (what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0;
    watch(t->epoll, socket, events);
    return 0;
}

/* libcurl calls this to make a socket, so the look-up of the name has ended. */
static curl_socket_t on_new_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to)
{
    curl_tunnel *t = user;
    struct sockaddr_in any;

    (void)purpose;
    t->state = TUNNEL_CONNECTING;
    /* The port stands at the same place in the addresses of both versions of IP. */
    memcpy(&any, &to->addr, sizeof any);
    t->tried_port = ntohs(any.sin_port);
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Discards the body of a proxy's answer. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl prescribes the type */
static size_t on_data(char *data, size_t one, size_t len, void *user)
{
    (void)data;
    (void)user;
    return one * len;
}

static int curl_mask(uint32_t events)
{
    int mask = 0;

    mask |= (events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0;
    mask |= (events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
    mask |= (events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0;
    return mask;
}

static void drive(curl_tunnel *t, uint64_t now_ms)
{
    struct epoll_event ready[8];
    int running;
    long ms = -1;
    const int count = epoll_wait(t->epoll, ready, sizeof ready / sizeof ready[0], 0);

    for (int i = 0; i < count; i++) {
        (void)curl_multi_socket_action(t->multi, ready[i].data.fd, curl_mask(ready[i].events),
                                       &running);
    }
    (void)curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    (void)curl_multi_timeout(t->multi, &ms);
    t->wake_at_ms = ms < 0 ? 0 : now_ms + (uint64_t)ms;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Refuses what would change the meaning of the URL that is made of the host. */
static bool is_host(const char *host)
{
    const size_t len = strlen(host);

    return len > 0 && len <= HOST_MAX &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") ==
               len;
}

/* Returns the first failure; the calls after it do no harm. */
static CURLcode first(CURLcode a, CURLcode b)
{
    return a != CURLE_OK ? a : b;
}

static CURLcode set_trust(curl_tunnel *t)
{
    CURL *easy = t->easy;
    struct curl_blob roots = { .data = t->ca_data, .len = t->ca_len, .flags = CURL_BLOB_NOCOPY };

    if (t->ca_data != NULL) {
        return curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, &roots);
    }
    return t->ca_file != NULL ? curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, t->ca_file) : CURLE_OK;
}

static CURLcode set_options(curl_tunnel *t, const char *url)
{
    CURL *easy = t->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, url);

    code = first(code, curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http"));
    code = first(code, curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L));
    code = first(code, curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    code = first(code, curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->remark));
    code = first(code, curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_new_socket));
    code = first(code, curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t));
    code = first(code, curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data));
    code = first(code, curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L));
    code = first(code, curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L));
    code = first(code, plat_proxy_url_apply(&t->proxy, easy));
    code = first(code, plat_curl_bind(easy, t->bind));
    return first(code, set_trust(t));
}

static bool start_curl(curl_tunnel *t)
{
    char url[HOST_MAX + 32];
    const bool is_ipv6 = strchr(t->host, ':') != NULL;

    (void)snprintf(url, sizeof url, "http://%s%s%s:%u/", is_ipv6 ? "[" : "", t->host,
                   is_ipv6 ? "]" : "", (unsigned)t->port);
    t->remark[0] = '\0';
    t->easy = curl_easy_init();
    return t->easy != NULL && set_options(t, url) == CURLE_OK &&
           curl_multi_add_handle(t->multi, t->easy) == CURLM_OK;
}

static void end_curl(curl_tunnel *t)
{
    if (t->easy != NULL) {
        (void)curl_multi_remove_handle(t->multi, t->easy);
        curl_easy_cleanup(t->easy);
        t->easy = NULL;
    }
    t->socket = CURL_SOCKET_BAD;
    t->wake_at_ms = 0;
}

static plat_result tunnel_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    curl_tunnel *t = self_of(base);

    if (t->state != TUNNEL_CLOSED) {
        return PLAT_ERR_STATE;
    }
    if (!is_host(host)) {
        return PLAT_ERR_ARG;
    }
    t->host = host;
    t->port = port;
    t->tried_port = 0;
    t->state = TUNNEL_RESOLVING;
    t->wake_at_ms = now_ms; /* libcurl begins inside progress */
    if (!start_curl(t)) {
        plat_failure_text_set(&t->detail, "proxy %.80s: no memory is left", t->proxy.name);
        return fail(t, PLAT_ERR_MEMORY);
    }
    return PLAT_OK;
}

/* Returns whether the environment has named no proxy for this host. */
static bool goes_direct(const curl_tunnel *t)
{
    return t->proxy.port == 0 || (t->proxy.except[0] != '\0' && t->tried_port == t->port &&
                                  t->tried_port != t->proxy.port);
}

static plat_result explain(curl_tunnel *t, CURLcode code)
{
    plat_tunnel_failure f = {
        .code = code,
        .direct = goes_direct(t),
        .has_user = t->proxy.user != NULL,
        .proxy = t->proxy.name,
        .host = t->host,
        .port = t->port,
        .remark = t->remark[0] != '\0' ? t->remark : curl_easy_strerror(code),
    };

    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &f.status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_PROXY_ERROR, &f.socks);
    (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &f.os_error);
    return fail(t, plat_tunnel_explain(&f, &t->detail));
}

static plat_result become_open(curl_tunnel *t)
{
    if (curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &t->socket) != CURLE_OK ||
        t->socket == CURL_SOCKET_BAD) {
        plat_failure_text_set(&t->detail, "proxy %.80s: it closed the connection", t->proxy.name);
        return fail(t, PLAT_ERR_PROXY);
    }
    watch(t->epoll, t->socket, EPOLLIN);
    t->watches_write = false;
    t->may_have_more = false;
    t->received = 0;
    t->sent = 0;
    t->kept_len = 0;
    t->wake_at_ms = 0;
    t->state = TUNNEL_OPEN;
    return PLAT_OK;
}

static plat_result connecting(curl_tunnel *t, uint64_t now_ms)
{
    int left;

    drive(t, now_ms);
    const CURLMsg *m = curl_multi_info_read(t->multi, &left);
    if (m == NULL || m->msg != CURLMSG_DONE) {
        return PLAT_WOULD_BLOCK;
    }
    return m->data.result == CURLE_OK ? become_open(t) : explain(t, m->data.result);
}

static plat_stage stage_of(const curl_tunnel *t)
{
    switch (t->state) {
    case TUNNEL_OPEN: return PLAT_STAGE_OPEN;
    case TUNNEL_CONNECTING: return PLAT_STAGE_CONNECT;
    case TUNNEL_FAILED: return t->failure == PLAT_ERR_DNS ? PLAT_STAGE_RESOLVE : PLAT_STAGE_CONNECT;
    case TUNNEL_CLOSED:
    case TUNNEL_RESOLVING: break;
    }
    return PLAT_STAGE_RESOLVE;
}

static plat_result tunnel_progress(plat_stream *base, uint64_t now_ms, plat_stage *stage)
{
    curl_tunnel *t = self_of(base);
    plat_result r = PLAT_ERR_STATE;

    switch (t->state) {
    case TUNNEL_RESOLVING:
    case TUNNEL_CONNECTING: r = connecting(t, now_ms); break;
    case TUNNEL_OPEN: r = PLAT_OK; break;
    case TUNNEL_FAILED: r = t->failure; break;
    case TUNNEL_CLOSED: break;
    }
    *stage = stage_of(t);
    return r;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static plat_result not_open(const curl_tunnel *t)
{
    return t->state == TUNNEL_FAILED ? t->failure : PLAT_ERR_STATE;
}

static plat_result io_failed(curl_tunnel *t, CURLcode code)
{
    if (code == CURLE_AGAIN) {
        return PLAT_WOULD_BLOCK;
    }
    plat_failure_text_set(&t->detail, "%.80s port %u through the proxy %.80s: %s", t->host,
                          (unsigned)t->port, t->proxy.name, curl_easy_strerror(code));
    return fail(t, PLAT_ERR_IO);
}

/* Receives until buf is full if TLS may hold more bytes, because no event would report those. */
static plat_result tunnel_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    curl_tunnel *t = self_of(base);
    CURLcode code = CURLE_OK;
    size_t n = 0;

    *got = 0;
    if (t->state != TUNNEL_OPEN) {
        return not_open(t);
    }
    do {
        code = curl_easy_recv(t->easy, buf + *got, cap - *got, &n);
        *got += code == CURLE_OK ? n : 0;
    } while (t->proxy.over_tls && code == CURLE_OK && n > 0 && *got < cap);
    t->may_have_more = t->proxy.over_tls && *got == cap;
    t->received += *got;
    if (*got > 0) {
        return PLAT_OK;
    }
    return code == CURLE_OK ? PLAT_EOF : io_failed(t, code);
}

/* Returns the bytes to send now: those of the caller, or over TLS our copy of the same bytes. */
static const uint8_t *bytes_to_send(curl_tunnel *t, const uint8_t *buf, size_t *len)
{
    if (!t->proxy.over_tls) {
        return buf;
    }
    if (t->kept_len == 0) {
        t->kept_len = *len < KEPT_MAX ? *len : KEPT_MAX;
        memcpy(t->kept, buf, t->kept_len);
    }
    *len = t->kept_len;
    return t->kept;
}

static plat_result tunnel_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    curl_tunnel *t = self_of(base);

    *sent = 0;
    if (t->state != TUNNEL_OPEN) {
        return not_open(t);
    }
    const uint8_t *from = bytes_to_send(t, buf, &len);
    CURLcode code = curl_easy_send(t->easy, from, len, sent);
    if (code != CURLE_OK) {
        *sent = 0;
        return io_failed(t, code);
    }
    if (*sent == 0) {
        return PLAT_WOULD_BLOCK;
    }
    t->kept_len = 0;
    t->sent += *sent;
    return PLAT_OK;
}

static void watch_write(curl_tunnel *t, bool wanted)
{
    if (t->watches_write != wanted) {
        watch(t->epoll, t->socket, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
        t->watches_write = wanted;
    }
}

static void tunnel_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    curl_tunnel *t = self_of(base);

    (void)least;
    *out = (plat_poll){ .fd = -1 };
    if (t->state == TUNNEL_CLOSED || t->state == TUNNEL_FAILED) {
        return;
    }
    out->fd = t->epoll;
    out->want_read = true;
    out->wake_at_ms = t->wake_at_ms;
    if (t->state == TUNNEL_OPEN) {
        watch_write(t, want_send);
        out->ready_now = t->may_have_more;
    }
}

static void tunnel_flow(plat_stream *base, plat_flow *out)
{
    curl_tunnel *t = self_of(base);

    *out = (plat_flow){ .awaited = true };
    if (t->state != TUNNEL_OPEN) {
        return;
    }
    const plat_tcp_queues q = plat_tcp_queues_of(t->socket);
    out->received = t->received + q.unread;
    out->pending = q.unacknowledged < t->sent ? q.unacknowledged : t->sent;
    out->delivered = t->sent - out->pending;
    out->awaited = q.awaited;
}

static bool tunnel_resumed(const plat_stream *base)
{
    (void)base;
    return false;
}

static const char *tunnel_detail(const plat_stream *base)
{
    const curl_tunnel *t = (const curl_tunnel *)base;

    return t->state == TUNNEL_FAILED ? plat_failure_text_get(t->detail) : "";
}

/* --- life ------------------------------------------------------------------------------------- */

static void tunnel_close(plat_stream *base)
{
    curl_tunnel *t = self_of(base);

    end_curl(t);
    plat_failure_text_drop(&t->detail);
    t->state = TUNNEL_CLOSED;
}

static void tunnel_deinit(plat_stream *base)
{
    curl_tunnel *t = self_of(base);

    tunnel_close(base);
    if (t->multi != NULL) {
        (void)curl_multi_cleanup(t->multi);
    }
    if (t->epoll >= 0) {
        (void)close(t->epoll);
    }
    plat_proxy_url_drop(&t->proxy);
    free(t->bind);
    free(t->ca_file);
    free(t->ca_data);
    free(t->kept);
    free(t);
    plat_curl_end();
}

static const plat_stream_ops ops = {
    .open = tunnel_open,
    .progress = tunnel_progress,
    .recv = tunnel_recv,
    .send = tunnel_send,
    .poll = tunnel_poll,
    .flow = tunnel_flow,
    .resumed = tunnel_resumed,
    .detail = tunnel_detail,
    .close = tunnel_close,
    .deinit = tunnel_deinit,
};

static bool copy_bind(curl_tunnel *t, const plat_tunnel_config *config)
{
    t->bind = config->bind != NULL ? strdup(config->bind) : NULL;
    return t->bind != NULL || config->bind == NULL;
}

static bool copy_trust(curl_tunnel *t, const plat_tunnel_config *config)
{
    if (config->ca_data != NULL) {
        t->ca_data = malloc(config->ca_len + 1);
        if (t->ca_data == NULL) {
            return false;
        }
        memcpy(t->ca_data, config->ca_data, config->ca_len);
        t->ca_len = config->ca_len;
        return true;
    }
    t->ca_file = config->ca_file != NULL ? strdup(config->ca_file) : NULL;
    return t->ca_file != NULL || config->ca_file == NULL;
}

static bool make_parts(curl_tunnel *t, const plat_tunnel_config *config)
{
    t->kept = t->proxy.over_tls ? malloc(KEPT_MAX) : NULL;
    if (t->proxy.over_tls && t->kept == NULL) {
        return false;
    }
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    t->multi = curl_multi_init();
    return t->epoll >= 0 && t->multi != NULL && copy_bind(t, config) && copy_trust(t, config) &&
           curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t) == CURLM_OK;
}

static plat_result make_tunnel(const plat_tunnels *self, const plat_tunnel_config *config,
                               plat_stream **out)
{
    (void)self;
    *out = NULL;
    if (plat_curl_begin() != CURLE_OK) {
        return PLAT_ERR_MEMORY;
    }
    curl_tunnel *t = calloc(1, sizeof *t);
    if (t == NULL) {
        plat_curl_end();
        return PLAT_ERR_MEMORY;
    }
    t->base.ops = &ops;
    t->epoll = -1;
    t->socket = CURL_SOCKET_BAD;
    const char *fault = plat_proxy_url_parse(config->proxy, &t->proxy);
    if (fault == plat_proxy_url_no_memory || (fault == NULL && !make_parts(t, config))) {
        tunnel_deinit(&t->base);
        return PLAT_ERR_MEMORY;
    }
    *out = &t->base;
    if (fault != NULL) {
        plat_failure_text_set(&t->detail, "%s", fault);
        return fail(t, PLAT_ERR_ARG);
    }
    return PLAT_OK;
}

static const char *find_fault(const plat_tunnels *self, const char *proxy)
{
    plat_proxy_url p;
    const char *fault = plat_proxy_url_parse(proxy, &p);

    (void)self;
    plat_proxy_url_drop(&p);
    return fault;
}

static const plat_tunnels tunnels = { .fault = find_fault, .stream = make_tunnel };

const plat_tunnels *plat_curl_tunnels(void)
{
    return &tunnels;
}
