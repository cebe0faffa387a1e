#ifndef PLAT_POSIX_THREADS_H
#define PLAT_POSIX_THREADS_H

/**
 * @file
 * Implements plat_threads.
 */

#include <pthread.h>
#include <stdbool.h>

#include "platform/thread.h"

/** plat_threads with POSIX threads and eventfd. */
extern const plat_threads plat_posix_threads;

/**
 * Calls pthread_create with all signals blocked, so that the application's signal handlers never
 * run on threads of this library. Returns 0 or an errno.
 */
int plat_posix_spawn(pthread_t *thread, bool detached, void *(*run)(void *), void *arg);

#endif
