#ifndef TEST_FAKE_THREADS_H
#define TEST_FAKE_THREADS_H

/**
 * @file
 * plat_threads without threads: a lock that ends the test when it is taken twice or
 * given back without being held, and counts.
 */

#include <stdbool.h>

#include "platform/thread.h"

/** Its start fails. */
extern const plat_threads fake_threads;

bool fake_threads_held(const plat_thread *t);
unsigned fake_threads_locks(const plat_thread *t);

#endif
