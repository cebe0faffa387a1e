#ifndef IOTHUB_RENEWAL_H
#define IOTHUB_RENEWAL_H

/**
 * @file
 * The planned change of the connection, for a new token or because the application wants it: only
 * what to do when, session.c does it.
 *
 * While the old connection goes on carrying everything, a second channel, the spare, is opened as
 * far as TLS.  Then what is in flight is acknowledged, the old connection is left, and the login
 * goes over the spare: a gap of two round trips.  A spare that fails is no loss: it is tried again.
 */

#include "connection/channel.h"

typedef enum renewal_step {
    RENEWAL_WAIT,
    RENEWAL_OPEN, /* the spare */
    RENEWAL_LEAVE /* the connection in use */
} renewal_step;

typedef struct iothub_renewal {
    bool due;
    bool urgent;        /* by iothub_reconnect_now */
    uint32_t failures;  /* of the spare, in a row */
    mqc_time retry_at;  /* not before; 0: at any time */
    mqc_time switch_by; /* until then, work on the old connection postpones it */
} iothub_renewal;

/** Begin it as soon as nothing postpones it, at the latest in patience_ms. */
void renewal_begin(iothub_renewal *r, uint64_t patience_ms, mqc_time now);
void renewal_hurry(iothub_renewal *r, mqc_time now);
/** Not any more. */
void renewal_reset(iothub_renewal *r);

/** Whether work that the old connection began, and the new one cannot end, postpones it. */
static inline bool renewal_waits_for_work(const iothub_renewal *r, bool busy, mqc_time now)
{
    return busy && now < r->switch_by;
}

/** What to do now, while the old connection is in use.  busy: there is such work. */
renewal_step renewal_next(iothub_renewal *r, bool overlap, channel_state spare, bool busy,
                          mqc_time now);
/** When to ask again, but for the deadline of a spare that opens. */
mqc_time renewal_deadline(const iothub_renewal *r);

/** The spare failed: when to try again. */
void renewal_on_failure(iothub_renewal *r, const iothub_options *o, uint64_t spent_ms,
                        mqc_time now);
/** The old token is better than none. */
void renewal_put_off(iothub_renewal *r, mqc_time until);

/** What this part alone is responsible for; debug builds look at each entry. */
bool renewal_valid(const iothub_renewal *r);

#endif
