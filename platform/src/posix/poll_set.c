#include "platform/poll_set.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "posix/clock.h"
#include "posix/resume.h"

enum { BATCH = 64, FIRST_CAP = 64 };

struct plat_poll_set {
    int epoll;
    int resumed; /* the descriptor that resume.h describes; -1: none */
    struct epoll_event ready[BATCH];
    int at; /* index of the next event to return */
    int end;
    uint64_t turn_ms;      /* items due at this time are returned before epoll is asked again */
    plat_poll_item **heap; /* a heap with the earliest deadline first; heap[0] is not used */
    size_t count;
    size_t cap;
};

/* If the heap is longer, the valid check looks only at its beginning. */
enum { ITEMS_CHECKED = 64 };

#ifndef NDEBUG
static bool is_heap(const plat_poll_set *s)
{
    for (size_t i = 1; i <= s->count && i <= ITEMS_CHECKED; i++) {
        if (s->heap[i]->heap_index != i ||
            s->heap[i]->due_ms < s->heap[i > 1 ? i / 2 : 1]->due_ms) {
            return false;
        }
    }
    return true;
}

static bool is_valid(const plat_poll_set *s)
{
    if (s->count > 0 && s->count >= s->cap) { /* heap[0] is not used */
        return false;
    }
    if (s->at < 0 || s->at > s->end || s->end > BATCH) {
        return false;
    }
    return is_heap(s);
}
#endif

static uint64_t now_ms(void)
{
    return plat_posix_clock.monotonic_ms(&plat_posix_clock);
}

/* --- deadlines: a binary heap ----------------------------------------------------- */

static void put(plat_poll_set *s, size_t index, plat_poll_item *item)
{
    s->heap[index] = item;
    item->heap_index = index;
}

static void sift_up(plat_poll_set *s, size_t index, plat_poll_item *item)
{
    while (index > 1 && item->due_ms < s->heap[index / 2]->due_ms) {
        put(s, index, s->heap[index / 2]);
        index /= 2;
    }
    put(s, index, item);
}

static void sift_down(plat_poll_set *s, size_t index, plat_poll_item *item)
{
    for (size_t child = 2 * index; child <= s->count; child = 2 * index) {
        if (child < s->count && s->heap[child + 1]->due_ms < s->heap[child]->due_ms) {
            child++;
        }
        if (item->due_ms <= s->heap[child]->due_ms) {
            break;
        }
        put(s, index, s->heap[child]);
        index = child;
    }
    put(s, index, item);
}

static void settle(plat_poll_set *s, size_t index, plat_poll_item *item)
{
    if (index > 1 && item->due_ms < s->heap[index / 2]->due_ms) {
        sift_up(s, index, item);
    } else {
        sift_down(s, index, item);
    }
}

static plat_result add(plat_poll_set *s, plat_poll_item *item)
{
    if (s->count + 1 >= s->cap) {
        size_t cap = s->cap == 0 ? FIRST_CAP : 2 * s->cap;
        plat_poll_item **heap = realloc(s->heap, cap * sizeof(plat_poll_item *));
        if (heap == NULL) {
            return PLAT_ERR_MEMORY;
        }
        s->heap = heap;
        s->cap = cap;
    }
    s->count++;
    put(s, s->count, item);
    return PLAT_OK;
}

/* --- descriptors -------------------------------------------------------------------- */

static uint32_t events_of(const plat_poll *p)
{
    return (p->want_read ? (uint32_t)EPOLLIN : 0U) | (p->want_write ? (uint32_t)EPOLLOUT : 0U);
}

static bool is_wanted(const plat_poll *polls, int fd)
{
    for (size_t i = 0; i < PLAT_POLL_SET_FDS; i++) {
        if (polls[i].fd == fd) {
            return true;
        }
    }
    return false;
}

/* Only an attempt shows whether epoll watches a descriptor: epoll drops a descriptor when it is
 * closed, and a new one may get its number. */
static plat_result watch(plat_poll_set *s, plat_poll_item *item, int fd, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = item };
    if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &ev) == 0 ||
        (errno == ENOENT && epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)) {
        return PLAT_OK;
    }
    return PLAT_ERR_MEMORY;
}

static bool is_watched(const plat_poll_item *item, size_t slot, const plat_poll *p)
{
    return item->fds[slot].watched == (int)p->fd + 1 &&
           item->fds[slot].generation == p->generation && item->fds[slot].events == events_of(p);
}

