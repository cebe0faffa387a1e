#include "rx_low_water.h"

#include <assert.h>

#include "packet.h"

enum {
    LOW_WATER_FIRST = 10 * MQC_ACK_LEN, /* TCP's initial congestion window, which is ten packets */
    LOW_WATER_MOST = 4096,
    BACKOFF_SHIFT_MIN = 4, /* 16 batches */
    BACKOFF_SHIFT_MAX = 12
};

void mqc_rx_low_water_reset(mqc_rx_low_water *w)
{
    w->wait_until = MQC_WAIT_DISABLED;
    w->low_water = 0;
    w->low_water_max = LOW_WATER_FIRST;
    w->skip_batches = 0;
    w->backoff_shift = BACKOFF_SHIFT_MIN;
}

void mqc_rx_low_water_batch_sent(mqc_rx_low_water *w, mqc_time now)
{
    assert(mqc_rx_low_water_valid(w));
    if (w->skip_batches > 0) {
        w->skip_batches--;
    }
    if (w->wait_until == MQC_WAIT_DISABLED) {
        w->wait_until = now + MQC_GATHER_MS;
    }
}

/* Called when the wait had no effect: only len bytes were received. */
static void back_off(mqc_rx_low_water *w, size_t len)
{
    w->low_water_max = (uint16_t)(len > MQC_LOW_WATER_LEAST ? len : MQC_LOW_WATER_LEAST);
    w->skip_batches = (uint16_t)(1u << w->backoff_shift);
    if (w->backoff_shift < BACKOFF_SHIFT_MAX) {
        w->backoff_shift++;
    }
}

/* Called when the low-water mark was reached in time. */
static void succeeded(mqc_rx_low_water *w)
{
    if (w->skip_batches > 0) {
        return;
    }
    if (w->low_water < w->low_water_max) { /* all expected answers have arrived */
        if (w->backoff_shift > BACKOFF_SHIFT_MIN) {
            w->backoff_shift--;
        }
    } else if (w->low_water_max < LOW_WATER_MOST) {
        w->low_water_max = (uint16_t)(w->low_water_max * 2u);
    }
}

void mqc_rx_low_water_learn(mqc_rx_low_water *w, size_t len, mqc_time now)
{
    assert(mqc_rx_low_water_valid(w));
    if (w->low_water > 0 && len >= w->low_water) {
        succeeded(w);
    } else if (w->low_water > 0 && mqc_rx_low_water_expired(w)) {
        back_off(w, len);
    }
    w->low_water = 0;
    w->wait_until = now + MQC_GATHER_MS;
}

void mqc_rx_low_water_give_up(mqc_rx_low_water *w)
{
    assert(mqc_rx_low_water_valid(w));
    back_off(w, 0);
    w->wait_until = MQC_WAIT_DISABLED;
}

#ifndef NDEBUG

bool mqc_rx_low_water_valid(const mqc_rx_low_water *w)
{
    return w->low_water <= w->low_water_max && w->low_water_max >= MQC_LOW_WATER_LEAST &&
           w->low_water_max < 2 * LOW_WATER_MOST && w->backoff_shift >= BACKOFF_SHIFT_MIN &&
           w->backoff_shift <= BACKOFF_SHIFT_MAX && w->skip_batches <= 1u << BACKOFF_SHIFT_MAX;
}

#endif
