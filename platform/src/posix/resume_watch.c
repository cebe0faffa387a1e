#include "posix/resume_watch.h"

#include <pthread.h>
#include <unistd.h>

#include "posix/resume.h"

static struct {
    pthread_mutex_t lock;
    struct {
        int fd;
        unsigned sleepers;
    } slots[2];
    int current;
    unsigned count; /* number of times that the system has resumed; read without the lock */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER, .slots = { { .fd = -1 }, { .fd = -1 } } };

static pthread_once_t opened = PTHREAD_ONCE_INIT;

static void open_first(void)
{
    all.slots[0].fd = plat_resume_open();
}

unsigned plat_resume_count(void)
{
    (void)pthread_once(&opened, open_first);
    return __atomic_load_n(&all.count, __ATOMIC_ACQUIRE);
}

bool plat_resume_begin(unsigned count, plat_resume_watch *w)
{
    (void)pthread_mutex_lock(&all.lock);
    bool same = count == all.count;
    *w = (plat_resume_watch){ all.slots[all.current].fd, all.current };
    if (same) {
        all.slots[w->slot].sleepers++;
    }
    (void)pthread_mutex_unlock(&all.lock);
    return same;
}

/* Makes a new descriptor. The old one stays readable for the threads that have not noticed it
 * yet. */
static void replace(int slot)
{
    int other = 1 - slot;
    __atomic_store_n(&all.count, all.count + 1, __ATOMIC_RELEASE);
    int fd = all.slots[other].sleepers == 0 ? plat_resume_open() : -1;
    if (fd < 0) { /* another thread still watches the previous one, or no descriptor is left */
        plat_resume_clear(all.slots[slot].fd);
        return;
    }
    all.slots[other].fd = fd;
    all.current = other;
}

void plat_resume_end(plat_resume_watch w, bool readable)
{
    (void)pthread_mutex_lock(&all.lock);
    if (readable && w.slot == all.current) {
        replace(w.slot);
    }
    all.slots[w.slot].sleepers--;
    if (w.slot != all.current && all.slots[w.slot].sleepers == 0 && all.slots[w.slot].fd >= 0) {
        (void)close(all.slots[w.slot].fd);
        all.slots[w.slot].fd = -1;
    }
    (void)pthread_mutex_unlock(&all.lock);
}
