#include "connection/wall_clock.h"

/* 2023-01-01. A wall clock that shows an earlier time was never set. */
static const int64_t CLOCK_IS_SET_S = 1672531200;

/* The end of the year 9999. A clock that was set shows no later time. */
static const int64_t CLOCK_MAX_S = 253402300799;

/* Smaller differences in seconds are caused by drift and by rounding. */
enum { STEP_S = 5 };

int64_t wall_clock_s(const plat_clock *clock)
{
    int64_t s = clock->wall_s(clock);

    if (s < 0) {
        return 0;
    }
    return s < CLOCK_MAX_S ? s : CLOCK_MAX_S;
}

bool wall_clock_is_set(int64_t s)
{
    return s >= CLOCK_IS_SET_S;
}

int64_t wall_clock_offset_s(const plat_clock *clock)
{
    int64_t s = wall_clock_s(clock);
    bool meant = wall_clock_is_set(s) && s < CLOCK_MAX_S;

    return meant ? s - (int64_t)(clock->monotonic_ms(clock) / 1000) : INT64_MIN;
}

bool wall_clock_moved(const plat_clock *clock, int64_t offset_s)
{
    int64_t now = wall_clock_offset_s(clock);

    if (now == INT64_MIN || offset_s == INT64_MIN) {
        return now != offset_s &&
               now != INT64_MIN; /* a clock that has lost its time does not prove a change */
    }
    return now - offset_s > STEP_S || offset_s - now > STEP_S;
}
