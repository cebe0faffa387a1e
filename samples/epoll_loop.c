/*
 * The client in your own epoll loop, together with other descriptors (here a timer that sends one
 * message per second). The rules for such a loop are at iothub_poll_info in iothub/client.h.
 *
 *     epoll_loop --count 3
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sample.h"

enum { EVENTS = 4 };

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    iothub_client *client;
    int epoll, timer;
    iothub_poll watched; /* what epoll was last told for each slot */
    unsigned sent, arrived;
} app;

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    a->arrived += d->result == IOTHUB_OK;
    printf("message %u: %s\n", d->op, iothub_result_str(d->result));
}

static void on_timer(app *a)
{
    static const char body[] = "{\"tick\":true}";
    const iothub_telemetry message = { .body = body, .body_len = sizeof body - 1 };
    uint64_t ticks;

    /* Reads the timer, because it would stay ready otherwise. */
    (void)!read(a->timer, &ticks, sizeof ticks);
    if (a->sent < a->sample.count &&
        iothub_send_telemetry(a->client, &message, NULL) == IOTHUB_OK) {
        a->sent++;
    }
}

static void control(const app *a, int op, int fd, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.fd = fd };

    if (epoll_ctl(a->epoll, op, fd, &e) != 0) {
        perror("epoll_ctl");
    }
}

/* Registers one slot of the client with epoll, if it differs from what epoll was given before. */
static void watch(const app *a, const plat_poll *before, const plat_poll *now)
{
    bool same = before->fd == now->fd && before->generation == now->generation;
    uint32_t events =
        (now->want_read ? (uint32_t)EPOLLIN : 0U) | (now->want_write ? (uint32_t)EPOLLOUT : 0U);

    if (before->fd >= 0 && !same) {
        control(a, EPOLL_CTL_DEL, (int)before->fd,
                0); /* The descriptor is still open: the client closes it in a later call. */
    }
    if (now->fd >= 0) {
        control(a, same ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, (int)now->fd, events);
    }
}

static void turn(app *a)
{
    struct epoll_event events[EVENTS];
    iothub_poll now;

    iothub_poll_info(a->client, &now);
    for (size_t i = 0; i < IOTHUB_POLL_FDS; i++) {
        watch(a, &a->watched.fds[i], &now.fds[i]);
    }
    a->watched = now;
    int count = epoll_wait(a->epoll, events, EVENTS, now.timeout_ms);
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == a->timer) {
            on_timer(a);
        }
    }
    (void)iothub_process(a->client); /* never blocks; a call without work to do is allowed */
}

static bool make_loop(app *a)
{
    const struct itimerspec each_second = { { 1, 0 }, { 0, 1 } };

    for (size_t i = 0; i < IOTHUB_POLL_FDS; i++) {
        a->watched.fds[i].fd = -1;
    }
    a->epoll = epoll_create1(EPOLL_CLOEXEC);
    a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (a->epoll < 0 || a->timer < 0 || timerfd_settime(a->timer, 0, &each_second, NULL) != 0) {
        return false;
    }
    control(a, EPOLL_CTL_ADD, a->timer, EPOLLIN);
    return true;
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 3, .duration_s = 60 } };
    iothub_error error;

    sample_init(&a.sample, argc, argv, "Drive the client from an epoll loop.");
    a.sample.options.callbacks.done = on_done;
    a.client = iothub_new(a.sample.connection_string, &a.sample.options, &error);
    if (a.client == NULL) {
        return sample_fail(error.text);
    }
    if (!make_loop(&a)) {
        return sample_fail(strerror(errno));
    }
    (void)iothub_start(a.client);
    while (sample_goes_on(&a.sample) && a.arrived < a.sample.count) {
        turn(&a);
    }
    (void)iothub_stop(a.client, sample_grace_ms(&a.sample));
    while (iothub_get_state(a.client) != IOTHUB_STOPPED) {
        turn(&a);
    }
    (void)close(a.epoll); /* stop watching before iothub_free */
    (void)close(a.timer);
    iothub_free(a.client);
    return sample_exit_status(&a.sample, a.arrived == a.sample.count);
}
