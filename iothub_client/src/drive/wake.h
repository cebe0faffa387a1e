#ifndef IOTHUB_WAKE_H
#define IOTHUB_WAKE_H

/**
 * @file
 * Telemetry, and a runner that sleeps.
 */

#include "client_struct.h"

/** The first runner begins; last: the latest request. */
void wake_init(iothub_wake *w, iothub_op last);
/** Bytes wait that the stream might take. */
bool wake_may_send(iothub_client *c);
/** The runner is about to sleep, until wake_at at the latest; last: the latest request. */
void wake_on_sleep(iothub_wake *w, iothub_op last, mqc_time wake_at);
/** When it has to wake up at the latest, whatever it waits for. */
mqc_time wake_latest(const iothub_client *c, mqc_time now);
/** A message was queued: send it now, let the next turn do it, or leave it to the acknowledgement
 * it has to wait for.  ends_when_sent: the application hears of it at once. */
void wake_on_queued(iothub_client *c, bool ends_when_sent);

#endif
