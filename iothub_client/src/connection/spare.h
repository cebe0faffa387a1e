#ifndef IOTHUB_SPARE_H
#define IOTHUB_SPARE_H

/**
 * @file
 * The second channel, which a renewal opens while the first is in use. A failure of the second does
 * not affect the connection: it is logged, and the renewal tries again.
 */

#include "connection/credential.h"
#include "connection/renewal.h"

typedef enum spare_answer {
    SPARE_UNCHANGED,
    SPARE_ADVANCED, /* the stage has changed; the spare may be open now */
    SPARE_FAILED    /* the spare was closed; the renewal tries again later */
} spare_answer;

/** Begins to open the spare. */
spare_answer spare_open(iothub_channel *spare, iothub_renewal *r, credential_part *k, mqc_time now);
/** Continues to open the spare, or watches it when it is open. */
spare_answer spare_progress(iothub_channel *spare, iothub_renewal *r, mqc_time now);
/** Returns SPARE_FAILED if opening the spare takes too long. */
spare_answer spare_on_time(iothub_channel *spare, iothub_renewal *r, mqc_time now);
/** Closes the spare, because there is no credential for it. */
spare_answer spare_give_up(iothub_channel *spare, iothub_renewal *r, const iothub_error *why,
                           mqc_time now);

#ifndef NDEBUG
bool spare_valid(const iothub_channel *spare, const iothub_renewal *r);
#endif

#endif
