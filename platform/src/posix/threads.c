#include "posix/threads.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct posix_thread {
    pthread_mutex_t lock;
    pthread_t thread;
    int wakes; /* an eventfd that counts the wakes that were not taken yet */
    void (*run)(void *user);
    void *user;
} posix_thread;

_Static_assert(sizeof(posix_thread) <= sizeof(plat_thread), "PLAT_THREAD_SIZE is too small");

static posix_thread *of(plat_thread *t)
{
    return (posix_thread *)(void *)t;
}

int plat_posix_spawn(pthread_t *thread, bool detached, void *(*run)(void *), void *arg)
{
    sigset_t all;
    sigset_t before;
    pthread_attr_t attr;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr,
                                      detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    int rc = pthread_create(thread, &attr, run, arg);
    (void)pthread_attr_destroy(&attr);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

/* Makes a lock that tries again a few times before its thread sleeps (with glibc), because the
 * lock is held for less time than the system needs to put a thread to sleep and to wake it. */
static void make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;

    (void)pthread_mutexattr_init(&attr);
#ifdef __GLIBC__
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    (void)pthread_mutex_init(lock, &attr); /* cannot fail with these attributes */
    (void)pthread_mutexattr_destroy(&attr);
}

static plat_result init(plat_thread *t)
{
    posix_thread *p = of(t);

    *p = (posix_thread){ .wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (p->wakes < 0) {
        return PLAT_ERR_MEMORY;
    }
    make_lock(&p->lock);
    return PLAT_OK;
}

static void deinit(plat_thread *t)
{
    posix_thread *p = of(t);

    (void)pthread_mutex_destroy(&p->lock);
    (void)close(p->wakes);
}

static void *run(void *arg)
{
    posix_thread *p = arg;

    p->run(p->user);
    return NULL;
}

static plat_result start(plat_thread *t, void (*function)(void *user), void *user)
{
    posix_thread *p = of(t);

    p->run = function;
    p->user = user;
    return plat_posix_spawn(&p->thread, false, run, p) == 0 ? PLAT_OK : PLAT_ERR_MEMORY;
}

static void join(plat_thread *t)
{
    (void)pthread_join(of(t)->thread, NULL);
}

static void lock(plat_thread *t)
{
    (void)pthread_mutex_lock(&of(t)->lock);
}

static void unlock(plat_thread *t)
{
    (void)pthread_mutex_unlock(&of(t)->lock);
}

static void wake(plat_thread *t)
{
    const uint64_t one = 1;
    ssize_t n =
        /* Cannot fail, because the counter is far from its limit. */
        write(of(t)->wakes, &one, sizeof one);
    (void)n;
}

static void poll_wakes(const plat_thread *t, plat_poll *out)
{
    const posix_thread *p = (const posix_thread *)(const void *)t;
    *out = (plat_poll){ .fd = p->wakes, .want_read = true };
}

static size_t take_wakes(plat_thread *t)
{
    uint64_t count = 0;
    return read(of(t)->wakes, &count, sizeof count) == sizeof count ? (size_t)count : 0;
}

static void *local(void)
{
    static _Thread_local union {
        uint64_t align;
        void *align_ptr;
        unsigned char bytes[PLAT_LOCAL_SIZE];
    } memory;

    return &memory;
}

const plat_threads plat_posix_threads = {
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
