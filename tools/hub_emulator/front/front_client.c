#include "front/front_client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/connect_packet.h"
#include "front/envelope.h"
#include "front/note.h"
#include "front/sockets.h"
#include "hub/hub_dps.h"
#include "registry/client_chain.h"

/* Most bytes of base64, so that a token fits into the password as well. */
#define CHAIN_MAX_LEN  40000
#define OUT_MAX        65536 /* most bytes that TLS itself sends to a client that does not read */
#define CONNACK_LEN    4
#define NOT_AUTHORIZED 5
#define NOTE_WAIT_MS   1000

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

static size_t broker_pending(const hub_front_client *c)
{
    return c->to_broker.len - c->sent;
}

/* Returns whether bytes of MQTT go in both directions. */
static bool is_between(const hub_front_client *c)
{
    return c->state == HUB_FRONT_ASKING || c->state == HUB_FRONT_OPEN;
}

static bool wants_device(const hub_front_client *c)
{
    switch (c->state) {
    case HUB_FRONT_HANDSHAKE:
    case HUB_FRONT_LOGIN:
    case HUB_FRONT_LINGERING: return true;
    case HUB_FRONT_ASKING:
    case HUB_FRONT_OPEN: return broker_pending(c) == 0 && hub_tls_line_pending(&c->line) < OUT_MAX;
    case HUB_FRONT_DIALING:
    case HUB_FRONT_ENDING:
    case HUB_FRONT_GONE: break;
    }
    return false;
}

static bool wants_broker(const hub_front_client *c)
{
    return hub_tls_line_pending(&c->line) == 0 && (is_between(c) || c->state == HUB_FRONT_ENDING);
}

static void watch_both(hub_front_client *c)
{
    uint32_t device = wants_device(c) ? EPOLLIN : 0;
    uint32_t broker = wants_broker(c) ? EPOLLIN : 0;

    if (c->state == HUB_FRONT_GONE) {
        return;
    }
    watch(c, &c->device, device | (hub_tls_line_pending(&c->line) > 0 ? EPOLLOUT : 0));
    watch(c, &c->broker, broker | (broker_pending(c) > 0 ? EPOLLOUT : 0));
}

static void set_deadline(hub_front_client *c, int64_t ms)
{
    c->deadline_ms = c->shared->now_ms + ms;
    hub_list_push(&c->shared->waiting, &c->in_waiting, c);
}

/* --- ends -------------------------------------------------------------- */

static void close_broker(hub_front_client *c)
{
    if (c->broker.fd >= 0) {
        (void)close(c->broker.fd);
    }
    c->broker = (hub_front_end){ .client = c, .fd = -1 };
    hub_text_free(&c->to_broker);
    c->sent = 0;
}

void hub_front_client_end(hub_front_client *c)
{
    if (c->state == HUB_FRONT_GONE) {
        return;
    }
    c->state = HUB_FRONT_GONE;
    close_broker(c);
    hub_tls_line_close(&c->line);
    c->device.fd = -1;
    hub_list_remove(&c->in_all);
    hub_list_remove(&c->in_waiting);
    hub_list_remove(&c->in_dialing);
    hub_list_push(&c->shared->gone, &c->in_gone, c);
}