/* A descriptor that is still open, but no longer waited for, would wake us again and again. */
static void unwatch_others(plat_poll_set *s, const plat_poll_item *item, const plat_poll *polls)
{
    for (size_t i = 0; i < PLAT_POLL_SET_FDS; i++) {
        if (item->fds[i].watched != 0 && !is_wanted(polls, item->fds[i].watched - 1)) {
            (void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, item->fds[i].watched - 1, NULL);
        }
    }
}

static plat_result watch_all(plat_poll_set *s, plat_poll_item *item, const plat_poll *polls)
{
    plat_result r = PLAT_OK;
    unwatch_others(s, item, polls);
    for (size_t i = 0; i < PLAT_POLL_SET_FDS; i++) {
        int fd = (int)polls[i].fd;
        uint32_t events = events_of(&polls[i]);
        if (fd >= 0 && !is_watched(item, i, &polls[i]) && watch(s, item, fd, events) != PLAT_OK) {
            fd = -1;
            r = PLAT_ERR_MEMORY;
        }
        item->fds[i].watched = fd + 1;
        item->fds[i].generation = polls[i].generation;
        item->fds[i].events = events;
    }
    return r;
}

/* --- the set ------------------------------------------------------------------------- */

plat_result plat_poll_set_new(plat_poll_set **out)
{
    plat_poll_set *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return PLAT_ERR_MEMORY;
    }
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0) {
        free(s);
        return PLAT_ERR_MEMORY;
    }
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
    s->resumed = plat_resume_open();
    if (s->resumed >= 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->resumed, &ev) != 0) {
        (void)close(s->resumed);
        s->resumed = -1;
    }
    *out = s;
    return PLAT_OK;
}

void plat_poll_set_free(plat_poll_set *s)
{
    if (s != NULL) {
        (void)close(s->epoll);
        if (s->resumed >= 0) {
            (void)close(s->resumed);
        }
        free(s->heap);
        free(s);
    }
}

plat_result plat_poll_set_update(plat_poll_set *s, plat_poll_item *item, const plat_poll *polls,
                                 uint64_t due_ms)
{
    assert(is_valid(s));
    if (item->heap_index == 0 && add(s, item) != PLAT_OK) {
        return PLAT_ERR_MEMORY;
    }
    item->due_ms = due_ms;
    settle(s, item->heap_index, item);
    return watch_all(s, item, polls);
}

void plat_poll_set_remove(plat_poll_set *s, plat_poll_item *item)
{
    static const plat_poll nothing[PLAT_POLL_SET_FDS] = { { .fd = -1 }, { .fd = -1 } };
    assert(is_valid(s));
    if (item->heap_index == 0) {
        return;
    }
    unwatch_others(s, item, nothing);
    for (int i = s->at; i < s->end; i++) {
        if (s->ready[i].data.ptr == item) {
            s->ready[i].data.ptr = NULL;
        }
    }
    plat_poll_item *last = s->heap[s->count--];
    if (last != item) {
        settle(s, item->heap_index, last);
    }
    *item = (plat_poll_item){ 0 };
}

static plat_poll_item *next_ready(plat_poll_set *s)
{
    while (s->at < s->end) {
        void *ready = s->ready[s->at++].data.ptr;
        if (ready == s) { /* the system has resumed, which next_due handles */
            plat_resume_clear(s->resumed);
        } else if (ready != NULL) {
            return ready;
        }
    }
    return NULL;
}

static plat_poll_item *next_due(const plat_poll_set *s)
{
    return s->count > 0 && s->heap[1]->due_ms <= s->turn_ms ? s->heap[1] : NULL;
}

static int timeout_of(const plat_poll_set *s, int max_ms)
{
    uint64_t now = now_ms();
    uint64_t due = s->count > 0 ? s->heap[1]->due_ms : PLAT_POLL_SET_NEVER;
    if (due <= now) {
        return 0;
    }
    return max_ms < 0 || due - now < (uint64_t)max_ms
               ? (due - now < INT32_MAX ? (int)(due - now) : -1)
               : max_ms;
}

plat_poll_item *plat_poll_set_next(plat_poll_set *s, int max_ms)
{
    plat_poll_item *item = next_ready(s);
    assert(is_valid(s));
    if (item == NULL) {
        item = next_due(s);
    }
    if (item != NULL) {
        return item;
    }
    int n = epoll_wait(s->epoll, s->ready, BATCH, timeout_of(s, max_ms));
    s->at = 0;
    s->end = n > 0 ? n : 0;
    s->turn_ms = now_ms();
    item = next_ready(s);
    return item != NULL ? item : next_due(s);
}
