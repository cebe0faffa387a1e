#include "launcher/amqp_server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "amqp/amqp_refusal.h"

#define PATIENCE_MS    10000
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

typedef enum client_state { CLIENT_HANDSHAKE = 0, CLIENT_TALKING, CLIENT_GONE } client_state;

typedef struct client {
    int fd; /* -1: free */
    gnutls_session_t tls;
    client_state state;
    amqp_refusal refusal;
    hub_text out;
    size_t sent;
    int64_t deadline_ms;
} client;

struct hub_amqp_server {
    hub_sockets sockets;
    gnutls_certificate_credentials_t credentials;
    client clients[HUB_AMQP_CLIENTS];
};

static int64_t up_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- one client -------------------------------------------------------- */

static void end_client(client *c)
{
    gnutls_deinit(c->tls);
    (void)close(c->fd);
    hub_text_free(&c->out);
    *c = (client){ .fd = -1 };
}

static void handshake(client *c)
{
    int r = gnutls_handshake(c->tls);

    if (r == GNUTLS_E_SUCCESS) {
        c->state = CLIENT_TALKING;
    } else if (gnutls_error_is_fatal(r) != 0) {
        c->state = CLIENT_GONE;
    }
}

/* Sends what is possible. Returns false if nothing more can be sent now. */
static bool send_some(client *c)
{
    if (c->sent == c->out.len) {
        return false;
    }
    ssize_t n = gnutls_record_send(c->tls, c->out.p + c->sent, c->out.len - c->sent);
    if (n > 0) {
        c->sent += (size_t)n;
        return true;
    }
    c->state = n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED ? CLIENT_GONE : c->state;
    return false;
}

static bool receive_some(client *c)
{
    uint8_t bytes[1024];
    ssize_t n = gnutls_record_recv(c->tls, bytes, sizeof bytes);

    if (n > 0) {
        amqp_refusal_take(&c->refusal, bytes, (size_t)n, &c->out);
        return true;
    }
    if (n == 0 || gnutls_error_is_fatal((int)n) != 0) {
        c->state = CLIENT_GONE;
    }
    return false;
}

/* Called when all answers were sent. Sets how long the client may take, and returns true if
 * something is expected from it. */
static void limit_wait(client *c, int64_t now)
{
    if (c->refusal.state == AMQP_REFUSAL_WRONG) {
        c->state = CLIENT_GONE;
    } else if (c->refusal.state == AMQP_REFUSAL_CLOSING && now + AMQP_CLOSING_MS < c->deadline_ms) {
        c->deadline_ms = now + AMQP_CLOSING_MS;
    }
}

static void talk(client *c, int64_t now)
{
    while (c->state == CLIENT_TALKING && (send_some(c) || receive_some(c))) {
    }
    while (c->state == CLIENT_TALKING && send_some(c)) {
    }
    if (c->state == CLIENT_TALKING && c->sent == c->out.len) {
        limit_wait(c, now);
    }
}

static void serve(client *c, int64_t now)
{
    if (c->state == CLIENT_HANDSHAKE) {
        handshake(c);
    }
    talk(c, now);
    if (c->state == CLIENT_GONE || now >= c->deadline_ms) {
        (void)gnutls_bye(c->tls, GNUTLS_SHUT_WR);
        end_client(c);
    }
}

/* --- all of them ------------------------------------------------------- */

static client *free_place(hub_amqp_server *s)
{
    for (size_t i = 0; i < HUB_AMQP_CLIENTS; i++) {
        if (s->clients[i].fd < 0) {
            return &s->clients[i];
        }
    }
    return NULL;
}

static void serve_all(hub_amqp_server *s, int64_t now)
{
    for (size_t i = 0; i < HUB_AMQP_CLIENTS; i++) {
        if (s->clients[i].fd >= 0) {
            serve(&s->clients[i], now);
        }
    }
}

static void begin_client(hub_amqp_server *s, int fd, int64_t now)
{
    client *c = free_place(s);
    gnutls_session_t tls;

    if (c == NULL) {
        serve_all(s, now); /* first, since this may make room for new clients */
        c = free_place(s);
    }
    if (c == NULL || gnutls_init(&tls, GNUTLS_SERVER | GNUTLS_NONBLOCK) < 0) {
        (void)close(fd);
        return;
    }
    *c = (client){ .fd = fd, .tls = tls, .deadline_ms = now + PATIENCE_MS };
    (void)gnutls_priority_set_direct(tls, TLS_PRIORITIES, NULL);
    (void)gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, s->credentials);
    gnutls_transport_set_int(tls, fd);
}

