#ifndef PLAT_POSIX_THREADS_H
#define PLAT_POSIX_THREADS_H

#include <pthread.h>
#include <stdbool.h>

#include "platform/thread.h"

extern const plat_threads plat_posix_threads;

/** pthread_create with all signals blocked: the application's handlers never run on ours. */
int plat_posix_spawn(pthread_t *thread, bool detached, void *(*run)(void *), void *arg);

#endif