void hub_front_client_free(hub_front_client *c)
{
    hub_text_free(&c->connect);
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

/* Ends the output: after what was written, nothing more is sent to the client. */
static void finish(hub_front_client *c)
{
    const bool left = c->state == HUB_FRONT_ENDING;

    close_broker(c);
    if (left || c->line.broken) {
        hub_tls_line_bye(&c->line);
        hub_tls_line_flush(&c->line);
        hub_front_client_end(c);
        return;
    }
    hub_tls_line_bye(&c->line);
    hub_tls_line_flush(&c->line);
    c->state = HUB_FRONT_LINGERING;
    set_deadline(c, c->shared->setup.timing.linger_ms);
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

/* --- to the broker ----------------------------------------------------- */

static void send_to_broker(hub_front_client *c)
{
    while (broker_pending(c) > 0) {
        ssize_t n = send(c->broker.fd, c->to_broker.p + c->sent, broker_pending(c),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n < 0) {
            break; /* the broker has closed; its last bytes are read next */
        }
        c->sent += (size_t)n;
    }
    hub_text_free(&c->to_broker);
    c->sent = 0;
    if (c->state == HUB_FRONT_ENDING) {
        (void)shutdown(c->broker.fd, SHUT_WR);
    }
}

/* Forwards bytes to the broker; only those that it does not accept now are copied. */
static void forward(hub_front_client *c, const uint8_t *data, size_t len)
{
    ssize_t n =
        broker_pending(c) == 0 ? send(c->broker.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        return;
    }
    n = n > 0 ? n : 0;
    if ((size_t)n < len) {
        hub_text_add(&c->to_broker, data + n, len - (size_t)n);
    }
}

/* Connects to the broker. Its queue may be full, or descriptors may be missing; then it is tried
 * again. */
static void dial(hub_front_client *c)
{
    int fd = hub_socket_connect(c->shared->setup.broker_path);

    if (fd < 0) {
        hub_list_push(&c->shared->dialing, &c->in_dialing, c);
        return;
    }
    hub_list_remove(&c->in_dialing);
    c->broker = (hub_front_end){ .client = c, .fd = fd };
    c->state = HUB_FRONT_ASKING;
    send_to_broker(c);
}

/* Handles a client that sends nothing more. The broker gets the rest of its bytes and the end,
 * and may still answer. */
static void device_ended(hub_front_client *c)
{
    if (!is_between(c)) {
        hub_front_client_end(c);
        return;
    }
    c->state = HUB_FRONT_ENDING;
    /* This is more than enough, because the broker gets the bytes soon. */
    set_deadline(c, c->shared->setup.timing.login_ms);
    if (broker_pending(c) == 0) {
        (void)shutdown(c->broker.fd, SHUT_WR);
    }
}

/* --- packets ----------------------------------------------------------- */

/* The hub must know before the broker does. Its socket is full for a moment at most, unless the hub
 * hangs; then it does not learn of an acknowledgement, and delivers the message again. */
static void tell_hub(const hub_front_client *c, hub_note_kind kind, uint16_t packet_id)
{
    const hub_note m = { .number = c->number, .kind = kind, .value = packet_id };
    struct pollfd ready = { .fd = c->shared->setup.notes_fd, .events = POLLOUT };
    bool again = ready.fd >= 0;

    while (again && send(ready.fd, &m, sizeof m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        again = errno == EAGAIN && poll(&ready, 1, NOTE_WAIT_MS) == 1;
    }
}

/* Returns how many of the bytes may pass: the hub closes the connection of a device that publishes
 * below $SYS, of which Mosquitto does not tell its plugins. */
static size_t watch_device(hub_front_client *c, const uint8_t *data, size_t len)
{
    size_t at = 0;
    hub_packet packet;

    while (at < len) {
        at += hub_packet_watch_next(&c->from_device, data + at, len - at, &packet);
        if (packet.kind == HUB_PACKET_PUBACK) {
            tell_hub(c, HUB_NOTE_ACKNOWLEDGED, packet.id);
        } else if (packet.kind == HUB_PACKET_SYSTEM) {
            report(c, "closed: topic below $SYS");
            return at;
        }
    }
    return len;
}

static void watch_broker(hub_front_client *c, const uint8_t *data, size_t len)
{
    size_t at = 0;
    hub_packet packet;

    while (at < len) {
        at += hub_packet_watch_next(&c->from_broker, data + at, len - at, &packet);
        if (packet.kind == HUB_PACKET_PUBLISH) {
            tell_hub(c, HUB_NOTE_SENT, packet.id);
        }
    }
}

/* --- login ------------------------------------------------------------- */

/* Answers the client instead of the broker. */
static void refuse(hub_front_client *c, const char *why)
{
    static const uint8_t connack[CONNACK_LEN] = { 0x20, 2, 0, NOT_AUTHORIZED };

    report(c, "refused: %s", why);
    hub_tls_line_write(&c->line, connack, sizeof connack);
    finish(c);
}

static void add_envelope(const hub_front_client *c, const hub_connect_packet *packet, hub_text *out)
{
    const char *bytes = c->connect.p;
    hub_text chain = { 0 };

    hub_text_str(&chain, "");
    (void)hub_tls_line_peer_chain(&c->line, HUB_CHAIN_MAX, CHAIN_MAX_LEN, &chain);
    const hub_envelope e = {
        .number = c->number,
        .peer = c->peer,
        .peer_len = strlen(c->peer),
        .chain = chain.p,
        .chain_len = chain.len,
        .password = packet->has_password ? bytes + packet->password.at : NULL,
        .password_len = packet->password.len,
    };
    hub_envelope_write(out, c->shared->setup.secret, &e);
    hub_text_free(&chain);
}

/* What is put before the client id, on the heap. A device may be connected to the hub and to the
 * provisioning service at the same time, under one client id, and the broker must not take them for
 * one. The number keeps the answers of one connection from reaching the next one. */
static char *client_prefix(const hub_front_client *c, const hub_connect_packet *packet)
{
    return hub_connect_is_for_provisioning(packet, c->connect.p)
               ? hub_format(HUB_DPS_CLIENT_PREFIX "%llu ", (unsigned long long)c->number)
               : hub_strdup("");
}

/* Sends the CONNECT to the broker, and then the bytes that the client has sent after it. */
static void pass_on(hub_front_client *c, const hub_connect_packet *packet, bool with_envelope)
{
    const uint8_t *bytes = (const uint8_t *)c->connect.p;
    hub_text password = { 0 };
    bool ok = true;

    if (with_envelope && packet->has_user_name) {
        char *prefix = client_prefix(c, packet);
        add_envelope(c, packet, &password);
        ok = hub_connect_forward(packet, bytes, prefix, password.p, password.len, &c->to_broker);
        free(prefix);
    } else { /* the hub refuses it, since it has no envelope */
        hub_text_add(&c->to_broker, bytes, packet->packet_len);
    }
    hub_text_free(&password);
    const uint8_t *more = bytes + packet->packet_len;
    hub_text_add(&c->to_broker, more, watch_device(c, more, c->connect.len - packet->packet_len));
    hub_text_free(&c->connect);
    if (!ok) {
        refuse(c, "the password is too long");
        return;
    }
    c->state = HUB_FRONT_DIALING;
    dial(c);
}

static void read_login(hub_front_client *c)
{
    uint8_t *plain = c->shared->plain;
    hub_tls_state r = HUB_TLS_DONE;
    const char *why = NULL;
    size_t len;

    while (c->state == HUB_FRONT_LOGIN && r == HUB_TLS_DONE) {
        hub_connect_packet packet;
        r = hub_tls_line_read(&c->line, plain, sizeof c->shared->plain, &len, &why);
        if (r != HUB_TLS_DONE) {
            break;
        }
        hub_text_add(&c->connect, plain, len);
        hub_connect_kind kind =
            hub_connect_read(&packet, (const uint8_t *)c->connect.p, c->connect.len);
        if (kind == HUB_CONNECT_BROKEN) {
            report(c, "closed: the first packet is not a CONNECT of MQTT");
            finish(c);
        } else if (kind != HUB_CONNECT_PART) {
            pass_on(c, &packet, kind == HUB_CONNECT_WHOLE);
        }
    }
    if (r == HUB_TLS_ENDED || r == HUB_TLS_FAILED) {
        device_ended(c);
    }
}

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
    c->state = HUB_FRONT_LOGIN;
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
        r = hub_tls_line_read(&c->line, plain + total, HUB_FRONT_PLAIN - total, &len, &why);
        if (r != HUB_TLS_DONE) {
            break;
        }
        total += len;
    }
    if (total > 0) {
        forward(c, plain, watch_device(c, plain, total));
    }
    if (r == HUB_TLS_FAILED) {
        report(c, "closed: TLS: %s", why);
    }
    if (r != HUB_TLS_AGAIN && is_between(c)) {
        device_ended(c);
    }
}

/* The first packet of the broker is the CONNACK. If it refuses, its code is replaced by that of
 * the hub. */
static void watch_connack(hub_front_client *c, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len && c->answered < CONNACK_LEN; i++) {
        if (c->answered == CONNACK_LEN - 1 && data[i] != 0 && c->refusal != 0) {
            data[i] = c->refusal;
        }
        c->answered++;
    }
    if (c->answered == CONNACK_LEN && c->state == HUB_FRONT_ASKING) {
        c->state = HUB_FRONT_OPEN;
        hub_list_remove(&c->in_waiting);
    }
}

