#include "front/front_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/call.h"
#include "front/front_login.h"
#include "front/sockets.h"
#include "front/upgrade_request.h"
#include "registry/client_chain.h"

#define OUT_MAX        65536 /* most bytes that TLS itself sends to a client that does not read */
#define CHAIN_MAX_LEN  40000 /* length in base64, which leaves room for a token in the password */
#define NOT_AUTHORIZED 5

static void report(const hub_front_client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void report(const hub_front_client *c, const char *format, ...)
{
    char line[256];
    va_list args;

    if (c->shared->setup.log == NULL) {
        return;
    }
    int at = snprintf(line, sizeof line, "%s: ", c->peer);
    va_start(args, format);
    (void)vsnprintf(line + at, sizeof line - (size_t)at, format, args);
    va_end(args);
    c->shared->setup.log(c->shared->setup.user, line);
}

/* --- what epoll watches ------------------------------------------------ */

static void watch(const hub_front_client *c, hub_front_end *end, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = end };
    int what = EPOLL_CTL_MOD;

    if (end->fd < 0 || end->events == events) {
        return;
    }
    if (end->events == 0) {
        what = EPOLL_CTL_ADD;
    } else if (events == 0) { /* without this, a hang-up would be reported again and again */
        what = EPOLL_CTL_DEL;
    }
    if (epoll_ctl(c->shared->setup.epoll_fd, what, end->fd, &e) == 0) {
        end->events = events;
    }
}

/* Returns whether bytes go in both directions. */
static bool is_between(const hub_front_client *c)
{
    return c->state == HUB_FRONT_ASKING || c->state == HUB_FRONT_OPEN;
}

static bool wants_device(const hub_front_client *c)
{
    switch (c->state) {
    case HUB_FRONT_HANDSHAKE:
    case HUB_FRONT_REQUEST:
    case HUB_FRONT_LOGIN:
    case HUB_FRONT_LINGERING: return true;
    case HUB_FRONT_ASKING:
    case HUB_FRONT_OPEN:
        return hub_server_line_pending(&c->server) == 0 && hub_tls_line_pending(&c->line) < OUT_MAX;
    case HUB_FRONT_DIALING:
    case HUB_FRONT_ENDING:
    case HUB_FRONT_GONE: break;
    }
    return false;
}

static bool wants_server(const hub_front_client *c)
{
    return hub_tls_line_pending(&c->line) == 0 && (is_between(c) || c->state == HUB_FRONT_ENDING);
}

static void watch_both(hub_front_client *c)
{
    uint32_t device = wants_device(c) ? EPOLLIN : 0;
    uint32_t server = wants_server(c) ? EPOLLIN : 0;

    if (c->state == HUB_FRONT_GONE) {
        return;
    }
    watch(c, &c->device_end, device | (hub_tls_line_pending(&c->line) > 0 ? EPOLLOUT : 0));
    watch(c, &c->server_end, server | (hub_server_line_pending(&c->server) > 0 ? EPOLLOUT : 0));
}

static void set_deadline(hub_front_client *c, int64_t ms)
{
    c->deadline_ms = c->shared->now_ms + ms;
    hub_list_push(&c->shared->waiting, &c->in_waiting, c);
}

static void enter(hub_front_client *c, hub_front_state state)
{
    c->state = state;
    switch (state) {
    case HUB_FRONT_OPEN: hub_list_remove(&c->in_waiting); break;
    case HUB_FRONT_ENDING: /* more than enough, because the server soon receives the bytes */
        set_deadline(c, c->shared->setup.timing.login_ms);
        break;
    case HUB_FRONT_LINGERING: set_deadline(c, c->shared->setup.timing.linger_ms); break;
    case HUB_FRONT_HANDSHAKE:
    case HUB_FRONT_REQUEST:
    case HUB_FRONT_LOGIN:
    case HUB_FRONT_DIALING:
    case HUB_FRONT_ASKING:
    case HUB_FRONT_GONE: break;
    }
}

/* --- bytes ------------------------------------------------------------- */

