#ifndef IOTHUB_SPARE_H
#define IOTHUB_SPARE_H

/**
 * @file
 * The second channel, which a renewal opens while the first is in use.  A failure is no loss: it is
 * logged, and the renewal tries again.
 */

#include "connection/credential.h"
#include "connection/renewal.h"

typedef enum spare_answer {
    SPARE_UNCHANGED,
    SPARE_ADVANCED, /* perhaps open now */
    SPARE_FAILED    /* closed, to be tried again */
} spare_answer;

/** Begin to open it. */
spare_answer spare_open(iothub_channel *spare, iothub_renewal *r, const iothub_credential *k,
                        mqc_time now);
/** Go on to open it, or watch it when it is open. */
spare_answer spare_progress(iothub_channel *spare, iothub_renewal *r, mqc_time now);
/** SPARE_FAILED when it opens, and takes too long. */
spare_answer spare_on_time(iothub_channel *spare, iothub_renewal *r, mqc_time now);
/** There is no credential to go on with it. */
spare_answer spare_give_up(iothub_channel *spare, iothub_renewal *r, const char *why, mqc_time now);

#endif
