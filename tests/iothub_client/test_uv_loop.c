#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <uv.h>

#include "loop_cases.h"

/* A handle of libuv belongs to one descriptor, and must exist until its close callback has run. */
typedef struct watcher {
    uv_poll_t poll; /* must be the first member, since its address is that of the whole struct */
    struct device *device;
} watcher;

typedef struct device {
    iothub_client *client;
    uv_timer_t timer;
    watcher *watchers[IOTHUB_POLL_FDS]; /* NULL: none */
    loop_seen seen[IOTHUB_POLL_FDS];
} device;

static uv_loop_t uv;
static device devices[LOOP_CLIENTS];
static size_t count;
static bool (*is_over)(void);

static void serve(device *d);

static void on_closed(uv_handle_t *h)
{
    free(h);
}

static void on_ready(uv_poll_t *h, int status, int events)
{
    (void)status; /* ignored, because iothub_process detects any error itself */
    (void)events;
    loop_wakeups++;
    serve(((watcher *)h)->device);
}

static void on_time(uv_timer_t *t)
{
    device *d = t->data;

    loop_wakeups++;
    loop_stalls += t->repeat >= LONG_MS;
    serve(d);
}

static void unwatch(device *d, size_t place)
{
    watcher *w = d->watchers[place];

    if (w != NULL) {
        loop_check_open(d->seen[place].fd);
        assert_int_equal(uv_poll_stop(&w->poll), 0);
        uv_close((uv_handle_t *)&w->poll, on_closed);
        d->watchers[place] = NULL;
    }
}

static void watch(device *d, size_t place, const plat_poll *now)
{
    watcher *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->device = d;
    loop_check_open((int)now->fd);
    assert_int_equal(uv_poll_init(&uv, &w->poll, (int)now->fd), 0);
    d->watchers[place] = w;
}

static void look(device *d, size_t place, const plat_poll *now)
{
    loop_change change = loop_compare(&d->seen[place], now);

    if (change == LOOP_OTHER_FILE) {
        unwatch(d, place);
        if (now->fd >= 0) {
            watch(d, place, now);
        }
    }
    if (change != LOOP_SAME && now->fd >= 0) {
        int events = (now->want_read ? UV_READABLE : 0) | (now->want_write ? UV_WRITABLE : 0);
        assert_int_equal(uv_poll_start(&d->watchers[place]->poll, events, on_ready), 0);
    }
    d->seen[place] = (loop_seen){ (int)now->fd, now->generation, now->want_read, now->want_write };
}

static void wait_for(device *d)
{
    iothub_poll p;

    iothub_poll_info(d->client, &p);
    for (size_t place = 0; place < IOTHUB_POLL_FDS; place++) {
        look(d, place, &p.fds[place]);
    }
    if (p.timeout_ms < 0) {
        assert_int_equal(uv_timer_stop(&d->timer), 0);
    } else { /* the repeat value stores how long to sleep */
        uint64_t ms = (uint64_t)p.timeout_ms;
        assert_int_equal(uv_timer_start(&d->timer, on_time, ms, ms), 0);
    }
}

static void serve(device *d)
{
    assert_int_equal(iothub_process(d->client), IOTHUB_OK);
    wait_for(d);
    if (is_over()) {
        uv_stop(&uv);
    }
}

static void begin(iothub_client *const of[LOOP_CLIENTS])
{
    assert_int_equal(uv_loop_init(&uv), 0);
    for (count = 0; count < LOOP_CLIENTS && of[count] != NULL; count++) {
        device *d = &devices[count];
        *d = (device){ .client = of[count], .seen = { { .fd = -1 }, { .fd = -1 } } };
        assert_int_equal(uv_timer_init(&uv, &d->timer), 0);
        d->timer.data = d;
    }
}

static void run_until(bool (*over)(void))
{
    is_over = over;
    for (size_t i = 0; i < count; i++) {
        wait_for(&devices[i]); /* necessary because the test has made requests */
    }
    if (!is_over()) {
        (void)uv_run(&uv, UV_RUN_DEFAULT);
    }
    assert_true(is_over());
}

static void end(void)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t place = 0; place < IOTHUB_POLL_FDS; place++) {
            unwatch(&devices[i], place);
        }
        uv_close((uv_handle_t *)&devices[i].timer, NULL);
    }
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
    return loop_cases(&(loop_kind){ begin, run_until, end });
}
