#include "iothub/runner.h"

#include "context/result_map.h"
#include "drive/api.h"
#include "drive/client.h"
#include "drive/wake.h"

_Static_assert(IOTHUB_POLL_FDS + 1 <= PLAT_WAIT_MAX, "no descriptor left for the wake-up");

/* Sleeps until there is work. Called with the lock held, which is released during the sleep. */
static void sleep_until_work(iothub_client *c)
{
    const plat_net *net = c->context.options.platform->net;
    iothub_lock *l = c->context.lock;
    plat_poll polls[IOTHUB_POLL_FDS + 1];
    int timeout_ms;

    mqc_time deadline = loop_poll(c, polls, &timeout_ms);
    lock_poll_wakes(l, &polls[IOTHUB_POLL_FDS]);
    if (timeout_ms != 0) {
        wake_on_sleep(&c->wake, c->context.last_op, deadline);
        lock_on_sleep(l);
    }
    lock_leave(l, false);
    if (timeout_ms != 0) {
        net->wait(net, polls, IOTHUB_POLL_FDS + 1, timeout_ms);
    }
    lock_enter(l);
    lock_on_wake(l);
}

static bool goes_on(const iothub_client *c)
{
    return c->context.lock->state == IOTHUB_RUNNER_RUNS || session_is_leaving(&c->session);
}

static void run(void *user)
{
    iothub_client *c = user;
    iothub_lock *l = c->context.lock;

    lock_enter(l);
    lock_set_driver(l);
    loop_turn(c);
    while (goes_on(c)) {
        sleep_until_work(c);
        loop_turn(c);
    }
    lock_leave(l, false);
}

/* Makes the lock for the first runner. The client keeps it, because other threads may use the
 * client when this runner stops. */
static plat_result make_lock(iothub_client *c)
{
    if (c->context.lock != NULL) {
        return PLAT_OK;
    }
    wake_init(&c->wake, c->context.last_op);
    c->stop_runner = iothub_runner_stop;
    return context_make_lock(&c->context);
}

/* Checks that no other thread drives the client, and takes it over. */
static bool take_over(iothub_client *c)
{
    lock_enter(c->context.lock);
    bool is_free = !c->context.processing && lock_take_runner(c->context.lock);
    lock_leave(c->context.lock, false);
    return is_free;
}

static void give_up(iothub_client *c)
{
    lock_enter(c->context.lock);
    lock_drop_runner(c->context.lock);
    lock_leave(c->context.lock, false);
}

static iothub_result start(iothub_client *c, iothub_error *error)
{
    if (c->context.options.platform->threads == NULL) {
        return iothub_fail(
            error, IOTHUB_ERR_ARG,
            "iothub_runner_start: the platform has no threads; drive the client by iothub_wait");
    }
    if (c->context.lock == NULL && c->context.processing) {
        return iothub_fail(error, IOTHUB_ERR_STATE,
                           "iothub_runner_start inside a callback: call it from outside");
    }
    plat_result r = make_lock(c);
    if (r == PLAT_OK && !take_over(c)) {
        return iothub_fail(error, IOTHUB_ERR_STATE,
                           "iothub_runner_start: another runner or a callback has the client");
    }
    if (r == PLAT_OK) {
        r = lock_start_thread(c->context.lock, run, c);
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
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return iothub_fail(error, r, "%s", iothub_last_error(c)->text);
    }
    (void)api_return(c, r);
    return start(c, error);
}

/* Requests the end. The thread checks this before it sleeps; if it is asleep, it is woken. */
static iothub_result ask_to_end(iothub_client *c)
{
    iothub_lock *l = c->context.lock;

    if (l == NULL || l->state != IOTHUB_RUNNER_RUNS) {
        return context_refuse(&c->context, IOTHUB_ERR_STATE,
                              "iothub_runner_stop: no runner to stop");
    }
    if (lock_is_driver(l)) {
        return context_refuse(&c->context, IOTHUB_ERR_STATE,
                              "iothub_runner_stop inside a callback: call it from another thread");
    }
    lock_end_runner(l);
    context_poke(&c->context);
    return IOTHUB_OK;
}

iothub_result iothub_runner_stop(iothub_client *c)
{
    iothub_result r = api_begin(c);
    if (r != IOTHUB_OK) {
        return r;
    }
    r = api_return(c, ask_to_end(c));
    if (r == IOTHUB_OK) {
        lock_join_thread(c->context.lock);
        give_up(c);
    }
    return r;
}
