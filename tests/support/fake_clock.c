#include "fake_clock.h"

static uint64_t monotonic_ms(const plat_clock *self)
{
    return ((const fake_clock *)self)->monotonic_ms;
}

static int64_t wall_s(const plat_clock *self)
{
    return ((const fake_clock *)self)->wall_ms / 1000;
}

void fake_clock_init(fake_clock *c, uint64_t start_ms, int64_t start_wall_s)
{
    *c = (fake_clock){
        .base = { .monotonic_ms = monotonic_ms, .wall_s = wall_s },
        .monotonic_ms = start_ms,
    };
    fake_clock_set_wall(c, start_wall_s);
}

void fake_clock_advance(fake_clock *c, uint64_t ms)
{
    c->monotonic_ms += ms;
    if (c->wall_ms != 0) {
        c->wall_ms += (int64_t)ms;
    }
}

void fake_clock_set_wall(fake_clock *c, int64_t new_wall_s)
{
    c->wall_ms = new_wall_s * 1000;
}