static hub_tls_state read_plain(hub_front_client *c, void *buffer, size_t cap, size_t *len,
                                const char **why)
{
    return c->websocket != NULL ? hub_websocket_read(c->websocket, buffer, cap, len, why)
                                : hub_tls_line_read(&c->line, buffer, cap, len, why);
}

static void write_plain(hub_front_client *c, const void *data, size_t len)
{
    if (c->websocket != NULL) {
        hub_websocket_write(c->websocket, data, len);
    } else {
        hub_tls_line_write(&c->line, data, len);
    }
}

/* Notifies the client that nothing more follows. */
static void say_bye(hub_front_client *c)
{
    if (c->websocket != NULL) {
        hub_websocket_bye(c->websocket);
    }
    hub_tls_line_bye(&c->line);
    hub_tls_line_flush(&c->line);
}

/* --- ends -------------------------------------------------------------- */

static void close_server(hub_front_client *c)
{
    hub_server_line_close(&c->server);
    c->server_end = (hub_front_end){ .client = c, .fd = -1 };
}

void hub_front_client_end(hub_front_client *c)
{
    if (c->state == HUB_FRONT_GONE) {
        return;
    }
    enter(c, HUB_FRONT_GONE);
    close_server(c);
    hub_tls_line_close(&c->line);
    c->device_end.fd = -1;
    hub_list_remove(&c->in_all);
    hub_list_remove(&c->in_waiting);
    hub_list_remove(&c->in_dialing);
    hub_list_push(&c->shared->gone, &c->in_gone, c);
}

void hub_front_client_free(hub_front_client *c)
{
    hub_websocket_free(c->websocket);
    hub_text_free(&c->start);
    hub_list_remove(&c->in_gone);
    free(c);
}

/* When everything was sent, TCP is closed in this direction only. If the socket were closed
 * completely while bytes of the client are unread, the last sent bytes would be lost. So the
 * bytes that still arrive are read and dropped. */
static void half_close(hub_front_client *c)
{
    if (c->state == HUB_FRONT_LINGERING && c->line.session != NULL &&
        hub_tls_line_pending(&c->line) == 0) {
        (void)shutdown(c->line.fd, SHUT_WR);
        hub_tls_line_drop_session(&c->line);
    }
}

static void finish(hub_front_client *c)
{
    const bool left = c->state == HUB_FRONT_ENDING;

    close_server(c);
    say_bye(c);
    if (left || c->line.broken) {
        hub_front_client_end(c);
        return;
    }
    enter(c, HUB_FRONT_LINGERING);
    half_close(c);
}

static void drop_rest(hub_front_client *c)
{
    hub_tls_server *s = &c->shared->tls;
    ssize_t n = recv(c->line.fd, s->bytes, sizeof s->bytes, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        hub_front_client_end(c);
    }
}

void hub_front_client_late(hub_front_client *c)
{
    if (c->state < HUB_FRONT_OPEN) {
        report(c, "closed: no login within %lld seconds",
               (long long)(c->shared->setup.timing.login_ms / 1000));
    }
    hub_front_client_end(c);
}

/* Returns whether a client of HTTP no longer waits for its answer. */
static bool wants_nothing(const hub_front_client *c)
{
    return c->carries == HUB_FRONT_CARRIES_HTTP && hub_server_line_pending(&c->server) == 0;
}

/* The server receives the rest of the bytes and the end, and the broker may still answer. Before
 * a login there is no server. Then only the answer to a close frame of WebSocket may have to be
 * sent. */
static void device_ended(hub_front_client *c)
{
    if (is_between(c) && !wants_nothing(c)) {
        enter(c, HUB_FRONT_ENDING);
        hub_server_line_end(&c->server);
    } else if (c->websocket != NULL) {
        finish(c);
    } else {
        hub_front_client_end(c);
    }
}

/* --- handshake --------------------------------------------------------- */

