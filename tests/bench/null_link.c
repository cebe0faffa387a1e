#include "null_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "launcher/certificates.h"

enum { AHEAD = 64 * 1024 };

static gnutls_certificate_credentials_t credentials;
static gnutls_priority_t priorities;
static gnutls_datum_t ticket_key; /* empty if session tickets are not used */

bool null_tls_asks;
bool null_websockets;

static void must(int code, const char *what)
{
    if (code < 0) {
        fprintf(stderr, "null_broker: %s: %s\n", what, gnutls_strerror(code));
        exit(1);
    }
}

static void stop_if(hub_result r, const hub_fault *fault)
{
    if (r != HUB_OK) {
        fprintf(stderr, "null_broker: %s\n", fault->text);
        exit(1);
    }
}

/* The key is kept in a file, so that a broker accepts the tickets of the one before it. */
static void load_ticket_key(const hub_store *store)
{
    char *path = hub_store_path(store, "ticket.key");
    hub_fault fault;

    if (gnutls_load_file(path, &ticket_key) < 0) {
        must(gnutls_session_ticket_key_generate(&ticket_key), "ticket key");
        stop_if(hub_store_write(store, "ticket.key", ticket_key.data, ticket_key.size, &fault),
                &fault);
    }
    free(path);
}

void null_tls_load(const char *folder, const char *ciphers, bool tickets)
{
    char wanted[128] = "NORMAL";
    const hub_certificates_plan plan = { .kind = HUB_PAIR_RSA };
    hub_store store;
    hub_fault fault;

    (void)mkdir(folder, 0700);
    hub_store_open(&store, folder, NULL, NULL);
    stop_if(hub_certificates_ensure(&store, &plan, (int64_t)time(NULL), &fault), &fault);
    char *crt = hub_store_path(&store, "server.crt");
    char *key = hub_store_path(&store, "server.key");
    must(gnutls_certificate_allocate_credentials(&credentials), "certificate");
    must(gnutls_certificate_set_x509_key_file(credentials, crt, key, GNUTLS_X509_FMT_PEM), crt);
    if (ciphers != NULL) {
        (void)snprintf(wanted, sizeof wanted, "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:%s",
                       ciphers);
    }
    must(gnutls_priority_init(&priorities, wanted, NULL), wanted);
    if (tickets) {
        load_ticket_key(&store);
    }
    free(crt);
    free(key);
    hub_store_close(&store);
}

/* Reads as much as possible in one call, because GnuTLS asks separately for the head and the
 * body of each record. */
static ssize_t pull(gnutls_transport_ptr_t user, void *buf, size_t cap)
{
    null_link *l = user;

    if (l->ahead_at == l->ahead_len) {
        ssize_t n = recv(l->fd, l->ahead, AHEAD, 0);
        if (n <= 0) {
            return n;
        }
        l->ahead_at = 0;
        l->ahead_len = (size_t)n;
    }
    size_t len = l->ahead_len - l->ahead_at < cap ? l->ahead_len - l->ahead_at : cap;
    memcpy(buf, l->ahead + l->ahead_at, len);
    l->ahead_at += len;
    return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t user, const void *buf, size_t len)
{
    const null_link *l = user;

    return send(l->fd, buf, len, MSG_NOSIGNAL);
}

void null_link_open(null_link *l, int fd, bool secure)
{
    const int on = 1;

    *l = (null_link){ .fd = fd };
    l->websocket = null_websockets ? calloc(1, sizeof *l->websocket) : NULL;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!secure) {
        return;
    }
    l->ahead = malloc(AHEAD);
    must(gnutls_init(&l->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), "session");
    must(gnutls_priority_set(l->tls, priorities), "priorities");
    must(gnutls_credentials_set(l->tls, GNUTLS_CRD_CERTIFICATE, credentials), "certificate");
    if (ticket_key.size > 0) {
        must(gnutls_session_ticket_enable_server(l->tls, &ticket_key), "tickets");
    }
    if (null_tls_asks) {
        gnutls_certificate_server_set_request(l->tls, GNUTLS_CERT_REQUEST);
    }
    gnutls_transport_set_ptr(l->tls, l);
    gnutls_transport_set_pull_function(l->tls, pull);
    gnutls_transport_set_push_function(l->tls, push);
}

