#include "front/front_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/call.h"
#include "front/sockets.h"

#define OUT_MAX 65536 /* most bytes that TLS itself sends to a client that does not read */

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

/* Returns whether bytes go in both directions. */
static bool is_between(const hub_front_client *c)
{
    return c->state == HUB_FRONT_ASKING || c->state == HUB_FRONT_OPEN;
}

static bool wants_device(const hub_front_client *c)
{
    switch (c->state) {
    case HUB_FRONT_OPENING: return c->opening.stage != HUB_OPENING_STALLED;
    case HUB_FRONT_LINGERING: return true;
    case HUB_FRONT_ASKING:
    case HUB_FRONT_OPEN:
        return hub_server_line_pending(&c->server) == 0 &&
               hub_tls_line_pending(&c->line.tls) < OUT_MAX;
    case HUB_FRONT_DIALING:
    case HUB_FRONT_ENDING:
    case HUB_FRONT_DRAINING:
    case HUB_FRONT_GONE: break;
    }
    return false;
}

/* Returns the number of bytes of the server that are held for later. */
static size_t held(const hub_front_client *c)
{
    return c->faults != NULL ? hub_client_faults_held(c->faults) : 0;
}

static bool wants_server(const hub_front_client *c)
{
    return hub_tls_line_pending(&c->line.tls) == 0 && held(c) < OUT_MAX &&
           (is_between(c) || c->state == HUB_FRONT_ENDING);
}

static void watch_both(hub_front_client *c)
{
    const int epoll_fd = c->shared->setup.epoll_fd;
    const uint32_t device = wants_device(c) ? EPOLLIN : 0;
    const uint32_t server = wants_server(c) ? EPOLLIN : 0;

    if (c->state == HUB_FRONT_GONE) {
        return;
    }
    const bool full = hub_tls_line_pending(&c->line.tls) > 0;
    const bool server_full = hub_server_line_pending(&c->server) > 0;
    hub_front_end_watch(&c->device_end, epoll_fd, device | (full ? EPOLLOUT : 0));
    hub_front_end_watch(&c->server_end, epoll_fd, server | (server_full ? EPOLLOUT : 0));
}

static void set_deadline(hub_front_client *c, int64_t ms)
{
    c->deadline_ms = c->shared->now_ms + ms;
    hub_list_push(&c->shared->waiting, &c->in_waiting, c);
}

static void set_due(hub_front_client *c, int64_t ms)
{
    c->due_ms = ms;
    hub_list_push(&c->shared->late, &c->in_late, c);
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
    case HUB_FRONT_OPENING:
    case HUB_FRONT_DIALING:
    case HUB_FRONT_ASKING:
    case HUB_FRONT_DRAINING:
    case HUB_FRONT_GONE: break;
    }
}

/* --- ends -------------------------------------------------------------- */

static void close_server(hub_front_client *c)
{
    hub_server_line_close(&c->server);
    hub_front_end_init(&c->server_end, c, -1);
}

void hub_front_client_end(hub_front_client *c)
{
    if (c->state == HUB_FRONT_GONE) {
        return;
    }
    enter(c, HUB_FRONT_GONE);
    close_server(c);
    hub_device_line_close(&c->line);
    hub_front_end_init(&c->device_end, c, -1);
    hub_list_remove(&c->in_all);
    hub_list_remove(&c->in_waiting);
    hub_list_remove(&c->in_dialing);
    hub_list_remove(&c->in_late);
    hub_list_push(&c->shared->gone, &c->in_gone, c);
}

void hub_front_client_free(hub_front_client *c)
{
    hub_client_faults_free(c->faults);
    hub_opening_free(&c->opening);
    hub_list_remove(&c->in_gone);
    free(c);
}

/* When everything was sent, TCP is closed in this direction only. If the socket were closed
 * completely while bytes of the client are unread, the last sent bytes would be lost. So the
 * bytes that still arrive are read and dropped. */
static void half_close(hub_front_client *c)
{
    if (c->state == HUB_FRONT_LINGERING && c->line.tls.session != NULL &&
        hub_tls_line_pending(&c->line.tls) == 0) {
        (void)shutdown(c->line.tls.fd, SHUT_WR);
        hub_tls_line_drop_session(&c->line.tls);
    }
}

/* Ends the output: after what was written, nothing more is sent to the client. */
static void end_output(hub_front_client *c)
{
    const bool left = c->state == HUB_FRONT_ENDING;

    close_server(c);
    hub_tls_line_flush(&c->line.tls);
    if (left || c->line.tls.broken) {
        hub_front_client_end(c);
        return;
    }
    enter(c, HUB_FRONT_LINGERING);
    half_close(c);
}