static void shake_hands(hub_front_client *c)
{
    hub_text chain = { 0 };
    const char *why = NULL;

    hub_tls_state r = hub_tls_line_handshake(&c->line, &why);
    if (r == HUB_TLS_AGAIN) {
        return;
    }
    if (r == HUB_TLS_ENDED) {
        report(c, "closed: the client does not speak TLS");
        hub_front_client_end(c);
        return;
    }
    if (r == HUB_TLS_FAILED) {
        report(c, "closed: TLS: %s", why);
        finish(c);
        return;
    }
    bool fits = hub_tls_line_peer_chain(&c->line, HUB_CHAIN_MAX, CHAIN_MAX_LEN, &chain);
    hub_text_free(&chain);
    if (!fits) {
        report(c, "closed: the chain of client certificates is too long");
        finish(c);
        return;
    }
    enter(c, c->service == HUB_FRONT_HTTPS ? HUB_FRONT_REQUEST : HUB_FRONT_LOGIN);
}

/* --- to the server ----------------------------------------------------- */

static void add_chain(const hub_front_client *c, hub_text *out)
{
    hub_text_str(out, "");
    (void)hub_tls_line_peer_chain(&c->line, HUB_CHAIN_MAX, CHAIN_MAX_LEN, out);
}

/* Passes one end of a new connection to the HTTP server, with what is known about the client.
 * Returns the other end, or -1 if that is not possible now. */
static int call_http(const hub_front_client *c)
{
    hub_text chain = { 0 };

    add_chain(c, &chain);
    int fd = hub_call_connect(c->shared->setup.calls_fd, chain.p, chain.len);
    hub_text_free(&chain);
    return fd;
}

/* If the queue of the server is full, or no descriptor is free, this is tried again. */
static void dial(hub_front_client *c)
{
    const bool http = c->carries == HUB_FRONT_CARRIES_HTTP;
    const int fd = http ? call_http(c) : hub_socket_connect(c->shared->setup.broker_path);

    if (fd < 0) {
        hub_list_push(&c->shared->dialing, &c->in_dialing, c);
        return;
    }
    hub_list_remove(&c->in_dialing);
    c->server_end.fd = fd;
    enter(c, http ? HUB_FRONT_OPEN : HUB_FRONT_ASKING);
    hub_server_line_open(&c->server, fd);
}

static size_t let_pass(hub_front_client *c, const uint8_t *data, size_t len)
{
    if (c->carries == HUB_FRONT_CARRIES_HTTP) {
        return len;
    }
    len = hub_traffic_from_device(&c->traffic, data, len);
    if (hub_traffic_is_forbidden(&c->traffic)) {
        report(c, "closed: topic below $SYS");
    }
    return len;
}

/* --- the first HTTP request -------------------------------------------- */

static void refuse_upgrade(hub_front_client *c, const hub_upgrade_request *r)
{
    hub_text answer = { 0 };

    report(c, "WebSocket refused: %s", r->why);
    hub_upgrade_refuse(r->status, r->why, &answer);
    hub_tls_line_write(&c->line, answer.p, answer.len);
    hub_text_free(&answer);
    finish(c);
}

static void upgrade(hub_front_client *c, const hub_upgrade_request *r, hub_upgrade_kind kind)
{
    hub_text answer = { 0 };

    hub_upgrade_accept(r, kind, &answer);
    hub_tls_line_write(&c->line, answer.p, answer.len);
    hub_text_free(&answer);
    c->websocket =
        hub_websocket_new(&c->line, c->start.p + r->head_len, c->start.len - r->head_len);
    hub_text_free(&c->start);
    enter(c, HUB_FRONT_LOGIN);
}

/* The HTTP server reads the request again. */
static void pass_to_http(hub_front_client *c)
{
    c->carries = HUB_FRONT_CARRIES_HTTP;
    hub_server_line_add(&c->server, c->start.p, c->start.len);
    hub_text_free(&c->start);
    enter(c, HUB_FRONT_DIALING);
    dial(c);
}

