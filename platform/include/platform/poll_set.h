#ifndef PLAT_POLL_SET_H
#define PLAT_POLL_SET_H

/**
 * @file
 * Many clients on one thread.  A poll set waits for the descriptors and deadlines of all of them.
 * What a turn costs depends on how many clients are ready or due, not on how many there are.  On
 * Linux it uses epoll.
 *
 * @code
 * plat_poll_set_update(set, item, p.fds, due_ms);  // once for each client
 *
 * while ((item = plat_poll_set_next(set, 1000)) != NULL) {
 *     // here: iothub_process and iothub_poll_info(client, &p) of the client of item
 *     plat_poll_set_update(set, item, p.fds, due_ms);
 * }
 * @endcode
 *
 * samples/gateway.c is a complete program.  A set, with all of its items, belongs to one thread.
 */

#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Number of descriptors of one item. */
#define PLAT_POLL_SET_FDS 2
/** A deadline that never comes. */
#define PLAT_POLL_SET_NEVER UINT64_MAX

/**
 * What a set knows about one client.  Embed it in your own struct and initialise it with zeros.  It
 * must not move while it is in a set.  All members are private.  The struct does not grow.
 */
typedef struct plat_poll_item {
    uint64_t due_ms;   /**< private: the deadline */
    size_t heap_index; /**< private: index in the heap of deadlines, from 1; 0: in no set */
    struct {
        int watched;          /**< private: the descriptor plus 1; 0: none */
        uint32_t generation;  /**< private: that of the descriptor */
        uint32_t events;      /**< private: events it is watched for */
    } fds[PLAT_POLL_SET_FDS]; /**< private: the descriptors */
    uint64_t reserved[2];     /**< private: for later versions */
} plat_poll_item;

/** A set.  Its members are private. */
typedef struct plat_poll_set plat_poll_set;

/**
 * Makes an empty set.
 * @param[out] out  the set; unchanged after a failure
 * @retval PLAT_ERR_MEMORY  no memory or descriptor is left
 */
plat_result plat_poll_set_new(plat_poll_set **out);

/**
 * Frees a set.  It does not touch items that are still in it; each of them must be filled with
 * zeros before it is used again.
 * @param s  a set, or NULL
 */
void plat_poll_set_free(plat_poll_set *s);

/**
 * Sets what an item waits for from now on, and adds the item to the set if it is new.  Call it
 * after each iothub_process, with what iothub_poll_info reports then.
 *
 * A descriptor that is watched already costs no system call: one with the same number, generation
 * and events in the same slot.  For descriptors of your own, raise the generation whenever a number
 * may stand for another file than before, because the system uses numbers again, and call this
 * function before you call plat_poll_set_next again.  Descriptors of a client need no such care:
 * they stay open until the set has learnt of their end.
 *
 * @param s       the set
 * @param item    in this set, or in none
 * @param polls   PLAT_POLL_SET_FDS elements; fd, generation, want_read and want_write count
 * @param due_ms  deadline by monotonic_ms of plat_posix()->clock, or PLAT_POLL_SET_NEVER
 * @retval PLAT_ERR_MEMORY  no memory is left, or the system refuses to watch a descriptor; what
 * could be watched is watched
 */
plat_result plat_poll_set_update(plat_poll_set *s, plat_poll_item *item, const plat_poll *polls,
                                 uint64_t due_ms);

/**
 * Removes an item from the set and fills it with zeros.
 * @param s     the set
 * @param item  in this set, or in none: then nothing happens
 */
void plat_poll_set_remove(plat_poll_set *s, plat_poll_item *item);

/**
 * Sleeps until an item is ready or due.  An item that is due is returned again by each call until
 * it is updated.
 * @param s       the set
 * @param max_ms  how long to sleep at most, in milliseconds; -1: without limit
 * @return the item; NULL if time is up, if a signal arrived, or if the system was suspended or its
 *         clock was set and nothing is due
 */
plat_poll_item *plat_poll_set_next(plat_poll_set *s, int max_ms);

#ifdef __cplusplus
}
#endif
#endif
