#include "connection/stage.h"

#include <assert.h>

enum { BYTES_PER_S = 50 };

#define MOVED_MASK (UINT32_MAX >> 1)

static bool moves(uint32_t bytes, uint32_t within_ms)
{
    return bytes > 0 && (uint64_t)bytes * 1000 >= (uint64_t)within_ms * BYTES_PER_S;
}

void stage_begin(iothub_stage *stage, uint32_t budget_ms, bool can_be_slow, mqc_time now)
{
    const uint32_t first_ms = can_be_slow ? budget_ms - budget_ms / 2 : budget_ms;

    stage_set_deadline(stage, budget_ms > 0 ? now + first_ms : IOTHUB_NEVER);
}

void stage_set_deadline(iothub_stage *stage, mqc_time deadline)
{
    *stage = (iothub_stage){ .deadline = deadline };
}

bool stage_goes_on(iothub_stage *stage, uint32_t budget_ms, uint64_t moved, mqc_time until,
                   mqc_time now)
{
    assert(stage_valid(stage));
    const uint32_t half = budget_ms / 2;
    const uint32_t moved_now = (uint32_t)moved & MOVED_MASK;
    const uint32_t bytes = (moved_now - stage->moved) & MOVED_MASK;
    const bool first = stage->late == 0;

    if (half == 0) {
        return false;
    }
    stage->late = 1;
    stage->moved = moved_now & MOVED_MASK;
    if (!first && (now >= until || !moves(bytes, half))) {
        return false;
    }
    stage->deadline = now + half;
    return true;
}

#ifndef NDEBUG
bool stage_valid(const iothub_stage *stage)
{
    /* Bytes are counted only in the second half of the stage; a stage without a limit has no
     * halves. */
    return stage->late != 0 ? stage->deadline != IOTHUB_NEVER : stage->moved == 0;
}
#endif
