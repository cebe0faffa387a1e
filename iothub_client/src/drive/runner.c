#include "iothub/runner.h"

#include "internal.h"

_Static_assert(IOTHUB_POLL_FDS + 1 <= PLAT_WAIT_MAX, "no place left for the wake-up");

/* Under the lock, which is free while the thread sleeps. */
static void sleep_until_work(iothub_client *c)
{
    const plat_net *net = c->options.platform->net;
    iothub_lock *g = c->lock;
    plat_poll polls[IOTHUB_POLL_FDS + 1];
    int timeout_ms;

    mqc_time deadline = loop_poll(c, polls, &timeout_ms);
    g->threads->poll_wakes(&g->thread, &polls[IOTHUB_POLL_FDS]);
    if (timeout_ms != 0) {
        wake_on_sleep(g, c->last_op, deadline);
    }
    g->threads->unlock(&g->thread);
    if (timeout_ms != 0) {
        net->wait(net, polls, IOTHUB_POLL_FDS + 1, timeout_ms);
    }
    g->threads->lock(&g->thread);
    g->asleep = false;
    if (g->wakes > 0) { /* one that is still on its way ends the next sleep, and is taken then */
        g->wakes -= g->threads->take_wakes(&g->thread);
    }
}

static bool goes_on(const iothub_client *c)
{
    return c->lock->state == IOTHUB_RUNNER_RUNS || session_is_leaving(c);
}

static void run(void *user)
{
    iothub_client *c = user;
    iothub_lock *g = c->lock;

    g->threads->lock(&g->thread);
    g->driver = g->threads->local();
    loop_turn(c);
    while (goes_on(c)) {
        sleep_until_work(c);
        loop_turn(c);
    }
    g->threads->unlock(&g->thread);
}

/* For the first runner; the client keeps it, as other threads may be using the client when
 * this runner stops. */
static plat_result make_lock(iothub_client *c)
{
    iothub_lock *g = &c->lock_memory;

    if (c->lock != NULL) {
        return PLAT_OK;
    }
    *g = (iothub_lock){
        .threads = c->options.platform->threads,
        .stop = iothub_runner_stop,
        .last_op = c->last_op,
        .lone = true,
    };
    plat_result r = g->threads->init(&g->thread);
    if (r == PLAT_OK) {
        c->lock = g;
    }
    return r;
}

/* Nobody else drives the client. */
static bool take_over(iothub_client *c)
{
    client_enter(c);
    bool is_free = c->lock->state == IOTHUB_RUNNER_NONE && !c->processing;
    if (is_free) {
        c->lock->state = IOTHUB_RUNNER_RUNS;
    }
    client_leave(c);
    return is_free;
}

static void give_up(iothub_client *c)
{
    client_enter(c);
    c->lock->state = IOTHUB_RUNNER_NONE;
    c->lock->driver = NULL;
    client_leave(c);
}

static iothub_result start(iothub_client *c, iothub_error *error)
{
    if (c->options.platform->threads == NULL) {
        return iothub_fail(
            error, IOTHUB_ERR_ARG,
            "iothub_runner_start: the platform has no threads; drive the client by iothub_wait");
    }
    if (c->lock == NULL && c->processing) {
        return iothub_fail(error, IOTHUB_ERR_STATE,
                           "iothub_runner_start inside a callback: call it from outside");
    }
    plat_result r = make_lock(c);
    if (r == PLAT_OK && !take_over(c)) {
        return iothub_fail(error, IOTHUB_ERR_STATE,
                           "iothub_runner_start: another runner or a callback has the client");
    }
    if (r == PLAT_OK) {
        r = c->lock->threads->start(&c->lock->thread, run, c);
        if (r != PLAT_OK) {
            give_up(c);
        }
    }
    return r == PLAT_OK ? IOTHUB_OK
                        : iothub_fail(error, iothub_from_plat(r),
                                      "iothub_runner_start: no thread, or no descriptor, left");
}

iothub_result iothub_runner_start(iothub_client *c, iothub_error *error)
{
    iothub_result r = client_begin(c);
    if (r != IOTHUB_OK) {
        return iothub_fail(error, r, "%s", iothub_last_error(c)->text);
    }
    client_leave(c);
    return start(c, error);
}

/* The thread sees it before it sleeps, or is woken. */
static iothub_result ask_to_end(iothub_client *c)
{
    iothub_lock *g = c->lock;

    if (g == NULL || g->state != IOTHUB_RUNNER_RUNS) {
        return client_refuse(c, IOTHUB_ERR_STATE, "iothub_runner_stop: no runner to stop");
    }
    if (g->driver == g->threads->local()) {
        return client_refuse(c, IOTHUB_ERR_STATE,
                             "iothub_runner_stop inside a callback: call it from another thread");
    }
    g->state = IOTHUB_RUNNER_ENDS;
    c->kick = true;
    return IOTHUB_OK;
}

iothub_result iothub_runner_stop(iothub_client *c)
{
    iothub_result r = client_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = client_return(c, ask_to_end(c));
    if (r == IOTHUB_OK) {
        c->lock->threads->join(&c->lock->thread);
        give_up(c);
    }
    return r;
}
