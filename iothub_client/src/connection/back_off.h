#ifndef IOTHUB_BACK_OFF_H
#define IOTHUB_BACK_OFF_H

/**
 * @file
 * How long to wait after a failure, and whether another time of day could end the wait.
 */

#include <stdbool.h>

#include "context/deadline.h"
#include "iothub/options.h"

/** How often to look at the wall clock at the most, in ms. */
enum { BACK_OFF_LOOK_MS = 1000 };

typedef struct iothub_back_off {
    uint32_t failures; /* attempts in a row, and refusals of the credential among them */
    uint32_t refusals;
    uint32_t evictions; /* connections in a row that the hub closed soon */
    uint32_t look_ms;   /* how often to look at the wall clock */
    mqc_time look_at;   /* IOTHUB_NEVER: it is of no interest */
    mqc_time failing_since;
} iothub_back_off;

/** Count a failure of an attempt that began at a time.  What the client would do about it is in
 * the result, without a text. */
iothub_retry back_off_count(iothub_back_off *b, const iothub_options *o, iothub_result reason,
                            mqc_time began, mqc_time now);
/** A random time up to limit_ms, less what was spent. */
uint32_t back_off_random_ms(const iothub_options *o, uint32_t limit_ms, uint64_t spent_ms);

/** Look at the wall clock now, and every every_ms; 0: no more. */
void back_off_watch_clock(iothub_back_off *b, uint32_t every_ms, mqc_time now);
/** True when it is time to look. */
bool back_off_look(iothub_back_off *b, mqc_time now);

/** Up for so long, it is not one client pushing the other out: each comes back within the longest
 * back-off. */
bool back_off_is_stable(const iothub_options *o, uint64_t connected_ms);
/** A stable connection has ended: older failures are another story. */
void back_off_forget(iothub_back_off *b);
/** The hub closed a connection that was not stable; true when it looks as if for another client,
 * again. */
bool back_off_evicted(iothub_back_off *b);
/** The hub took the credential. */
void back_off_accepted(iothub_back_off *b);
/** A start: nothing has failed yet. */
void back_off_reset(iothub_back_off *b);

#endif
