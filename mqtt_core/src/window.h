#ifndef MQC_WINDOW_H
#define MQC_WINDOW_H

#include "mqtt_core/engine_struct.h"
#include "time_math.h"

/*
 * The window of a lane: how many publishes may be sent and not finished.  When the window is full
 * the lane stops, and sends again once there is room for a batch.  Otherwise a server that answers
 * one by one would make the lane send one by one.
 */

enum { MQC_SMALL_WINDOW = 16 }; /* the smallest batch that a larger window waits for */

/* Do the members agree with each other? */
bool mqc_window_valid(const mqc_window *w);

/* size: the number of slots; 0: 65535. */
void mqc_window_init(mqc_window *w, uint16_t size);

/* All slots are free: the connection has ended. */
void mqc_window_reset(mqc_window *w);

/* Does a lane that is stopped, or must be, go on with the next publish? */
bool mqc_window_resume(mqc_window *w, mqc_time gather_until);

/*
 * Is a slot free for the next publish?  If not, the lane is stopped.  gather_until: until when a
 * stopped lane may wait for a batch; 0: not at all.
 */
static inline bool mqc_window_open(mqc_window *w, mqc_time gather_until)
{
    return (!w->stopped && w->used < w->size) || mqc_window_resume(w, gather_until);
}

/* The lane is no longer stopped. */
static inline void mqc_window_start_over(mqc_window *w)
{
    w->stopped = false;
    w->go_on_at = MQC_NEVER;
}

/* From go_on_at on, a stopped lane uses whatever is free. */
static inline void mqc_window_on_time(mqc_window *w, mqc_time now)
{
    if (now >= w->go_on_at) {
        mqc_window_start_over(w);
    }
}

/* A publish was granted, and has a slot until it ends. */
static inline void mqc_window_take(mqc_window *w)
{
    w->used++;
}

/* All of it was sent; or its PUBREC was received first. */
static inline void mqc_window_sent(mqc_window *w)
{
    w->in_flight++;
}

/* A publish that was not sent gives its slot back. */
static inline void mqc_window_give_back(mqc_window *w)
{
    w->used--;
}

/* A publish that was sent has ended. */
static inline void mqc_window_finished(mqc_window *w)
{
    w->in_flight--;
    w->used--;
}

/* Is waiting for answers never worth it now? */
static inline bool mqc_window_awaits_few(const mqc_window *w)
{
    return w->used < MQC_SMALL_WINDOW && !w->stopped;
}

/*
 * Returns the number of answers that are worth waiting for; 0: none.  If the server is near,
 * these are the answers that make room for a batch, if more is queued, or half of those expected;
 * otherwise a quarter, which costs little throughput.
 */
size_t mqc_window_awaits(const mqc_window *w, bool near, bool more_queued);

#endif
