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
    mqc_time began;        /* the attempt; before the first one, when the client was made */
    mqc_time connected_at; /* 0: not since the last failure */
} iothub_back_off;

/** A start: nothing has failed yet. */
void back_off_reset(iothub_back_off *b, mqc_time now);
/** An attempt begins. */
void back_off_begin(iothub_back_off *b, mqc_time now);
/** The client is connected.  A planned change of the connection does not count as an end. */
void back_off_connected(iothub_back_off *b, mqc_time now);
/**
 * The connection has ended, which is the beginning of the next attempt: the time it lasted is not
 * spent on that, and if it was long, older failures are another story.
 */
void back_off_disconnected(iothub_back_off *b, const iothub_options *o, mqc_time now);

/** Count a failure.  What the client would do about it is in the result, without a text. */
iothub_retry back_off_failed(iothub_back_off *b, const iothub_options *o, iothub_result reason,
                             mqc_time now);
/**
 * The hub closed the connection.  True when that looks as if for another client, again: up for
 * twice the longest back-off, it is not one client pushing the other out.
 */
bool back_off_evicted(iothub_back_off *b, const iothub_options *o, mqc_time now);

/** A random time up to limit_ms, less what was spent. */
uint32_t back_off_random_ms(const iothub_options *o, uint32_t limit_ms, uint64_t spent_ms);

/** Look at the wall clock now, and every every_ms; 0: no more. */
void back_off_watch_clock(iothub_back_off *b, uint32_t every_ms, mqc_time now);
/** True when it is time to look. */
bool back_off_look(iothub_back_off *b, mqc_time now);

/** What this part alone is responsible for; debug builds look at each entry. */
bool back_off_valid(const iothub_back_off *b);

#endif
