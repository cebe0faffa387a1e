#ifndef IOTHUB_LOCK_H
#define IOTHUB_LOCK_H

/**
 * @file
 * The lock of a client that several threads use, and the thread of its runner.  Without a runner
 * there is no lock.
 */

#include <stdbool.h>
#include <stddef.h>

#include "platform/thread.h"

typedef enum iothub_runner_state {
    IOTHUB_RUNNER_NONE = 0, /* the application drives the client itself */
    IOTHUB_RUNNER_RUNS,
    IOTHUB_RUNNER_ENDS /* the runner must stop, and was not joined yet */
} iothub_runner_state;

typedef struct iothub_lock {
    const plat_threads *threads;
    plat_thread thread;
    /* The following members are used only with the lock held. */
    const void *driver; /* identifies the runner's thread */
    size_t wakes;       /* number of wakes that were sent or will be sent, and were not consumed */
    iothub_runner_state state;
    bool asleep; /* the runner's thread sleeps and was not woken */
} iothub_lock;

plat_result lock_init(iothub_lock *l, const plat_threads *threads);
void lock_deinit(iothub_lock *l);

/* Takes the lock. */
void lock_enter(iothub_lock *l);
/** Releases the lock. If work is true, wakes the runner if it sleeps. */
void lock_leave(iothub_lock *l, bool work);

/** Starts the thread; lock_take_runner must have succeeded before. */
plat_result lock_start_thread(iothub_lock *l, void (*run)(void *user), void *user);
/** Waits until the thread has ended. */
void lock_join_thread(iothub_lock *l);
/** Reports the descriptor for wakes, for which the runner must wait, too. */
void lock_poll_wakes(iothub_lock *l, plat_poll *p);

/** Call it when a runner is about to drive the client. Returns false if another one does. */
bool lock_take_runner(iothub_lock *l);
/** Requests the end of the runner. */
void lock_end_runner(iothub_lock *l);
/** Call it when the runner has ended, or its thread could not be started. */
void lock_drop_runner(iothub_lock *l);
/** Marks the calling thread as that of the runner. */
void lock_set_driver(iothub_lock *l);
bool lock_is_driver(const iothub_lock *l);

/** Call it when the runner's thread is about to sleep. Releases the lock. */
void lock_on_sleep(iothub_lock *l);
/** Call it when the runner's thread has woken. Takes the lock again. */
void lock_on_wake(iothub_lock *l);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool lock_valid(const iothub_lock *l);

#endif
