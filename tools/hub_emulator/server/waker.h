#ifndef HUB_WAKER_H
#define HUB_WAKER_H

/**
 * @file
 * Interrupt another thread's sleep when a descriptor becomes ready.
 *
 * The broker sleeps in epoll_wait for up to 100 ms and has no place for our
 * descriptors.  A signal with an empty handler ends that sleep at once.
 */

#include <stddef.h>

typedef struct waker waker;

/** Watch fds (up to 4) on behalf of the calling thread. */
waker *waker_start(const int *fds, size_t count);
/** The sleeper has looked at everything; watch again, at most timeout_ms (-1: no limit). */
void waker_rearm(waker *w, int timeout_ms);
void waker_stop(waker *w);

#endif
