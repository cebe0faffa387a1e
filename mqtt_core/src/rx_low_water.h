#ifndef MQC_RX_LOW_WATER_H
#define MQC_RX_LOW_WATER_H

#include "mqtt_core/engine_struct.h"
#include "time_math.h"

/* The low-water mark of received bytes: how many of them are worth waking up for, so that the
 * answers to many publishes are processed in one call.
 *
 * The engine learns how many answers a server sends without a pause. A server that uses Nagle's
 * algorithm sends one and waits until TCP has acknowledged it. In general the limit is the
 * congestion window: at first ten packets, each with one answer, if the server sends them so. */

enum {
    MQC_GATHER_MS = 2,      /* the longest wait for a batch */
    MQC_LOW_WATER_LEAST = 8 /* bytes: two answers */
};

/* Values of wait_until with a special meaning. */
#define MQC_WAIT_EXPIRED  ((mqc_time)0) /* too few bytes were received before the wait expired */
#define MQC_WAIT_DISABLED MQC_NEVER /* there is no low-water mark until the next batch was sent */

/* Returns whether all members are in their ranges. */
bool mqc_rx_low_water_valid(const mqc_rx_low_water *w);

/* Call it when a new connection begins. */
void mqc_rx_low_water_reset(mqc_rx_low_water *w);

/* Call it when a batch of publishes was sent. */
void mqc_rx_low_water_batch_sent(mqc_rx_low_water *w, mqc_time now);

/* Adapts to the number of bytes that were received. */
void mqc_rx_low_water_learn(mqc_rx_low_water *w, size_t len, mqc_time now);

static inline void mqc_rx_low_water_received(mqc_rx_low_water *w, size_t len, mqc_time now)
{
    if (w->wait_until != MQC_WAIT_DISABLED) {
        mqc_rx_low_water_learn(w, len, now);
    }
}

static inline void mqc_rx_low_water_on_time(mqc_rx_low_water *w, mqc_time now)
{
    if (now >= w->wait_until) {
        w->wait_until = w->low_water > 0 ? MQC_WAIT_EXPIRED : MQC_WAIT_DISABLED;
    }
}

static inline bool mqc_rx_low_water_expired(const mqc_rx_low_water *w)
{
    return w->wait_until == MQC_WAIT_EXPIRED;
}

/* Call it when the wait has expired and nothing was received. */
void mqc_rx_low_water_give_up(mqc_rx_low_water *w);

/* Returns whether experience with this server allows a low-water mark now. */
static inline bool mqc_rx_low_water_allowed(const mqc_rx_low_water *w)
{
    bool backing_off = w->skip_batches > 0 && w->low_water_max <= MQC_LOW_WATER_LEAST;

    return w->wait_until != MQC_WAIT_DISABLED && !backing_off;
}

/* Sets the mark to this number of bytes, or to the largest number that experience allows; 0: no
 * mark. Returns the mark, and in *until how long it holds; without a mark, 1 and 0. */
static inline size_t mqc_rx_low_water_set(mqc_rx_low_water *w, size_t bytes, mqc_time *until)
{
    w->low_water = bytes < w->low_water_max ? (uint16_t)bytes : w->low_water_max;
    *until = w->low_water > 0 ? w->wait_until : 0;
    return w->low_water > 0 ? w->low_water : 1;
}

#endif
