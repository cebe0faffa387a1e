#include "context/lock.h"

#include <assert.h>

plat_result lock_init(iothub_lock *l, const plat_threads *threads)
{
    *l = (iothub_lock){ .threads = threads };
    return threads->init(&l->thread);
}

#ifndef NDEBUG
bool lock_valid(const iothub_lock *l)
{
    return l->threads != NULL && (l->state != IOTHUB_RUNNER_NONE || l->driver == NULL);
}
#endif

void lock_deinit(iothub_lock *l)
{
    assert(lock_valid(l));
    l->threads->deinit(&l->thread);
}

void lock_enter(iothub_lock *l)
{
    l->threads->lock(&l->thread);
}

/* Releases the lock before it wakes the thread, because the thread would otherwise wait for the
 * lock. */
void lock_leave(iothub_lock *l, bool work)
{
    bool wake = work && l->asleep;

    if (wake) {
        l->asleep = false;
        l->wakes++;
    }
    l->threads->unlock(&l->thread);
    if (wake) {
        l->threads->wake(&l->thread);
    }
}

bool lock_take_runner(iothub_lock *l)
{
    assert(lock_valid(l));
    bool is_free = l->state == IOTHUB_RUNNER_NONE;

    if (is_free) {
        l->state = IOTHUB_RUNNER_RUNS;
    }
    return is_free;
}

plat_result lock_start_thread(iothub_lock *l, void (*run)(void *user), void *user)
{
    return l->threads->start(&l->thread, run, user);
}

void lock_join_thread(iothub_lock *l)
{
    l->threads->join(&l->thread);
}

void lock_poll_wakes(iothub_lock *l, plat_poll *p)
{
    l->threads->poll_wakes(&l->thread, p);
}

void lock_end_runner(iothub_lock *l)
{
    assert(lock_valid(l));
    l->state = IOTHUB_RUNNER_ENDS;
}

void lock_drop_runner(iothub_lock *l)
{
    assert(lock_valid(l));
    l->state = IOTHUB_RUNNER_NONE;
    l->driver = NULL;
}

void lock_set_driver(iothub_lock *l)
{
    assert(lock_valid(l));
    l->driver = l->threads->local();
}

bool lock_is_driver(const iothub_lock *l)
{
    return l->driver == l->threads->local();
}

void lock_on_sleep(iothub_lock *l)
{
    assert(lock_valid(l));
    l->asleep = true;
}

void lock_on_wake(iothub_lock *l)
{
    assert(lock_valid(l));
    l->asleep = false;
    if (l->wakes > 0) { /* a wake that arrives later ends the next sleep and is consumed then */
        l->wakes -= l->threads->take_wakes(&l->thread);
    }
}
