#ifndef HUB_WAKER_H
#define HUB_WAKER_H

/**
 * @file Interrupts the sleep of another thread when a descriptor becomes ready. The broker sleeps
 * in epoll_wait for up to 100 ms and cannot watch our descriptors. A signal with an empty handler
 * ends that sleep immediately.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct waker waker;

/** Watches up to 4 descriptors for the calling thread. */
waker *waker_start(const int *fds, size_t count);
/**
 * Returns whether a descriptor was ready, or the time of waker_rearm is over, since the last call
 * of waker_rearm.
 */
bool waker_has_fired(waker *w);
/**
 * Call it when the sleeping thread has handled everything. Watches again, for at most timeout_ms
 * (-1: no limit).
 */
void waker_rearm(waker *w, int timeout_ms);
void waker_stop(waker *w);

#endif
