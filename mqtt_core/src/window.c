#include "window.h"

#include <assert.h>

/* Returns half of the window, but at least 16 slots, because publishes that are sent together
 * cost one call and one TLS record. */
static uint16_t batch_of(uint16_t size)
{
    uint16_t half = (uint16_t)(size - size / 2);
    uint16_t batch = half > MQC_SMALL_WINDOW ? half : MQC_SMALL_WINDOW;

    return batch < size ? batch : size;
}

void mqc_window_init(mqc_window *w, uint16_t size)
{
    w->size = size != 0 ? size : UINT16_MAX;
    w->resume_at = (uint16_t)(w->size - batch_of(w->size));
    mqc_window_reset(w);
    mqc_window_start_over(w);
}

void mqc_window_reset(mqc_window *w)
{
    w->used = 0;
    w->in_flight = 0;
}

bool mqc_window_resume(mqc_window *w, mqc_time gather_until)
{
    assert(mqc_window_valid(w));
    if (w->stopped && (gather_until == 0 || w->used <= w->resume_at)) {
        mqc_window_start_over(w);
    }
    if (!w->stopped && w->used < w->size) {
        return true;
    }
    w->stopped = true;
    if (w->used < w->size && w->go_on_at == MQC_NEVER) {
        w->go_on_at = gather_until;
    }
    return false;
}

size_t mqc_window_awaits(const mqc_window *w, bool near, bool more_queued)
{
    if (near && w->stopped && more_queued) {
        return w->used > w->resume_at ? w->used - w->resume_at : 0;
    }
    if (w->used < MQC_SMALL_WINDOW) {
        return 0;
    }
    return near ? w->used / 2 : w->used / 4;
}

#ifndef NDEBUG

bool mqc_window_valid(const mqc_window *w)
{
    return w->size > 0 && w->resume_at < w->size && w->in_flight <= w->used &&
           (w->go_on_at == MQC_NEVER || w->stopped);
}

#endif
