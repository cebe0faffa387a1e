#include "front/front.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "front/front_relay.h"
#include "hub/note.h"

#define EVENTS_AT_ONCE  256
#define ACCEPTS_AT_ONCE 64
#define DIAL_AGAIN_MS   2
#define LISTENING_COUNT ((size_t)HUB_FRONT_SERVICES * HUB_FRONT_FAMILIES)
#define LOOK_AGAIN_MS   100 /* interval at which deadlines and descriptors are checked again */

struct hub_front {
    hub_front_shared shared;
    hub_list all;
    uint64_t last_number;
    hub_front_end listening[HUB_FRONT_SERVICES][HUB_FRONT_FAMILIES]; /* client NULL */
    hub_front_end notes; /* socket to the hub; its client is NULL */
    hub_front_end stop;  /* becomes readable when the thread must end; its client is NULL */
    int calls;           /* socket to the HTTP server */
    pthread_t thread;
    bool running;
    int state_dir;
    char *broker_path;
    int64_t looked_ms; /* when the deadlines were last checked */
    bool deaf;         /* there are no free descriptors, so new clients must wait */
};

static int64_t up_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool watch(const hub_front *f, hub_front_end *end, int what)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = end };

    return end->fd < 0 || epoll_ctl(f->shared.setup.epoll_fd, what, end->fd, &e) == 0;
}

static hub_front_end *listening_at(hub_front *f, size_t i)
{
    return &f->listening[i / HUB_FRONT_FAMILIES][i % HUB_FRONT_FAMILIES];
}

/* --- new clients ------------------------------------------------------- */

static void listen_again(hub_front *f, bool on)
{
    f->deaf = !on;
    for (size_t i = 0; i < LISTENING_COUNT; i++) {
        (void)watch(f, listening_at(f, i), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL);
    }
}

static hub_front_service service_of(const hub_front *f, const hub_front_end *listening)
{
    const bool mqtt = listening == &f->listening[HUB_FRONT_MQTTS][0] ||
                      listening == &f->listening[HUB_FRONT_MQTTS][1];
    return mqtt ? HUB_FRONT_MQTTS : HUB_FRONT_HTTPS;
}

static void take_client(hub_front *f, hub_front_service service, int fd)
{
    hub_front_client *c = hub_front_client_new(&f->shared, service, fd, ++f->last_number);

    if (c != NULL) {
        hub_list_push(&f->all, &c->in_all, c);
    }
}

static void accept_some(hub_front *f, const hub_front_end *listening)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                listen_again(f, false);
            }
            return;
        }
        take_client(f, service_of(f, listening), fd);
    }
}

/* --- the hub ----------------------------------------------------------- */

static hub_front_client *find(const hub_front *f, uint64_t number)
{
    hub_front_client *c = hub_list_first(&f->all);

    while (c != NULL && c->number != number) {
        c = hub_list_next(&c->in_all);
    }
    return c;
}

static void take_orders(hub_front *f)
{
    hub_note m;

    while (f->notes.fd >= 0 && recv(f->notes.fd, &m, sizeof m, MSG_DONTWAIT) == (ssize_t)sizeof m) {
        hub_front_client *c = find(f, m.number);
        if (c != NULL) {
            hub_front_relay_order(c, &m);
        } else if (m.number == 0) {
            hub_front_shared_order(&f->shared, &m);
        }
    }
}

/* The hub sends a note before the broker writes the answer to a login. If that answer is ready now,
 * the note is, too, although epoll may not have reported it. */
static bool is_answer_to_login(const hub_front_end *end)
{
    return end->client != NULL && end == &end->client->server_end &&
           end->client->state == HUB_FRONT_ASKING;
}

/* --- turns ------------------------------------------------------------- */

static void serve(hub_front *f, const struct epoll_event *e)
{
    hub_front_end *end = e->data.ptr;

    if (end == &f->notes || end == &f->stop) {
        return; /* handled before and after all others */
    }
    if (is_answer_to_login(end)) {
        take_orders(f);
    }
    if (end->client == NULL) {
        accept_some(f, end);
    } else if (end->client->state != HUB_FRONT_GONE) {
        hub_front_relay_turn(end->client, end == &end->client->device_end, e->events);
    }
}

static void end_late(hub_front *f)
{
    hub_front_client *next;

    for (hub_front_client *c = hub_list_first(&f->shared.waiting); c != NULL; c = next) {
        next = hub_list_next(&c->in_waiting);
        if (c->deadline_ms <= f->shared.now_ms) {
            hub_front_client_late(c);
        }
    }
    f->looked_ms = f->shared.now_ms;
}

static void dial_again(hub_front *f)
{
    hub_front_client *next;

    for (hub_front_client *c = hub_list_first(&f->shared.dialing); c != NULL; c = next) {
        next = hub_list_next(&c->in_dialing);
        hub_front_relay_dial(c);
    }
}

static void send_late(hub_front *f)
{
    hub_front_client *next;

    for (hub_front_client *c = hub_list_first(&f->shared.late); c != NULL; c = next) {
        next = hub_list_next(&c->in_late);
        if (c->due_ms <= f->shared.now_ms) {
            hub_front_relay_due(c);
        }
    }
}

static void free_gone(hub_front *f)
{
    hub_front_client *c;

    while ((c = hub_list_first(&f->shared.gone)) != NULL) {
        hub_front_client_free(c);
    }
}

/* Returns the milliseconds until a late client is due, at most this many. */
static int time_to_late(const hub_front *f, int most)
{
    int64_t soonest = most;

    for (const hub_front_client *c = hub_list_first(&f->shared.late); c != NULL;
         c = hub_list_next(&c->in_late)) {
        const int64_t left = c->due_ms - up_ms();
        soonest = left < soonest ? left : soonest;
    }
    return soonest > 0 ? (int)soonest : 0;
}

