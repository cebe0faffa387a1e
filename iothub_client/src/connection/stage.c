#include "internal.h"

/*
 * The time of a stage while the connection is made.  A handshake over a slow link, or a SUBACK
 * behind a large message, takes longer than any time that makes sense for a hub that is silent.  So
 * a stage whose time is over goes on for half of it more, again and again, as long as enough bytes
 * arrive or are taken.  Before CONNACK there is an end to that: nobody knows who it is that sends.
 */

enum { BYTES_PER_S = 50, MOST_TIMES = 10 };

static bool can_be_slow(const plat_stream *s, iothub_state state)
{
    return state >= IOTHUB_SECURING && state <= IOTHUB_SUBSCRIBING && s != NULL &&
           s->ops->flow != NULL;
}

static uint32_t moved_bytes(plat_stream *s)
{
    plat_flow f;

    s->ops->flow(s, &f);
    return (uint32_t)(f.received + f.delivered) & (UINT32_MAX >> 1);
}

static bool moves(uint32_t bytes, uint32_t within_ms)
{
    return bytes > 0 && (uint64_t)bytes * 1000 >= (uint64_t)within_ms * BYTES_PER_S;
}

uint32_t stage_begin_ms(const iothub_client *c, const plat_stream *s, iothub_state state,
                        iothub_pace *pace)
{
    uint32_t budget = life_budget_ms(&c->context.options, state, false);

    pace->late = 0;
    return can_be_slow(s, state) ? budget - budget / 2 : budget;
}

uint32_t stage_more_ms(const iothub_client *c, plat_stream *s, iothub_state state, mqc_time began,
                       iothub_pace *pace)
{
    uint32_t budget = life_budget_ms(&c->context.options, state, false);
    uint32_t half = budget / 2;

    if (!can_be_slow(s, state)) {
        return 0;
    }
    uint32_t now_moved = moved_bytes(s);
    uint32_t moved = (now_moved - pace->moved) & (UINT32_MAX >> 1);
    bool first = pace->late == 0;
    bool endless = state < IOTHUB_SUBSCRIBING &&
                   context_now(&c->context) >= began + (mqc_time)budget * MOST_TIMES;

    pace->late = 1;
    pace->moved = now_moved & (UINT32_MAX >> 1);
    return first || (!endless && moves(moved, half)) ? half : 0;
}
