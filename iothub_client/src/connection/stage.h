#ifndef IOTHUB_STAGE_H
#define IOTHUB_STAGE_H

/**
 * @file
 * The time limit of a stage of connecting, as pure functions. On a slow link, a handshake or a
 * SUBACK after a large message takes longer than a sensible limit for a silent hub. So the limit is
 * extended by half of its length as long as enough bytes are transferred. Before CONNACK the
 * extensions are limited, because the peer is not known yet.
 */

#include <stdbool.h>
#include <stdint.h>

#include "context/deadline.h"

typedef struct iothub_stage {
    mqc_time deadline;
    unsigned late : 1;   /* the second half of the time has begun */
    unsigned moved : 31; /* bytes transferred before the second half, modulo 2^31 */
} iothub_stage;

/**
 * Begins a stage. budget_ms 0 means without limit. can_be_slow means that stage_goes_on may extend
 * the limit.
 */
void stage_begin(iothub_stage *stage, uint32_t budget_ms, bool can_be_slow, mqc_time now);

/** Sets the deadline of a stage whose time is not divided into halves. */
void stage_set_deadline(iothub_stage *stage, mqc_time deadline);

/**
 * Call it when the deadline has passed. Sets a later deadline, or returns false if the stage took
 * too long. moved is the number of bytes transferred so far, in both directions; until is the end
 * of all extensions.
 */
bool stage_goes_on(iothub_stage *stage, uint32_t budget_ms, uint64_t moved, mqc_time until,
                   mqc_time now);

#ifndef NDEBUG
bool stage_valid(const iothub_stage *stage);
#endif

#endif
