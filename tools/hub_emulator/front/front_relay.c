#include "front/front_relay.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "front/call.h"
#include "front/sockets.h"

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
    hub_front_client_enter(c, http ? HUB_FRONT_OPEN : HUB_FRONT_ASKING);
    hub_server_line_open(&c->server, fd);
}

static size_t let_pass(hub_front_client *c, const uint8_t *data, size_t len)
{
    if (c->carries == HUB_FRONT_CARRIES_HTTP) {
        return len;
    }
    len = hub_traffic_from_device(&c->traffic, data, len);
    if (hub_traffic_is_forbidden(&c->traffic)) {
        hub_front_client_report(c, "closed: topic below $SYS");
    }
    return c->faults != NULL ? hub_client_faults_from_device(c->faults, len) : len;
}

/* --- the beginning ----------------------------------------------------- */

static void connect_to_server(hub_front_client *c, hub_front_carried carries)
{
    const hub_opening *o = &c->opening;
    const uint8_t *more = (const uint8_t *)o->start.p + o->more_at;

    hub_front_client_carry(c, carries);
    hub_server_line_add(&c->server, o->first.p, o->first.len);
    hub_server_line_add(&c->server, more, let_pass(c, more, o->start.len - o->more_at));
    hub_opening_free(&c->opening);
    hub_front_client_enter(c, HUB_FRONT_DIALING);
    dial(c);
}

static void take_opening(hub_front_client *c, hub_opening_result r)
{
    const hub_opening *o = &c->opening;

    if (o->what != NULL) {
        hub_front_client_report(c, "%s%s%s", o->what, o->detail != NULL ? ": " : "",
                                o->detail != NULL ? o->detail : "");
    }
    switch (r) {
    case HUB_OPENING_AGAIN: break;
    case HUB_OPENING_LATER: hub_front_client_set_due(c, c->shared->now_ms + o->delay_ms); break;
    case HUB_OPENING_MQTT: connect_to_server(c, HUB_FRONT_CARRIES_MQTT); break;
    case HUB_OPENING_HTTP: connect_to_server(c, HUB_FRONT_CARRIES_HTTP); break;
    case HUB_OPENING_REFUSED: hub_front_client_finish(c); break;
    case HUB_OPENING_CUT: hub_front_client_end_output(c); break;
    case HUB_OPENING_GONE: hub_front_client_end(c); break;
    }
}

/* --- in between -------------------------------------------------------- */

static void read_device(hub_front_client *c)
{
    uint8_t *plain = hub_front_client_buffer(c);
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
        hub_front_client_report(c, "closed: TLS: %s", why);
    }
    if (r != HUB_TLS_AGAIN && hub_front_client_is_between(c)) {
        hub_front_client_device_ended(c);
    }
}

static void watch_answer(hub_front_client *c, uint8_t *data, size_t len)
{
    if (c->carries == HUB_FRONT_CARRIES_HTTP) {
        return;
    }
    hub_traffic_from_broker(&c->traffic, data, len);
    if (c->state == HUB_FRONT_ASKING && hub_traffic_is_answered(&c->traffic)) {
        hub_front_client_enter(c, HUB_FRONT_OPEN);
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
        hub_front_client_set_due(c, hub_client_faults_due(c->faults));
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
    if (hub_front_client_held(c) == 0) {
        hub_front_client_finish(c);
        return;
    }
    hub_front_client_close_server(c);
    hub_front_client_enter(c, HUB_FRONT_DRAINING);
}

static void read_server(hub_front_client *c)
{
    uint8_t *plain = hub_front_client_buffer(c);
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
        hub_front_client_drop_rest(c);
        return;
    }
    hub_tls_line_begin(&c->line.tls);
    if (c->state == HUB_FRONT_OPENING) {
        take_opening(c, hub_opening_turn(&c->opening));
    }
    if (hub_front_client_is_between(c) && hub_front_client_wants_device(c)) {
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
    if (hub_front_client_is_between(c) && hub_front_client_wants_device(c) &&
        c->line.tls.kept.len > 0) {
        device_turn(c);
    }
    if (hub_front_client_is_between(c) && hub_traffic_is_forbidden(&c->traffic)) {
        hub_front_client_device_ended(c);
    }
    if (is_to_be_cut(c)) {
        hub_front_client_report(c, "cut on request");
        hub_front_client_end_output(c);
    }
    hub_front_client_half_close(c);
    hub_front_client_watch(c);
}

void hub_front_relay_turn(hub_front_client *c, bool device, uint32_t events)
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

void hub_front_relay_due(hub_front_client *c)
{
    hub_list_remove(&c->in_late);
    if (c->state == HUB_FRONT_OPENING) {
        hub_tls_line_begin(&c->line.tls);
        take_opening(c, hub_opening_resume(&c->opening));
        end_turn(c);
    } else if (c->faults != NULL) {
        release(c);
        if (c->state == HUB_FRONT_DRAINING && hub_front_client_held(c) == 0) {
            hub_front_client_finish(c);
        }
    }
    settle(c);
}

static void cause_fault(hub_front_client *c, const hub_note *order)
{
    if (!hub_front_client_is_between(c) || c->carries != HUB_FRONT_CARRIES_MQTT) {
        return;
    }
    hub_front_client_fault(c, order);
}

void hub_front_relay_order(hub_front_client *c, const hub_note *order)
{
    if (order->kind == HUB_NOTE_REFUSED) {
        if (c->state == HUB_FRONT_ASKING) {
            hub_traffic_refuse(&c->traffic, order->value);
        }
    } else if (order->kind != HUB_NOTE_DROP) {
        cause_fault(c, order);
    } else if (order->value == HUB_DROP_RESET) {
        hub_front_client_reset(c);
    } else if (hub_front_client_is_between(c)) {
        hub_front_client_finish(c);
    }
    settle(c);
}

void hub_front_relay_dial(hub_front_client *c)
{
    dial(c);
    settle(c);
}
