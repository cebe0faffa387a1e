#include "internal.h"

_Static_assert(sizeof(iothub_error) <= PLAT_LOCAL_SIZE, "PLAT_LOCAL_SIZE is too small");

void lock_enter(iothub_lock *g)
{
    g->threads->lock(&g->thread);
}

/* The wake is sent behind the lock: the thread would only run into it. */
void lock_leave(iothub_lock *g, bool work)
{
    bool wake = work && g->asleep;

    if (wake) {
        g->asleep = false;
        g->wakes++;
    }
    g->threads->unlock(&g->thread);
    if (wake) {
        g->threads->wake(&g->thread);
    }
}

bool lock_in_callback(const iothub_client *c)
{
    const iothub_lock *g = c->lock;

    return lock_has_runner(c) ? g->driver == g->threads->local() : c->processing;
}

void lock_stop(iothub_client *c)
{
    if (c->lock != NULL) {
        (void)c->lock->stop(c);
    }
}

void lock_deinit(iothub_client *c)
{
    if (c->lock != NULL) {
        c->lock->threads->deinit(&c->lock->thread);
        c->lock = NULL;
    }
}

iothub_error *client_error(iothub_client *c)
{
    return c->lock != NULL ? c->lock->threads->local() : &c->error;
}
