#include "front/front_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/sockets.h"

#define OUT_MAX 65536 /* most bytes that TLS itself sends to a client that does not read */

void hub_front_client_report(const hub_front_client *c, const char *format, ...)
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

uint8_t *hub_front_client_buffer(const hub_front_client *c)
{
    return c->shared->plain;
}

/* --- what epoll watches ------------------------------------------------ */

/* Returns whether bytes go in both directions. */
bool hub_front_client_is_between(const hub_front_client *c)
{
    return c->state == HUB_FRONT_ASKING || c->state == HUB_FRONT_OPEN;
}

bool hub_front_client_wants_device(const hub_front_client *c)
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
size_t hub_front_client_held(const hub_front_client *c)
{
    return c->faults != NULL ? hub_client_faults_held(c->faults) : 0;
}

static bool wants_server(const hub_front_client *c)
{
    return hub_tls_line_pending(&c->line.tls) == 0 && hub_front_client_held(c) < OUT_MAX &&
           (hub_front_client_is_between(c) || c->state == HUB_FRONT_ENDING);
}

void hub_front_client_watch(hub_front_client *c)
{
    const int epoll_fd = c->shared->setup.epoll_fd;
    const uint32_t device = hub_front_client_wants_device(c) ? EPOLLIN : 0;
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

void hub_front_client_set_due(hub_front_client *c, int64_t ms)
{
    c->due_ms = ms;
    hub_list_push(&c->shared->late, &c->in_late, c);
}

void hub_front_client_enter(hub_front_client *c, hub_front_state state)
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

void hub_front_client_carry(hub_front_client *c, hub_front_carried carries)
{
    c->carries = carries;
}

void hub_front_client_fault(hub_front_client *c, const hub_note *order)
{
    if (c->faults == NULL) {
        c->faults = hub_client_faults_new(&c->traffic.from_broker);
    }
    hub_client_faults_order(c->faults, order);
}

/* --- ends -------------------------------------------------------------- */

void hub_front_client_close_server(hub_front_client *c)
{
    hub_server_line_close(&c->server);
    hub_front_end_init(&c->server_end, c, -1);
}

void hub_front_client_end(hub_front_client *c)
{
    if (c->state == HUB_FRONT_GONE) {
        return;
    }
    hub_front_client_enter(c, HUB_FRONT_GONE);
    hub_front_client_close_server(c);
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
void hub_front_client_half_close(hub_front_client *c)
{
    if (c->state == HUB_FRONT_LINGERING && c->line.tls.session != NULL &&
        hub_tls_line_pending(&c->line.tls) == 0) {
        (void)shutdown(c->line.tls.fd, SHUT_WR);
        hub_tls_line_drop_session(&c->line.tls);
    }
}

/* Ends the output: after what was written, nothing more is sent to the client. */
void hub_front_client_end_output(hub_front_client *c)
{
    const bool left = c->state == HUB_FRONT_ENDING;

    hub_front_client_close_server(c);
    hub_tls_line_flush(&c->line.tls);
    if (left || c->line.tls.broken) {
        hub_front_client_end(c);
        return;
    }
    hub_front_client_enter(c, HUB_FRONT_LINGERING);
    hub_front_client_half_close(c);
}

void hub_front_client_finish(hub_front_client *c)
{
    hub_device_line_bye(&c->line);
    hub_front_client_end_output(c);
}

void hub_front_client_reset(hub_front_client *c)
{
    const struct linger at_once = { .l_onoff = 1 };

    (void)setsockopt(c->line.tls.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hub_front_client_end(c);
}

void hub_front_client_drop_rest(hub_front_client *c)
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
        hub_front_client_report(c, "closed: no login within %lld seconds",
                                (long long)(c->shared->setup.timing.login_ms / 1000));
    }
    hub_front_client_end(c);
}

/* The server receives the rest of the bytes and the end, and the broker may still answer. A
 * client of HTTP no longer waits for its answer. */
void hub_front_client_device_ended(hub_front_client *c)
{
    if (c->carries == HUB_FRONT_CARRIES_HTTP && hub_server_line_pending(&c->server) == 0) {
        hub_front_client_end(c);
        return;
    }
    hub_front_client_enter(c, HUB_FRONT_ENDING);
    hub_server_line_end(&c->server);
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
    hub_front_client_watch(c);
    return c;
}
