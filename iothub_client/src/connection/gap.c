#include "connection/gap.h"

#include <assert.h>

#ifndef NDEBUG
bool gap_valid(const iothub_gap *g)
{
    if (g->changes == 0) {
        return g->last_ms == 0 && g->longest_ms == 0 && g->sum_ms == 0;
    }
    return g->last_ms <= g->longest_ms && g->longest_ms <= g->sum_ms;
}
#endif

void gap_begin(iothub_gap *g, mqc_time now)
{
    assert(gap_valid(g));
    g->open = true;
    g->left_at = now;
}

void gap_cancel(iothub_gap *g)
{
    assert(gap_valid(g));
    g->open = false;
}

void gap_end(iothub_gap *g, mqc_time now)
{
    assert(gap_valid(g));
    if (!g->open) {
        return;
    }
    g->open = false;
    g->changes++;
    g->last_ms = (uint32_t)(now - g->left_at);
    g->sum_ms += g->last_ms;
    if (g->last_ms > g->longest_ms) {
        g->longest_ms = g->last_ms;
    }
}