static void take_request(hub_front_client *c)
{
    hub_upgrade_request r;

    const hub_upgrade_kind kind = hub_upgrade_read(&r, c->start.p, c->start.len);
    switch (kind) {
    case HUB_UPGRADE_PART: break;
    case HUB_UPGRADE_MQTT: upgrade(c, &r, kind); break;
    case HUB_UPGRADE_AMQP:
    case HUB_UPGRADE_OTHER: pass_to_http(c); break;
    case HUB_UPGRADE_WRONG: refuse_upgrade(c, &r); break;
    }
}

/* --- login ------------------------------------------------------------- */

/* Answers the client instead of the broker. */
static void refuse(hub_front_client *c, const char *why)
{
    static const uint8_t connack[] = { 0x20, 2, 0, NOT_AUTHORIZED };

    report(c, "refused: %s", why);
    write_plain(c, connack, sizeof connack);
    finish(c);
}

static bool forward_login(hub_front_client *c, const hub_connect_packet *packet)
{
    hub_text chain = { 0 };
    hub_text out = { 0 };

    add_chain(c, &chain);
    const hub_front_login login = {
        .number = c->number,
        .secret = c->shared->setup.secret,
        .peer = c->peer,
        .chain = chain.p,
        .chain_len = chain.len,
    };
    bool ok = hub_front_login_forward(&login, packet, (const uint8_t *)c->start.p, &out);
    hub_server_line_add(&c->server, out.p, out.len);
    hub_text_free(&chain);
    hub_text_free(&out);
    return ok;
}

/* Sends the CONNECT to the broker, and then the bytes that the client has sent after it. */
static void pass_on(hub_front_client *c, const hub_connect_packet *packet)
{
    if (!forward_login(c, packet)) {
        refuse(c, "the password is too long");
        return;
    }
    const uint8_t *more = (const uint8_t *)c->start.p + packet->packet_len;
    hub_server_line_add(&c->server, more, let_pass(c, more, c->start.len - packet->packet_len));
    hub_text_free(&c->start);
    enter(c, HUB_FRONT_DIALING);
    dial(c);
}

static void take_login(hub_front_client *c)
{
    hub_connect_packet packet;

    switch (hub_connect_read(&packet, (const uint8_t *)c->start.p, c->start.len)) {
    case HUB_CONNECT_PART: break;
    case HUB_CONNECT_WHOLE:
    case HUB_CONNECT_OTHER: pass_on(c, &packet); break;
    case HUB_CONNECT_BROKEN:
        report(c, "closed: the first packet is not a CONNECT of MQTT");
        finish(c);
        break;
    }
}

/* Reads what a client sends before it is connected to a server, while it stays in this state. */
static void read_start(hub_front_client *c, hub_front_state state, void (*take)(hub_front_client *))
{
    uint8_t *plain = c->shared->plain;
    hub_tls_state r = HUB_TLS_DONE;
    const char *why = NULL;
    size_t len;

    while (c->state == state && r == HUB_TLS_DONE) {
        r = read_plain(c, plain, sizeof c->shared->plain, &len, &why);
        if (r == HUB_TLS_DONE) {
            hub_text_add(&c->start, plain, len);
            take(c);
        }
    }
    if (r == HUB_TLS_ENDED || r == HUB_TLS_FAILED) {
        device_ended(c);
    }
}

/* --- in between -------------------------------------------------------- */

static void read_device(hub_front_client *c)
{
    uint8_t *plain = c->shared->plain;
    hub_tls_state r;
    const char *why = NULL;
    size_t total = 0;
    size_t len;

    for (;;) {
        r = read_plain(c, plain + total, HUB_FRONT_PLAIN - total, &len, &why);
        if (r != HUB_TLS_DONE) {
            break;
        }
        total += len;
    }
    if (total > 0) {
        hub_server_line_send(&c->server, plain, let_pass(c, plain, total));
    }
    if (r == HUB_TLS_FAILED) {
        report(c, "closed: TLS: %s", why);
    }
    if (r != HUB_TLS_AGAIN && is_between(c)) {
        device_ended(c);
    }
}

void hub_front_client_refused(hub_front_client *c, uint8_t code)
{
    hub_traffic_refuse(&c->traffic, code);
}