void hub_front_client_refused(hub_front_client *c, uint8_t code)
{
    c->refusal = code;
}

static void read_broker(hub_front_client *c)
{
    uint8_t *plain = c->shared->plain;
    ssize_t n = recv(c->broker.fd, plain, HUB_TLS_CHUNK, MSG_DONTWAIT);

    if (n > 0) {
        watch_connack(c, plain, (size_t)n);
        watch_broker(c, plain, (size_t)n);
        hub_tls_line_write(&c->line, plain, (size_t)n);
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
    if (c->state == HUB_FRONT_LOGIN) {
        read_login(c);
    }
    if (is_between(c) && wants_device(c)) {
        read_device(c);
    }
    if (c->state != HUB_FRONT_GONE) {
        hub_tls_line_end(&c->line);
    }
}

static void broker_turn(hub_front_client *c, uint32_t events)
{
    if ((events & EPOLLOUT) != 0) {
        send_to_broker(c);
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0 && c->broker.fd >= 0) {
        read_broker(c);
    }
}

/* Handles bytes that were received while the broker accepted none, because no event reports them
 * again. */
static void settle(hub_front_client *c)
{
    if (is_between(c) && wants_device(c) && c->line.kept.len > 0) {
        device_turn(c);
    }
    if (is_between(c) && c->from_device.stage == HUB_PACKET_FORBIDDEN) {
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
        broker_turn(c, events);
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

hub_front_client *hub_front_client_new(hub_front_shared *shared, int fd, uint64_t number)
{
    hub_front_client *c = hub_calloc(1, sizeof *c);

    *c = (hub_front_client){ .shared = shared, .number = number };
    if (!hub_tls_line_open(&c->line, &shared->tls, fd)) {
        (void)close(fd);
        free(c);
        return NULL;
    }
    hub_socket_send_at_once(fd);
    hub_socket_peer(fd, c->peer, sizeof c->peer);
    c->device = (hub_front_end){ .client = c, .fd = fd };
    c->broker = (hub_front_end){ .client = c, .fd = -1 };
    set_deadline(c, shared->setup.timing.login_ms);
    watch_both(c);
    return c;
}
