#ifndef PLAT_THREAD_H
#define PLAT_THREAD_H

/**
 * @file
 * One background thread, a lock, and a way to wake the thread from plat_net.wait.
 * Only the runner (iothub/runner.h) uses this; a platform without threads leaves it out.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"
#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Room for a thread, its lock and its wake-up; the caller owns it, and it does not move. */
#define PLAT_THREAD_SIZE 96
typedef union plat_thread {
    uint64_t align;
    void *align_ptr;
    unsigned char bytes[PLAT_THREAD_SIZE];
} plat_thread;

/** What local() gives at least, in bytes. */
#define PLAT_LOCAL_SIZE 192

typedef struct plat_threads {
    /** The lock and the wake-up, no thread yet.  After a failure there is nothing to give back. */
    plat_result (*init)(plat_thread *t);
    void (*deinit)(plat_thread *t);

    /** Run on a thread of its own.  After join it may be started again. */
    plat_result (*start)(plat_thread *t, void (*run)(void *user), void *user);
    void (*join)(plat_thread *t);

    /** Not recursive. */
    void (*lock)(plat_thread *t);
    void (*unlock)(plat_thread *t);

    /** End the wait for what poll_wakes says, or the next one.  Any thread; never blocks. */
    void (*wake)(plat_thread *t);
    /** What to hand to plat_net.wait: ready while there are wakes that were not taken. */
    void (*poll_wakes)(const plat_thread *t, plat_poll *out);
    /** How many calls of wake since the last time; never blocks. */
    size_t (*take_wakes)(plat_thread *t);

    /** Memory of the calling thread, zero at first: another address in each thread that lives. */
    void *(*local)(void);
} plat_threads;

#ifdef __cplusplus
}
#endif
#endif