static void finish(hub_front_client *c)
{
    hub_device_line_bye(&c->line);
    end_output(c);
}

static void reset(hub_front_client *c)
{
    const struct linger at_once = { .l_onoff = 1 };

    (void)setsockopt(c->line.tls.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hub_front_client_end(c);
}

static void drop_rest(hub_front_client *c)
{
    hub_tls_server *s = &c->shared->tls;
    ssize_t n = recv(c->line.tls.fd, s->bytes, sizeof s->bytes, MSG_DONTWAIT);

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

/* The server receives the rest of the bytes and the end, and the broker may still answer. A
 * client of HTTP no longer waits for its answer. */
static void device_ended(hub_front_client *c)
{
    if (c->carries == HUB_FRONT_CARRIES_HTTP && hub_server_line_pending(&c->server) == 0) {
        hub_front_client_end(c);
        return;
    }
    enter(c, HUB_FRONT_ENDING);
    hub_server_line_end(&c->server);
}

/* --- to the server ----------------------------------------------------- */

/* Passes one end of a new connection to the HTTP server, with what is known about the client.
 * Returns the other end, or -1 if that is not possible now. */
static int call_http(const hub_front_client *c)
{
    hub_text chain = { 0 };

    hub_text_str(&chain, "");
    (void)hub_device_line_chain(&c->line, &chain);
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
    hub_front_end_init(&c->server_end, c, fd);
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
    return c->faults != NULL ? hub_client_faults_from_device(c->faults, len) : len;
}

/* --- the beginning ----------------------------------------------------- */

static void connect_to_server(hub_front_client *c, hub_front_carried carries)
{
    const hub_opening *o = &c->opening;
    const uint8_t *more = (const uint8_t *)o->start.p + o->more_at;

    c->carries = carries;
    hub_server_line_add(&c->server, o->first.p, o->first.len);
    hub_server_line_add(&c->server, more, let_pass(c, more, o->start.len - o->more_at));
    hub_opening_free(&c->opening);
    enter(c, HUB_FRONT_DIALING);
    dial(c);
}

static void take_opening(hub_front_client *c, hub_opening_result r)
{
    const hub_opening *o = &c->opening;

    if (o->what != NULL) {
        report(c, "%s%s%s", o->what, o->detail != NULL ? ": " : "",
               o->detail != NULL ? o->detail : "");
    }
    switch (r) {
    case HUB_OPENING_AGAIN: break;
    case HUB_OPENING_LATER: set_due(c, c->shared->now_ms + o->delay_ms); break;
    case HUB_OPENING_MQTT: connect_to_server(c, HUB_FRONT_CARRIES_MQTT); break;
    case HUB_OPENING_HTTP: connect_to_server(c, HUB_FRONT_CARRIES_HTTP); break;
    case HUB_OPENING_REFUSED: finish(c); break;
    case HUB_OPENING_CUT: end_output(c); break;
    case HUB_OPENING_GONE: hub_front_client_end(c); break;
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
        r = hub_device_line_read(&c->line, plain + total, HUB_FRONT_PLAIN - total, &len, &why);
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

/* Sends the held bytes that are due. */
static void release(hub_front_client *c)
{
    hub_text out = { 0 };

    hub_client_faults_release(c->faults, c->shared->now_ms, &out);
    if (out.len > 0) {
        hub_device_line_write(&c->line, out.p, out.len);
        hub_tls_line_flush(&c->line.tls);
    }
    hub_text_free(&out);
    hub_list_remove(&c->in_late);
    if (hub_client_faults_due(c->faults) != HUB_CLIENT_FAULTS_NEVER) {
        set_due(c, hub_client_faults_due(c->faults));
    }
}

static void pass_to_device(hub_front_client *c, uint8_t *data, size_t len)
{
    watch_answer(c, data, len);
    if (c->faults != NULL) {
        hub_client_faults_take(c->faults, data, len, c->shared->now_ms);
        release(c);
        return;
    }
    hub_device_line_write(&c->line, data, len);
    hub_tls_line_flush(&c->line.tls);
}

static void server_ended(hub_front_client *c)
{
    if (held(c) == 0) {
        finish(c);
        return;
    }
    close_server(c);
    enter(c, HUB_FRONT_DRAINING);
}

static void read_server(hub_front_client *c)
{
    uint8_t *plain = c->shared->plain;
    ssize_t n = recv(c->server.fd, plain, HUB_TLS_CHUNK, MSG_DONTWAIT);

    if (n > 0) {
        pass_to_device(c, plain, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        server_ended(c);
    }
}

/* --- turns ------------------------------------------------------------- */

static void end_turn(hub_front_client *c)
{
    if (c->state != HUB_FRONT_GONE) {
        hub_tls_line_end(&c->line.tls);
    }
}

static void device_turn(hub_front_client *c)
{
    if (c->state == HUB_FRONT_LINGERING) {
        drop_rest(c);
        return;
    }
    hub_tls_line_begin(&c->line.tls);
    if (c->state == HUB_FRONT_OPENING) {
        take_opening(c, hub_opening_turn(&c->opening));
    }
    if (is_between(c) && wants_device(c)) {
        read_device(c);
    }
    end_turn(c);
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

/* Returns whether the connection must be cut now: the server has received everything that may pass
 * before the cut, and the rest is on its way to the client. */
static bool is_to_be_cut(const hub_front_client *c)
{
    return c->faults != NULL && hub_client_faults_is_cut(c->faults) &&
           c->state < HUB_FRONT_LINGERING && hub_server_line_pending(&c->server) == 0;
}

/* Handles bytes that were received while the server accepted none, because no event reports them
 * again. */
static void settle(hub_front_client *c)
{
    if (is_between(c) && wants_device(c) && c->line.tls.kept.len > 0) {
        device_turn(c);
    }
    if (is_between(c) && hub_traffic_is_forbidden(&c->traffic)) {
        device_ended(c);
    }
    if (is_to_be_cut(c)) {
        report(c, "cut on request");
        end_output(c);
    }
    half_close(c);
    watch_both(c);
}

void hub_front_client_turn(hub_front_client *c, bool device, uint32_t events)
{
    if (device && (events & EPOLLOUT) != 0) {
        hub_tls_line_flush(&c->line.tls);
    }
    if (device && (events & ~(uint32_t)EPOLLOUT) != 0) {
        device_turn(c);
    } else if (!device) {
        server_turn(c, events);
    }
    settle(c);
}

void hub_front_client_due(hub_front_client *c)
{
    hub_list_remove(&c->in_late);
    if (c->state == HUB_FRONT_OPENING) {
        hub_tls_line_begin(&c->line.tls);
        take_opening(c, hub_opening_resume(&c->opening));
        end_turn(c);
    } else if (c->faults != NULL) {
        release(c);
        if (c->state == HUB_FRONT_DRAINING && held(c) == 0) {
            finish(c);
        }
    }
    settle(c);
}

static void cause_fault(hub_front_client *c, const hub_note *order)
{
    if (!is_between(c) || c->carries != HUB_FRONT_CARRIES_MQTT) {
        return;
    }
    if (c->faults == NULL) {
        c->faults = hub_client_faults_new(&c->traffic.from_broker);
    }
    hub_client_faults_order(c->faults, order);
}

void hub_front_client_order(hub_front_client *c, const hub_note *order)
{
    if (order->kind == HUB_NOTE_REFUSED) {
        if (c->state == HUB_FRONT_ASKING) {
            hub_traffic_refuse(&c->traffic, order->value);
        }
    } else if (order->kind != HUB_NOTE_DROP) {
        cause_fault(c, order);
    } else if (order->value == HUB_DROP_RESET) {
        reset(c);
    } else if (is_between(c)) {
        finish(c);
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

void hub_front_shared_order(hub_front_shared *shared, const hub_note *order)
{
    hub_front_faults_take(&shared->faults, order);
}

static void begin_opening(hub_front_client *c, hub_front_service service)
{
    hub_front_shared *shared = c->shared;
    const hub_opening_setup setup = {
        .service = service,
        .number = c->number,
        .peer = c->peer,
        .secret = shared->setup.secret,
        .faults = &shared->faults,
        .buffer = shared->plain,
        .cap = sizeof shared->plain,
    };

    hub_opening_init(&c->opening, &setup, &c->line);
}

hub_front_client *hub_front_client_new(hub_front_shared *shared, hub_front_service service, int fd,
                                       uint64_t number)
{
    hub_front_client *c = hub_calloc(1, sizeof *c);

    *c = (hub_front_client){ .shared = shared, .number = number };
    if (!hub_device_line_open(&c->line, &shared->tls, fd)) {
        (void)close(fd);
        free(c);
        return NULL;
    }
    hub_socket_send_at_once(fd);
    hub_socket_peer(fd, c->peer, sizeof c->peer);
    begin_opening(c, service);
    hub_front_end_init(&c->device_end, c, fd);
    hub_front_end_init(&c->server_end, c, -1);
    hub_server_line_init(&c->server);
    hub_traffic_init(&c->traffic, number, shared->setup.notes_fd);
    set_deadline(c, shared->setup.timing.login_ms);
    watch_both(c);
    return c;
}
