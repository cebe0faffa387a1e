#ifndef MQC_RX_LOW_WATER_H
#define MQC_RX_LOW_WATER_H

#include "mqtt_core/engine_struct.h"
#include "time_math.h"

/*
 * The low-water mark of the receive side: how many received bytes are worth waking up for, so that
 * the answers to many publishes are processed in one call.
 *
 * How many answers a server sends without a pause is learnt.  With Nagle's algorithm it is one,
 * until that one is acknowledged; in general it is the congestion window: ten packets at first,
 * each with one answer, if the server sends them so.
 */

enum {
    MQC_GATHER_MS = 2,      /* the longest wait for a batch */
    MQC_LOW_WATER_LEAST = 8 /* bytes: two answers */
};

/* Values of wait_until that are no time. */
#define MQC_WAIT_EXPIRED  ((mqc_time)0) /* too few bytes were received until then */
#define MQC_WAIT_DISABLED MQC_NEVER     /* no low-water mark until the next batch is sent */

/* Are all members in their ranges? */
bool mqc_rx_low_water_valid(const mqc_rx_low_water *w);

/* A new connection begins. */
void mqc_rx_low_water_reset(mqc_rx_low_water *w);

/* A batch of publishes was sent. */
void mqc_rx_low_water_batch_sent(mqc_rx_low_water *w, mqc_time now);

/* Adapt to what was received. */
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

/* The wait expired and nothing was received at all. */
void mqc_rx_low_water_give_up(mqc_rx_low_water *w);

/* Does experience with this server allow a low-water mark now? */
static inline bool mqc_rx_low_water_allowed(const mqc_rx_low_water *w)
{
    bool backing_off = w->skip_batches > 0 && w->low_water_max <= MQC_LOW_WATER_LEAST;

    return w->wait_until != MQC_WAIT_DISABLED && !backing_off;
}

/*
 * Set the mark to this number of bytes, or to the largest one that experience allows; 0: no mark.
 * Returns the mark, and until when it holds; without one, 1 and 0.
 */
static inline size_t mqc_rx_low_water_set(mqc_rx_low_water *w, size_t bytes, mqc_time *until)
{
    w->low_water = bytes < w->low_water_max ? (uint16_t)bytes : w->low_water_max;
    *until = w->low_water > 0 ? w->wait_until : 0;
    return w->low_water > 0 ? w->low_water : 1;
}

#endif
