#ifndef HUB_CLOCK_H
#define HUB_CLOCK_H

#include <stdint.h>

/**
 * The same moment on two clocks. wall_ms is used for dates: those of clients (such as the expiry of
 * a token), and those that must stay valid in the next run. up_ms is used for durations, because
 * changes of the date do not affect it.
 */
typedef struct hub_clock {
    int64_t wall_ms; /* milliseconds since 1970-01-01 */
    int64_t up_ms;   /* monotonic milliseconds since an arbitrary moment */
} hub_clock;

#endif