static void watch_answer(hub_front_client *c, uint8_t *data, size_t len)
{
    if (c->carries == HUB_FRONT_CARRIES_HTTP) {
        return;
    }
    hub_traffic_from_broker(&c->traffic, data, len);
    if (c->state == HUB_FRONT_ASKING && hub_traffic_is_answered(&c->traffic)) {
        enter(c, HUB_FRONT_OPEN);
    }
}

static void read_server(hub_front_client *c)
{
    uint8_t *plain = c->shared->plain;
    ssize_t n = recv(c->server.fd, plain, HUB_TLS_CHUNK, MSG_DONTWAIT);

    if (n > 0) {
        watch_answer(c, plain, (size_t)n);
        write_plain(c, plain, (size_t)n);
        hub_tls_line_flush(&c->line);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        finish(c);
    }
}

/* --- turns ------------------------------------------------------------- */

static void device_turn(hub_front_client *c)
{
    if (c->state == HUB_FRONT_LINGERING) {
        drop_rest(c);
        return;
    }
    hub_tls_line_begin(&c->line);
    if (c->state == HUB_FRONT_HANDSHAKE) {
        shake_hands(c);
    }
    if (c->state == HUB_FRONT_REQUEST) {
        read_start(c, HUB_FRONT_REQUEST, take_request);
    }
    if (c->state == HUB_FRONT_LOGIN) {
        read_start(c, HUB_FRONT_LOGIN, take_login);
    }
    if (is_between(c) && wants_device(c)) {
        read_device(c);
    }
    if (c->state != HUB_FRONT_GONE) {
        hub_tls_line_end(&c->line);
    }
}

static void server_turn(hub_front_client *c, uint32_t events)
{
    if ((events & EPOLLOUT) != 0) {
        hub_server_line_flush(&c->server);
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0 && c->server.fd >= 0) {
        read_server(c);
    }
}

/* Handles bytes that were received while the server accepted none, because no event reports them
 * again. */
static void settle(hub_front_client *c)
{
    if (is_between(c) && wants_device(c) && c->line.kept.len > 0) {
        device_turn(c);
    }
    if (is_between(c) && hub_traffic_is_forbidden(&c->traffic)) {
        device_ended(c);
    }
    half_close(c);
    watch_both(c);
}

void hub_front_client_turn(hub_front_client *c, bool device, uint32_t events)
{
    if (device && (events & EPOLLOUT) != 0) {
        hub_tls_line_flush(&c->line);
    }
    if (device && (events & ~(uint32_t)EPOLLOUT) != 0) {
        device_turn(c);
    } else if (!device) {
        server_turn(c, events);
    }
    settle(c);
}

void hub_front_client_dial(hub_front_client *c)
{
    dial(c);
    settle(c);
}

/* --- start ------------------------------------------------------------- */

void hub_front_shared_init(hub_front_shared *shared, const hub_front_setup *setup)
{
    *shared = (hub_front_shared){ .setup = *setup };
}

void hub_front_shared_now(hub_front_shared *shared, int64_t now_ms)
{
    shared->now_ms = now_ms;
}

hub_front_client *hub_front_client_new(hub_front_shared *shared, hub_front_service service, int fd,
                                       uint64_t number)
{
    hub_front_client *c = hub_calloc(1, sizeof *c);

    *c = (hub_front_client){ .shared = shared, .service = service, .number = number };
    if (!hub_tls_line_open(&c->line, &shared->tls, fd)) {
        (void)close(fd);
        free(c);
        return NULL;
    }
    hub_socket_send_at_once(fd);
    hub_socket_peer(fd, c->peer, sizeof c->peer);
    c->device_end = (hub_front_end){ .client = c, .fd = fd };
    c->server_end = (hub_front_end){ .client = c, .fd = -1 };
    hub_server_line_init(&c->server);
    hub_traffic_init(&c->traffic, number, shared->setup.notes_fd);
    set_deadline(c, shared->setup.timing.login_ms);
    watch_both(c);
    return c;
}
