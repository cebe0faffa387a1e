#ifndef IOTHUB_RENEWAL_H
#define IOTHUB_RENEWAL_H

/**
 * @file
 * Renewal: a planned new connection, for a new token or because the application requests it. This
 * part decides what to do and when; changeover.c does it. While the old connection stays in use, a
 * second channel, the spare, is opened up to TLS. Then messages in flight are acknowledged, the old
 * connection is closed, and the client logs in over the spare, which causes a gap of two round
 * trips. If the spare fails, the old connection stays in use and the spare is tried again.
 */

#include "connection/channel.h"

typedef enum renewal_step {
    RENEWAL_WAIT,
    RENEWAL_OPEN, /* the spare */
    RENEWAL_LEAVE /* close the connection in use */
} renewal_step;

typedef struct iothub_renewal {
    bool due;
    bool urgent;        /* iothub_reconnect_now has requested it */
    int8_t reason;      /* iothub_result of the latest failure of the spare */
    uint32_t failures;  /* number of consecutive failures of the spare */
    mqc_time retry_at;  /* earliest time of the next attempt; 0: any time */
    mqc_time switch_by; /* until this time, open work on the old connection postpones the renewal */
} iothub_renewal;

/** Begins a renewal as soon as no open work postpones it, but after patience_ms at the latest. */
void renewal_begin(iothub_renewal *r, uint64_t patience_ms, mqc_time now);
void renewal_hurry(iothub_renewal *r, mqc_time now);
/** Ends the renewal: nothing is due any more. */
void renewal_reset(iothub_renewal *r);

/**
 * Returns true if the renewal is postponed by open work on the old connection, which the new one
 * could not finish.
 */
static inline bool renewal_waits_for_work(const iothub_renewal *r, bool busy, mqc_time now)
{
    return busy && now < r->switch_by;
}

/**
 * Returns what to do now, while the old connection is in use. busy means that there is such work.
 */
renewal_step renewal_next(iothub_renewal *r, bool overlap, channel_state spare, bool busy,
                          mqc_time now);
/**
 * Returns when to call renewal_next again, not counting the deadline of a spare that is being
 * opened.
 */
mqc_time renewal_deadline(const iothub_renewal *r);

/** Call it when the spare has failed: computes when to try again. */
void renewal_on_failure(iothub_renewal *r, const iothub_options *o, iothub_result reason,
                        uint64_t spent_ms, mqc_time now);
/** Postpones the renewal, because no new token can be made and the old one is still in use. */
void renewal_put_off(iothub_renewal *r, mqc_time until);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool renewal_valid(const iothub_renewal *r);

#endif
