#include "fake_threads.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct fake_thread {
    bool held;
    unsigned locks;
    size_t wakes;
} fake_thread;

_Static_assert(sizeof(fake_thread) <= sizeof(plat_thread), "PLAT_THREAD_SIZE is too small");

static fake_thread *of(plat_thread *t)
{
    return (fake_thread *)(void *)t;
}

static const fake_thread *of_const(const plat_thread *t)
{
    return (const fake_thread *)(const void *)t;
}

static plat_result init(plat_thread *t)
{
    *of(t) = (fake_thread){ .held = false };
    return PLAT_OK;
}

static void set_held(plat_thread *t, bool held)
{
    if (of(t)->held == held) {
        fprintf(stderr, "fake_threads: %s\n", held ? "locked twice" : "unlocked twice");
        abort();
    }
    of(t)->held = held;
}

static void deinit(plat_thread *t)
{
    if (of(t)->held) {
        fprintf(stderr, "fake_threads: locked at the end\n");
        abort();
    }
}

static plat_result start(plat_thread *t, void (*run)(void *user), void *user)
{
    (void)t;
    (void)run;
    (void)user;
    return PLAT_ERR_MEMORY;
}

static void join(plat_thread *t)
{
    (void)t;
}

static void lock(plat_thread *t)
{
    set_held(t, true);
    of(t)->locks++;
}

static void unlock(plat_thread *t)
{
    set_held(t, false);
}

static void wake(plat_thread *t)
{
    of(t)->wakes++;
}

static void poll_wakes(const plat_thread *t, plat_poll *out)
{
    *out = (plat_poll){ .fd = -1, .ready_now = of_const(t)->wakes > 0 };
}

static size_t take_wakes(plat_thread *t)
{
    size_t taken = of(t)->wakes;
    of(t)->wakes = 0;
    return taken;
}

static void *local(void)
{
    static uint64_t memory[PLAT_LOCAL_SIZE / sizeof(uint64_t)];
    return memory;
}

const plat_threads fake_threads = {
    .init = init,
    .deinit = deinit,
    .start = start,
    .join = join,
    .lock = lock,
    .unlock = unlock,
    .wake = wake,
    .poll_wakes = poll_wakes,
    .take_wakes = take_wakes,
    .local = local,
};

bool fake_threads_held(const plat_thread *t)
{
    return of_const(t)->held;
}

unsigned fake_threads_locks(const plat_thread *t)
{
    return of_const(t)->locks;
}
