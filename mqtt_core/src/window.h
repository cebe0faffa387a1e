#ifndef MQC_WINDOW_H
#define MQC_WINDOW_H

#include "mqtt_core/engine_struct.h"
#include "time_math.h"

/* The window of a lane limits how many publishes are sent and not finished. When the window is
 * full the lane stops; it sends again when there is room for a batch. Otherwise a server that
 * answers one by one would make the lane send one by one. */

enum { MQC_SMALL_WINDOW = 16 }; /* the smallest batch that a larger window waits for */

/* Returns whether the members agree with each other. */
bool mqc_window_valid(const mqc_window *w);

/* Initialises a window with this number of slots; 0: 65535. */
void mqc_window_init(mqc_window *w, uint16_t size);

/* Frees all slots, because the connection has ended. */
void mqc_window_reset(mqc_window *w);

/* Returns whether a lane that is stopped, or must stop, continues with the next publish. */
bool mqc_window_resume(mqc_window *w, mqc_time gather_until);

/* Returns whether a slot is free for the next publish. If not, the lane is stopped. gather_until
 * is the time until which a stopped lane may wait for a batch; 0: it may not wait. */
static inline bool mqc_window_open(mqc_window *w, mqc_time gather_until)
{
    return (!w->stopped && w->used < w->size) || mqc_window_resume(w, gather_until);
}

/* Notes that the lane is no longer stopped. */
static inline void mqc_window_start_over(mqc_window *w)
{
    w->stopped = false;
    w->go_on_at = MQC_NEVER;
}

/* From go_on_at on, lets a stopped lane use any free slot. */
static inline void mqc_window_on_time(mqc_window *w, mqc_time now)
{
    if (now >= w->go_on_at) {
        mqc_window_start_over(w);
    }
}

/* Call it when a publish was granted; it uses a slot until it ends. */
static inline void mqc_window_take(mqc_window *w)
{
    w->used++;
}

/* Call it when a publish was sent completely, or its PUBREC was received before that. */
static inline void mqc_window_sent(mqc_window *w)
{
    w->in_flight++;
}

/* Frees the slot of a publish that was not sent. */
static inline void mqc_window_give_back(mqc_window *w)
{
    w->used--;
}

/* Frees the slot of a publish that was sent and has ended. */
static inline void mqc_window_finished(mqc_window *w)
{
    w->in_flight--;
    w->used--;
}

/* Returns whether waiting for answers is certainly not worthwhile now. */
static inline bool mqc_window_awaits_few(const mqc_window *w)
{
    return w->used < MQC_SMALL_WINDOW && !w->stopped;
}

/* Returns the number of answers that are worth waiting for, or 0 for none. If the server is
 * near, these are the answers that make room for a batch, if more is queued, or half of those
 * expected; otherwise a quarter, which costs little throughput. */
size_t mqc_window_awaits(const mqc_window *w, bool near, bool more_queued);

#endif
