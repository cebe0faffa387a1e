#include "internal.h"

_Static_assert(sizeof(iothub_error) <= PLAT_LOCAL_SIZE, "PLAT_LOCAL_SIZE is too small");

void guard_enter(iothub_guard *g)
{
    g->threads->lock(&g->thread);
}

/* The wake is sent behind the lock: the thread would only run into it. */
void guard_leave(iothub_guard *g, bool work)
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

bool guard_in_callback(const iothub_client *c)
{
    const iothub_guard *g = c->guard;

    return guard_has_runner(c) ? g->driver == g->threads->local() : c->processing;
}

void guard_stop(iothub_client *c)
{
    if (c->guard != NULL) {
        (void)c->guard->stop(c);
    }
}

void guard_deinit(iothub_client *c)
{
    if (c->guard != NULL) {
        c->guard->threads->deinit(&c->guard->thread);
        c->guard = NULL;
    }
}

iothub_error *client_error(iothub_client *c)
{
    return c->guard != NULL ? c->guard->threads->local() : &c->error;
}