void null_link_close(null_link *l)
{
    if (l->tls != NULL) {
        gnutls_deinit(l->tls);
    }
    free(l->ahead);
    free(l->websocket);
    (void)close(l->fd);
}

static ssize_t tls_result(ssize_t n)
{
    if (n == 0 || (n < 0 && gnutls_error_is_fatal((int)n))) {
        return -1;
    }
    return n > 0 ? n : 0;
}

static ssize_t plain_result(ssize_t n)
{
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        return -1;
    }
    return n > 0 ? n : 0;
}

/* Reads records until none is left, so that many messages are answered together. */
static ssize_t tls_read(null_link *l, uint8_t *buf, size_t cap)
{
    size_t got = 0;

    if (!l->greeted) {
        int code = gnutls_handshake(l->tls);
        if (code < 0) {
            return gnutls_error_is_fatal(code) ? -1 : 0;
        }
        l->greeted = true;
    }
    while (got < cap) {
        ssize_t n = tls_result(gnutls_record_recv(l->tls, buf + got, cap - got));
        if (n <= 0) {
            return got > 0 ? (ssize_t)got : n;
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static ssize_t raw_read(null_link *l, uint8_t *buf, size_t cap)
{
    return l->tls != NULL ? tls_read(l, buf, cap) : plain_result(recv(l->fd, buf, cap, 0));
}

static ssize_t raw_write(null_link *l, const uint8_t *buf, size_t len)
{
    return l->tls != NULL ? tls_result(gnutls_record_send(l->tls, buf, len))
                          : plain_result(send(l->fd, buf, len, MSG_NOSIGNAL));
}

/* Writes the frame in progress. Returns 1 when all of it was written. */
static ssize_t write_frame(null_link *l)
{
    null_websocket *w = l->websocket;

    while (w->frame_at < w->frame_len) {
        ssize_t n = raw_write(l, w->frame + w->frame_at, w->frame_len - w->frame_at);
        if (n <= 0) {
            return n;
        }
        w->frame_at += (size_t)n;
    }
    w->frame_len = 0;
    return 1;
}

/* Reads until no byte is left, because TLS may hold bytes that epoll does not report. */
static ssize_t websocket_read(null_link *l, uint8_t *buf, size_t cap)
{
    null_websocket *w = l->websocket;
    size_t got = 0;

    while (got < cap) {
        const size_t room = cap - got;
        ssize_t n = raw_read(l, buf + got, room);
        if (n <= 0) {
            return got > 0 ? (ssize_t)got : n;
        }
        if (!w->open) { /* clients send nothing before they have received the answer */
            (void)null_websocket_upgrade(w, buf, (size_t)n);
            if (w->open && write_frame(l) < 0) {
                return -1;
            }
            continue;
        }
        got += null_websocket_decode(w, buf + got, (size_t)n);
        if ((size_t)n < room) {
            break;
        }
    }
    return (ssize_t)got;
}

static ssize_t websocket_write(null_link *l, const uint8_t *buf, size_t len)
{
    null_websocket *w = l->websocket;

    if (w->frame_len == 0) { /* otherwise the caller repeats the bytes of the previous call */
        null_websocket_encode(w, buf, len);
    }
    ssize_t n = write_frame(l);
    return n == 1 ? (ssize_t)w->content_len : n;
}

ssize_t null_link_read(null_link *l, uint8_t *buf, size_t cap)
{
    return l->websocket != NULL ? websocket_read(l, buf, cap) : raw_read(l, buf, cap);
}

ssize_t null_link_write(null_link *l, const uint8_t *buf, size_t len)
{
    return l->websocket != NULL ? websocket_write(l, buf, len) : raw_write(l, buf, len);
}
