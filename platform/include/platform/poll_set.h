#ifndef PLAT_POLL_SET_H
#define PLAT_POLL_SET_H

/**
 * @file
 * Many clients on one thread: waits for the descriptors and deadlines of all of them, at a cost
 * that grows with those that are ready or due, not with their number.  On Linux, by epoll.
 *
 *     plat_poll_set_update(set, item, polls, due_ms);    once each, then again and again:
 *     while ((item = plat_poll_set_next(set, 1000)) != NULL) {
 *         ... iothub_process, iothub_poll_info ...
 *         plat_poll_set_update(set, item, polls, due_ms);
 *     }
 *
 * samples/gateway.c is the whole of it.  For one thread.
 */

#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLAT_POLL_SET_FDS   2
#define PLAT_POLL_SET_NEVER UINT64_MAX

/** To be embedded in what it stands for; zero-initialised.  Nothing in here is to be touched. */
typedef struct plat_poll_item {
    uint64_t due_ms;
    size_t place; /* in the heap of deadlines, from 1; 0: in no set */
    struct {
        int watched; /* the descriptor + 1; 0: none */
        uint32_t generation;
        uint32_t events;
    } fds[PLAT_POLL_SET_FDS];
} plat_poll_item;

typedef struct plat_poll_set plat_poll_set;

/** PLAT_ERR_MEMORY: no memory or descriptor left. */
plat_result plat_poll_set_new(plat_poll_set **out);
void plat_poll_set_free(plat_poll_set *s);

/**
 * What item waits for from now on; adds it to the set when it is new.  Call it after each
 * iothub_process, with what iothub_poll_info says then.
 *
 * A descriptor that is watched already costs no system call: one with the number, the
 * generation and the wishes that it had in the same place.  For descriptors of your own raise the
 * generation whenever a number may stand for another file than before, and call this before
 * another item gets a turn: numbers are used again.  Those of a client need no care: they stay
 * open until the set knows of their end.
 *
 * @param polls   PLAT_POLL_SET_FDS of them: fd (-1: none), generation, want_read, want_write count
 * @param due_ms  by monotonic_ms of plat_posix()->clock; PLAT_POLL_SET_NEVER
 */
plat_result plat_poll_set_update(plat_poll_set *s, plat_poll_item *item, const plat_poll *polls,
                                 uint64_t due_ms);

/** Nothing of item is watched any more.  Harmless when it is not in the set. */
void plat_poll_set_remove(plat_poll_set *s, plat_poll_item *item);

/**
 * Sleep until an item is ready or due, at most max_ms.  NULL: none is, a signal came, or the system
 * was suspended or its clock set and nothing is due.  Once
 * returned, a due item is due still until it is updated.
 */
plat_poll_item *plat_poll_set_next(plat_poll_set *s, int max_ms);

#ifdef __cplusplus
}
#endif
#endif
