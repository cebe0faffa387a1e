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
    /* Number of consecutive failed attempts, and how many of them were refused credentials. */
    uint32_t failures;
    uint32_t refusals;
    uint32_t evictions; /* number of consecutive connections that the hub closed early */
    uint16_t look_ms;   /* interval between two checks of the wall clock */
    bool forgives;      /* the next refusal is not counted */
    mqc_time look_at;   /* time of the next check of the wall clock; IOTHUB_NEVER: none */
    mqc_time failing_since;
    /* Time at which the latest attempt began; before the first one, when the client was made. */
    mqc_time began;
    /* Time at which the hub accepted the login; 0: not since the last failure. */
    mqc_time connected_at;
} iothub_back_off;

/** Resets the counters for a start. */
void back_off_reset(iothub_back_off *b, mqc_time now);
/** Call it when an attempt begins. */
void back_off_begin(iothub_back_off *b, mqc_time now);
/**
 * Call it when the client has connected. A planned change of the connection does not restart the
 * time of the connection.
 */
void back_off_connected(iothub_back_off *b, mqc_time now);
/**
 * Call it when the connection has ended, which begins the next attempt. So the duration of the
 * connection does not count as time spent on the attempt. If the connection was long, earlier
 * failures are forgotten.
 */
void back_off_disconnected(iothub_back_off *b, const iothub_options *o, mqc_time now);

/** Counts a failure. Returns what the client would do about it, without a text. */
iothub_retry back_off_failed(iothub_back_off *b, const iothub_options *o, iothub_result reason,
                             mqc_time now);
/**
 * Call it before back_off_failed if another attempt should soon follow a refusal. That refusal is
 * then not counted.
 */
void back_off_forgive(iothub_back_off *b);
/**
 * Call it when the hub has closed the connection. Returns true if it looks as if two clients with
 * the same identity close each other's connection: the hub has done so again, and the connection
 * was shorter than twice the longest back-off.
 */
bool back_off_evicted(iothub_back_off *b, const iothub_options *o, mqc_time now);

/** Returns a random time up to limit_ms, minus the time that the attempt took. */
uint32_t back_off_random_ms(const iothub_options *o, uint32_t limit_ms, uint64_t spent_ms);

/** Checks the wall clock every every_ms milliseconds from now on; 0: no more checks. */
void back_off_watch_clock(iothub_back_off *b, uint16_t every_ms, mqc_time now);
/** Returns true if a check is due. */
bool back_off_look(iothub_back_off *b, mqc_time now);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool back_off_valid(const iothub_back_off *b);

#endif
