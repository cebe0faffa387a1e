#ifndef IOTHUB_WAKE_H
#define IOTHUB_WAKE_H

/** @file Decides how queued telemetry is sent while the runner sleeps. */

#include "connection/session.h"
#include "drive/traffic.h"
#include "telemetry/telemetry.h"

typedef struct iothub_wake {
    mqc_time wake_at;     /* time at which the sleep of the runner's thread ends */
    iothub_op last_op;    /* last request before the thread fell asleep */
    bool lone;            /* recent requests were made one at a time */
    uint8_t quiet_sleeps; /* number of sleeps since telemetry was last queued, up to a limit */
} iothub_wake;

/** Call it when the first runner starts. last is the number of the latest request. */
void wake_init(iothub_wake *w, iothub_op last);
/**
 * Call it when the runner is about to sleep, until wake_at at the latest. last is the number of the
 * latest request.
 */
void wake_on_sleep(iothub_wake *w, iothub_op last, mqc_time wake_at);
/** Returns when the runner must wake at the latest. */
mqc_time wake_latest(const iothub_wake *w, const iothub_context *context, mqc_time now);
/** Returns true if the runner must be woken for a message that was queued while it sleeps. */
bool wake_needs_the_runner(iothub_wake *w, iothub_session *s, iothub_traffic *traffic,
                           const telemetry_part *telemetry, bool ends_when_sent);

/**
 * Call it when a message was queued. The message is sent now, by the next turn, or after an
 * acknowledgement that it must wait for. Returns true if a turn is needed. ends_when_sent means
 * that its end is reported when it was sent.
 */
static inline bool wake_on_queued(iothub_wake *w, iothub_session *s, iothub_traffic *traffic,
                                  const telemetry_part *telemetry, bool ends_when_sent)
{
    const iothub_context *context = s->context;

    if (context->lock != NULL && context->lock->asleep) {
        return wake_needs_the_runner(w, s, traffic, telemetry, ends_when_sent);
    }
    return !context->processing; /* a turn in progress looks for new requests at its end */
}

#endif
