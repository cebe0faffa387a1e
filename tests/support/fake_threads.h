#ifndef TEST_FAKE_THREADS_H
#define TEST_FAKE_THREADS_H

/**
 * @file
 * An implementation of plat_threads without threads. Its lock counts how often it is taken, and
 * ends the test if it is taken twice or released without being held.
 */

#include <stdbool.h>

#include "platform/thread.h"

/** Fake threads whose `start` function fails. */
extern const plat_threads fake_threads;

bool fake_threads_held(const plat_thread *t);
unsigned fake_threads_locks(const plat_thread *t);

#endif
