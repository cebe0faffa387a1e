#ifndef PLAT_THREAD_H
#define PLAT_THREAD_H

/**
 * @file
 * One background thread, a lock, and a way to wake the thread while it sleeps in plat_net.wait.
 * Only the runner (iothub/runner.h) uses this.  A platform without threads leaves it out.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"
#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef PLAT_THREAD_SIZE
/**
 * Size of a plat_thread in bytes.  A port that needs another size defines this macro for all files
 * that include this header; CMake does so with -DIOTHUB_THREAD_SIZE=BYTES.
 */
#define PLAT_THREAD_SIZE 96
#endif

/** Memory for a thread, its lock and its wake-up.  The caller owns it, and must not move it between
 * init and deinit.  Its members are private. */
typedef union plat_thread {
    uint64_t align;                        /**< private: aligns the memory */
    void *align_ptr;                       /**< private: aligns the memory */
    unsigned char bytes[PLAT_THREAD_SIZE]; /**< private: the memory */
} plat_thread;

/** Size in bytes of the memory that plat_threads.local returns, at least. */
#define PLAT_LOCAL_SIZE 192

/** The functions that a port provides for the runner. */
typedef struct plat_threads {
    /**
     * Makes the lock and the wake-up, but no thread yet.
     * @param[out] t  memory of the caller
     * @retval PLAT_ERR_MEMORY  no memory or descriptor is left; deinit must not be called
     */
    plat_result (*init)(plat_thread *t);

    /**
     * Gives back what init has made.  The thread must not run.
     * @param t  after a successful init
     */
    void (*deinit)(plat_thread *t);

    /**
     * Runs a function on a thread of its own.  After join a thread may be started again.
     * @param t     after a successful init; no thread of it runs
     * @param run   the function
     * @param user  argument of run
     * @retval PLAT_ERR_MEMORY  the system makes no further thread
     */
    plat_result (*start)(plat_thread *t, void (*run)(void *user), void *user);

    /**
     * Waits until the function has returned.
     * @param t  after a successful start
     */
    void (*join)(plat_thread *t);

    /**
     * Takes the lock, and waits for it if another thread has it.  The lock is not recursive.
     * @param t  after a successful init
     */
    void (*lock)(plat_thread *t);

    /**
     * Releases the lock.
     * @param t  locked by the calling thread
     */
    void (*unlock)(plat_thread *t);

    /**
     * Ends the wait for what poll_wakes reports; if nobody waits now, the next wait ends
     * immediately. Any thread may call it.  It never blocks.
     * @param t  after a successful init
     */
    void (*wake)(plat_thread *t);

    /**
     * Reports what to pass to plat_net.wait.  It is ready while take_wakes would return more than
     * 0.
     * @param t         after a successful init
     * @param[out] out  the descriptor to watch
     */
    void (*poll_wakes)(const plat_thread *t, plat_poll *out);

    /**
     * Takes the wakes that have gathered.  Never blocks.
     * @param t  after a successful init
     * @return the number of calls of wake since the last call of this function
     */
    size_t (*take_wakes)(plat_thread *t);

    /**
     * Memory of the calling thread: its address differs between any two threads that live.
     * @return PLAT_LOCAL_SIZE bytes, aligned for any type, zero when the thread begins
     */
    void *(*local)(void);
} plat_threads;

#ifdef __cplusplus
}
#endif
#endif
