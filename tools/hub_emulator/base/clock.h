#ifndef HUB_CLOCK_H
#define HUB_CLOCK_H

#include <stdint.h>

/**
 * Two readings of one moment.  Dates, and whatever must hold in the next run or came from a client
 * as a date (the expiry of a token), go by wall_ms; everything that lasts so long goes by up_ms,
 * which no change of the date moves.
 */
typedef struct hub_clock {
    int64_t wall_ms; /* since 1970 */
    int64_t up_ms;   /* monotonic, from any origin */
} hub_clock;

#endif