static void accept_all(hub_amqp_server *s, int listening, int64_t now)
{
    int fd;

    while (listening >= 0 &&
           (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        begin_client(s, fd, now);
    }
}

void hub_amqp_run(hub_amqp_server *s)
{
    const int64_t now = up_ms();

    if (s == NULL) {
        return;
    }
    serve_all(s, now);
    accept_all(s, s->sockets.v4, now);
    accept_all(s, s->sockets.v6, now);
}

static size_t add_poll(struct pollfd *polls, size_t n, int fd, short events)
{
    if (fd < 0) {
        return n;
    }
    polls[n] = (struct pollfd){ .fd = fd, .events = events };
    return n + 1;
}

static short events_of(const client *c)
{
    if (c->state == CLIENT_HANDSHAKE) {
        return gnutls_record_get_direction(c->tls) != 0 ? POLLOUT : POLLIN;
    }
    return c->sent < c->out.len ? POLLIN | POLLOUT : POLLIN;
}

size_t hub_amqp_polls(const hub_amqp_server *s, struct pollfd polls[HUB_AMQP_POLLS_MAX])
{
    size_t n = 0;

    if (s == NULL) {
        return 0;
    }
    n = add_poll(polls, n, s->sockets.v4, POLLIN);
    n = add_poll(polls, n, s->sockets.v6, POLLIN);
    for (size_t i = 0; i < HUB_AMQP_CLIENTS; i++) {
        n = s->clients[i].fd < 0 ? n
                                 : add_poll(polls, n, s->clients[i].fd, events_of(&s->clients[i]));
    }
    return n;
}

int hub_amqp_timeout(const hub_amqp_server *s)
{
    int64_t soonest = INT64_MAX;

    for (size_t i = 0; s != NULL && i < HUB_AMQP_CLIENTS; i++) {
        const client *c = &s->clients[i];
        soonest = c->fd >= 0 && c->deadline_ms < soonest ? c->deadline_ms : soonest;
    }
    if (soonest == INT64_MAX) {
        return -1;
    }
    int64_t left = soonest - up_ms();
    return left > 0 ? (int)left : 0;
}

static hub_result load(hub_amqp_server *s, const hub_store *store, hub_fault *fault)
{
    char *certificate = hub_store_path(store, "server.crt");
    char *key = hub_store_path(store, "server.key");
    int r = gnutls_certificate_allocate_credentials(&s->credentials);

    if (r >= 0) {
        r = gnutls_certificate_set_x509_key_file(s->credentials, certificate, key,
                                                 GNUTLS_X509_FMT_PEM);
    }
    free(certificate);
    free(key);
    return r >= 0 ? HUB_OK
                  : hub_fail(fault, HUB_ERR_STATE, "AMQP: server.crt: %s", gnutls_strerror(r));
}

/* Makes these sockets accessible to this user only; those of the broker stay as they are. */
static void make_private(int fd)
{
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    }
}

hub_result hub_amqp_start(hub_amqp_server **out, const hub_sockets *sockets, const hub_store *store,
                          hub_fault *fault)
{
    hub_amqp_server *s = hub_calloc(1, sizeof *s);

    *out = NULL;
    hub_sockets_init(&s->sockets);
    for (size_t i = 0; i < HUB_AMQP_CLIENTS; i++) {
        s->clients[i].fd = -1;
    }
    hub_result r = load(s, store, fault);
    if (r != HUB_OK) {
        hub_amqp_stop(s);
        return r;
    }
    make_private(sockets->v4);
    make_private(sockets->v6);
    s->sockets = *sockets;
    *out = s;
    return HUB_OK;
}

void hub_amqp_stop(hub_amqp_server *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < HUB_AMQP_CLIENTS; i++) {
        if (s->clients[i].fd >= 0) {
            end_client(&s->clients[i]);
        }
    }
    hub_sockets_close(&s->sockets);
    if (s->credentials != NULL) {
        gnutls_certificate_free_credentials(s->credentials);
    }
    free(s);
}
