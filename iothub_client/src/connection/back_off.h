#ifndef IOTHUB_BACK_OFF_H
#define IOTHUB_BACK_OFF_H

/**
 * @file How long to wait after a failure, and whether a change of the wall clock could end the
 * wait.
 */

#include <stdbool.h>

#include "context/deadline.h"
#include "iothub/options.h"

/** Shortest interval between two checks of the wall clock, in ms. */
enum { BACK_OFF_LOOK_MS = 1000 };

typedef struct iothub_back_off {
    uint32_t failures; /* consecutive failed attempts, and refused credentials among them */
    uint32_t refusals;
    uint32_t evictions; /* consecutive connections that the hub closed early */
    uint32_t look_ms;   /* interval between two checks of the wall clock */
    mqc_time look_at;   /* next check of the wall clock; IOTHUB_NEVER: none */
    mqc_time failing_since;
    mqc_time
        began; /* when the latest attempt began; before the first one, when the client was made */
    mqc_time connected_at; /* when the hub accepted the login; 0: not since the last failure */
} iothub_back_off;

/** Resets the counters for a start. */
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

/** Returns a random time up to limit_ms, minus the time that the attempt took. */
uint32_t back_off_random_ms(const iothub_options *o, uint32_t limit_ms, uint64_t spent_ms);

/** Checks the wall clock now and then every every_ms; 0: no more checks. */
void back_off_watch_clock(iothub_back_off *b, uint32_t every_ms, mqc_time now);
/** True if a check is due. */
bool back_off_look(iothub_back_off *b, mqc_time now);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool back_off_valid(const iothub_back_off *b);

#endif