/* Returns the milliseconds until the next turn is due without an event; -1: there is no
 * deadline. */
static int time_out(const hub_front *f)
{
    if (hub_list_first(&f->shared.dialing) != NULL) {
        return DIAL_AGAIN_MS;
    }
    if (hub_list_first(&f->shared.late) != NULL) {
        return time_to_late(f, LOOK_AGAIN_MS);
    }
    return hub_list_first(&f->shared.waiting) != NULL || f->deaf ? LOOK_AGAIN_MS : -1;
}

static bool is_reported(const struct epoll_event *events, int n, const hub_front_end *end)
{
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == end) {
            return true;
        }
    }
    return false;
}

/* Returns false if the thread must end. */
static bool turn(hub_front *f)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(f->shared.setup.epoll_fd, events, EVENTS_AT_ONCE, time_out(f));

    hub_front_shared_now(&f->shared, up_ms());
    if (n == EVENTS_AT_ONCE || is_reported(events, n, &f->notes)) {
        take_orders(f);
    }
    for (int i = 0; i < n; i++) {
        serve(f, &events[i]);
    }
    dial_again(f);
    send_late(f);
    if (f->shared.now_ms - f->looked_ms >= LOOK_AGAIN_MS) {
        end_late(f);
        if (f->deaf) {
            listen_again(f, true);
        }
    }
    free_gone(f);
    return !is_reported(events, n, &f->stop);
}

static void *run(void *user)
{
    hub_front *f = user;

    while (turn(f)) {
    }
    return NULL;
}

/* --- life -------------------------------------------------------------- */

/* Only these sockets, not those of the broker. */
static void make_private(int fd)
{
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    }
}

static hub_front_end watched(int fd)
{
    make_private(fd);
    return (hub_front_end){ .fd = fd };
}

/* The path of a Unix socket must be short, but that of a state directory may be long. */
static void set_up(hub_front *f, const hub_front_config *config)
{
    f->state_dir = open(config->state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    f->broker_path = hub_format("/proc/self/fd/%d/%s", f->state_dir, config->broker_name);
    f->notes = watched(config->notes);
    f->calls = watched(config->calls).fd;
    const hub_front_setup setup = {
        .notes_fd = f->notes.fd,
        .calls_fd = f->calls,
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
        .broker_path = f->broker_path,
        .secret = config->secret,
        .timing = config->timing,
        .log = config->log,
        .user = config->user,
    };
    hub_front_shared_init(&f->shared, &setup);
    for (size_t i = 0; i < LISTENING_COUNT; i++) {
        *listening_at(f, i) =
            watched(config->listening[i / HUB_FRONT_FAMILIES][i % HUB_FRONT_FAMILIES]);
    }
    f->stop = watched(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static hub_result load(hub_front *f, const hub_front_config *config, hub_fault *fault)
{
    char *certificate = hub_format("%s/server.crt", config->state_dir);
    char *key = hub_format("%s/server.key", config->state_dir);
    hub_result r = hub_tls_server_open(&f->shared.tls, certificate, key, fault);

    free(certificate);
    free(key);
    return r;
}

static hub_result begin(hub_front *f, const hub_front_config *config, hub_fault *fault)
{
    if (f->state_dir < 0 || f->shared.setup.epoll_fd < 0 || f->stop.fd < 0) {
        return hub_fail(fault, HUB_ERR_STATE, "the TLS front: %s", strerror(errno));
    }
    hub_result r = load(f, config, fault);
    if (r != HUB_OK) {
        return r;
    }
    listen_again(f, true);
    (void)watch(f, &f->notes, EPOLL_CTL_ADD);
    (void)watch(f, &f->stop, EPOLL_CTL_ADD);
    f->running = pthread_create(&f->thread, NULL, run, f) == 0;
    return f->running ? HUB_OK : hub_fail(fault, HUB_ERR_STATE, "no thread for the TLS front");
}

/* After a failure the sockets still belong to the caller. */
static void leave_sockets(hub_front *f)
{
    for (size_t i = 0; i < LISTENING_COUNT; i++) {
        *listening_at(f, i) = watched(-1);
    }
    f->notes = watched(-1);
    f->calls = -1;
}

hub_result hub_front_start(hub_front **out, const hub_front_config *config, hub_fault *fault)
{
    hub_front *f = hub_calloc(1, sizeof *f);

    *out = NULL;
    set_up(f, config);
    hub_result r = begin(f, config, fault);
    if (r != HUB_OK) {
        leave_sockets(f);
        hub_front_stop(f);
        return r;
    }
    *out = f;
    return HUB_OK;
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void hub_front_stop(hub_front *f)
{
    const uint64_t one = 1;
    hub_front_client *c;

    if (f == NULL) {
        return;
    }
    if (f->running) {
        (void)!write(f->stop.fd, &one, sizeof one);
        (void)pthread_join(f->thread, NULL);
    }
    while ((c = hub_list_first(&f->all)) != NULL) {
        hub_front_client_end(c);
    }
    free_gone(f);
    for (size_t i = 0; i < LISTENING_COUNT; i++) {
        close_if_open(listening_at(f, i)->fd);
    }
    close_if_open(f->calls);
    close_if_open(f->notes.fd);
    close_if_open(f->stop.fd);
    close_if_open(f->state_dir);
    close_if_open(f->shared.setup.epoll_fd);
    hub_tls_server_close(&f->shared.tls);
    free(f->broker_path);
    free(f);
}
