#ifndef IOTHUB_RUNNER_H
#define IOTHUB_RUNNER_H

/**
 * @file
 * A background thread that drives a client, so that any thread may use it.
 *
 *     iothub_runner_start(c, &error);
 *     iothub_start(c);
 *     iothub_send_telemetry(c, &t, NULL);   from any thread, at any time
 *     ...
 *     iothub_stop(c, 5000);
 *     iothub_runner_stop(c);                waits until what was sent has arrived
 *     iothub_free(c);
 *
 * While the runner has the client:
 * - Every function of client.h may be called from any thread; none waits for the network, nor
 *   while the runner reads, writes or encrypts.
 *   A request wakes the thread when it sleeps and has something to do for it: there is no
 *   interval at which it looks.  Telemetry that is to be acknowledged (QoS 1) and comes alone is
 *   handed to the socket by the thread that sends it; many messages are left to the runner,
 *   so that they leave together.
 *   The exception is iothub_deinit: all other threads must be done with the client by then.
 * - Callbacks run on the runner's thread, one at a time, and no lock is held meanwhile: they may
 *   make requests, take locks of the application, and wait for other threads that make
 *   requests.  While one takes its time the connection is not served.
 * - iothub_free and iothub_deinit are refused in callbacks; from another thread they wait for the
 *   one that is running.
 * - iothub_process and iothub_wait are refused with IOTHUB_ERR_STATE, and iothub_poll_info has
 *   nothing to wait for.
 * - iothub_last_error is about the latest refused call of the calling thread.
 *
 * The thread has all signals blocked, sleeps until the client's next deadline, and for ever when
 * there is none.
 */

#include "iothub/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Drive c on a new thread.  Before or after iothub_start; the first time before any other
 * thread uses c.
 * A loop of the application that watches descriptors of c (iothub_poll_info) stops that before.
 * @param error  may be NULL
 * @retval IOTHUB_ERR_STATE   the client has a runner, the call comes from a callback, or c is no
 *                            client
 * @retval IOTHUB_ERR_ARG     the platform has no threads, or c is NULL
 * @retval IOTHUB_ERR_MEMORY  the system has no thread or descriptor left
 */
iothub_result iothub_runner_start(iothub_client *c, iothub_error *error);

/**
 * End the thread and wait for that: after the callback that is running, and when iothub_stop was
 * called, once the client is IOTHUB_STOPPED.  The connection stays as it is, and c may be
 * driven by iothub_process, or by another runner.  Other threads may be making requests.
 * iothub_deinit calls this when nobody did.
 * @retval IOTHUB_ERR_STATE  there is no runner, it is being stopped already, or the call comes
 *                           from a callback
 */
iothub_result iothub_runner_stop(iothub_client *c);

#ifdef __cplusplus
}
#endif
#endif
