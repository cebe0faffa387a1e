#ifndef IOTHUB_STAGE_H
#define IOTHUB_STAGE_H

/**
 * @file
 * The time that a stage of connecting may take; pure.
 *
 * A handshake over a slow link, or a SUBACK behind a large message, takes longer than any time
 * that makes sense for a hub that is silent.  So a stage whose time is over goes on for half of it
 * more, again and again, as long as enough bytes move.  Before CONNACK there is an end to that:
 * nobody knows who it is that sends.
 */

#include <stdbool.h>
#include <stdint.h>

#include "context/deadline.h"

typedef struct iothub_stage {
    mqc_time deadline;
    unsigned late : 1;   /* the second half of the time has begun, */
    unsigned moved : 31; /* and when it did, so many bytes had been moved, modulo 2^31 */
} iothub_stage;

/** budget_ms: 0 means for ever.  can_be_slow: stage_goes_on will be asked. */
void stage_begin(iothub_stage *stage, uint32_t budget_ms, bool can_be_slow, mqc_time now);

/** The stage ends at a time of its own. */
void stage_set_deadline(iothub_stage *stage, mqc_time deadline);

/**
 * The deadline is over: a later one is set, or the stage took too long and the result is false.
 * moved: bytes so far, in both directions.  until: the end of all patience.
 */
bool stage_goes_on(iothub_stage *stage, uint32_t budget_ms, uint64_t moved, mqc_time until,
                   mqc_time now);

#endif
