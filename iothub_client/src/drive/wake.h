#ifndef IOTHUB_WAKE_H
#define IOTHUB_WAKE_H

/**
 * @file
 * Telemetry, and a runner that sleeps.
 */

#include "connection/session.h"
#include "drive/traffic.h"
#include "telemetry/telemetry.h"

typedef struct iothub_wake {
    mqc_time wake_at;     /* when the runner's thread wakes by itself */
    iothub_op last_op;    /* before it last fell asleep */
    bool lone;            /* of late, requests came one at a time */
    uint8_t quiet_sleeps; /* since telemetry was last queued; no more than matter */
} iothub_wake;

/** The first runner begins; last: the latest request. */
void wake_init(iothub_wake *w, iothub_op last);
/** The runner is about to sleep, until wake_at at the latest; last: the latest request. */
void wake_on_sleep(iothub_wake *w, iothub_op last, mqc_time wake_at);
/** When it has to wake up at the latest, whatever it waits for. */
mqc_time wake_latest(const iothub_wake *w, const iothub_context *context, mqc_time now);
/** The same while the runner sleeps. */
bool wake_needs_the_runner(iothub_wake *w, iothub_session *s, iothub_traffic *traffic,
                           const telemetry_part *telemetry, bool ends_when_sent);

/**
 * A message was queued: it is sent now, or the next turn does it, or the acknowledgement that it
 * has to wait for.  True when a turn is wanted.  ends_when_sent: the application hears of it at
 * once.
 */
static inline bool wake_on_queued(iothub_wake *w, iothub_session *s, iothub_traffic *traffic,
                                  const telemetry_part *telemetry, bool ends_when_sent)
{
    const iothub_context *context = s->context;

    if (context->lock != NULL && context->lock->asleep) {
        return wake_needs_the_runner(w, s, traffic, telemetry, ends_when_sent);
    }
    return !context->processing; /* a turn that goes on looks at its end what came meanwhile */
}

#endif
