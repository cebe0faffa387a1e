#include "context/retry.h"

uint32_t retry_limit_ms(uint32_t min_ms, uint32_t max_ms, uint32_t failures)
{
    uint64_t limit = min_ms;
    for (uint32_t i = 1; i < failures && limit < max_ms; i++) {
        limit *= 2;
    }
    return limit < max_ms ? (uint32_t)limit : max_ms;
}

uint32_t retry_delay_ms(uint32_t limit_ms, uint32_t random, uint64_t spent_ms)
{
    uint32_t floor = limit_ms / 16;
    uint64_t spread = (uint64_t)(limit_ms - floor) + 1;
    uint64_t delay = floor + ((random * spread) >> 32);
    uint64_t rest = delay > spent_ms ? delay - spent_ms : 0;
    /* The smallest delay, which is also random and never 0. */
    uint64_t least = delay < 16 ? 1 : delay / 16;

    return (uint32_t)(rest > least ? rest : least);
}
