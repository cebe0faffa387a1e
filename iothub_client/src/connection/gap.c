#include "connection/gap.h"

void gap_begin(iothub_gap *g, mqc_time now)
{
    g->open = true;
    g->left_at = now;
}

void gap_cancel(iothub_gap *g)
{
    g->open = false;
}

void gap_end(iothub_gap *g, mqc_time now)
{
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
