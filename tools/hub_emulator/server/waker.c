#include "server/waker.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/text.h"

#define FDS_MAX 4
/* The signal is repeated at this interval, because it has no effect if it arrives just before
 * the sleep. */
#define REPEAT_MS 2

struct waker {
    pthread_t sleeper;
    pthread_t watcher;
    int control; /* an eventfd, signalled when the watch is rearmed or stopped */
    struct pollfd polls[FDS_MAX + 1];
    size_t count;
    pthread_mutex_t lock;
    int timeout_ms; /* protected by the lock, as are the next three members */
    bool armed;
    bool stop;
    struct sigaction old_action;
};

static void do_nothing(int signal_number)
{
    (void)signal_number;
}

typedef enum order { ORDER_WAIT, ORDER_WATCH, ORDER_STOP } order;

static order read_order(waker *w, int *timeout_ms)
{
    order o;

    pthread_mutex_lock(&w->lock);
    *timeout_ms = w->timeout_ms;
    o = w->stop ? ORDER_STOP : w->armed ? ORDER_WATCH : ORDER_WAIT;
    pthread_mutex_unlock(&w->lock);
    return o;
}

static void disarm(waker *w)
{
    pthread_mutex_lock(&w->lock);
    w->armed = false;
    pthread_mutex_unlock(&w->lock);
}

static void clear_control(waker *w)
{
    uint64_t ignored;
    (void)!read(w->control, &ignored, sizeof ignored);
}

static void *watch(void *argument)
{
    waker *w = argument;
    int timeout_ms;
    order o;

    while ((o = read_order(w, &timeout_ms)) != ORDER_STOP) {
        /* Repeats the interruption until the sleeping thread has done one round. */
        if (o == ORDER_WAIT) {
            (void)pthread_kill(w->sleeper, SIGURG);
            if (poll(&w->polls[0], 1, REPEAT_MS) > 0) {
                clear_control(w);
            }
            continue;
        }
        int ready = poll(w->polls, w->count + 1, timeout_ms);
        if (w->polls[0].revents != 0) {
            clear_control(w); /* a new timeout, or the end of the thread */
        } else if (ready >= 0) {
            disarm(w);
        }
    }
    return NULL;
}

static bool start_thread(waker *w)
{
    sigset_t all;
    sigset_t before;

    /* Signals of the program are handled by the sleeping thread only. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&w->watcher, NULL, watch, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

waker *waker_start(const int *fds, size_t count)
{
    waker *w = hub_calloc(1, sizeof *w);
    struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };

    w->sleeper = pthread_self();
    w->control = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->count = count < FDS_MAX ? count : FDS_MAX;
    w->polls[0] = (struct pollfd){ .fd = w->control, .events = POLLIN };
    for (size_t i = 0; i < w->count; i++) {
        w->polls[i + 1] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
    }
    w->armed = true;
    w->timeout_ms = -1;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)sigaction(SIGURG, &action, &w->old_action);
    if (w->control < 0 || !start_thread(w)) {
        free(w);
        return NULL;
    }
    return w;
}

static void order_changed(waker *w)
{
    const uint64_t one = 1;
    (void)!write(w->control, &one, sizeof one);
}

bool waker_has_fired(waker *w)
{
    pthread_mutex_lock(&w->lock);
    const bool fired = !w->armed;
    pthread_mutex_unlock(&w->lock);
    return fired;
}

void waker_rearm(waker *w, int timeout_ms)
{
    pthread_mutex_lock(&w->lock);
    bool changed = !w->armed || w->timeout_ms != timeout_ms;
    w->armed = true;
    w->timeout_ms = timeout_ms;
    pthread_mutex_unlock(&w->lock);
    if (changed) {
        order_changed(w);
    }
}

void waker_stop(waker *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_mutex_unlock(&w->lock);
    order_changed(w);
    (void)pthread_join(w->watcher, NULL);
    (void)sigaction(SIGURG, &w->old_action, NULL);
    (void)close(w->control);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}
