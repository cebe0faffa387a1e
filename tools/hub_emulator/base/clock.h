#ifndef HUB_CLOCK_H
#define HUB_CLOCK_H

#include <stdint.h>

/**
 * The same moment on two clocks. wall_ms is used for dates, for times that must stay valid in the
 * next run, and for dates from clients (the expiry of a token). up_ms is used for durations, since
 * a change of the date does not affect it.
 */
typedef struct hub_clock {
    int64_t wall_ms; /* since 1970 */
    int64_t up_ms;   /* monotonic, from any origin */
} hub_clock;

#endif
