#ifndef IOTHUB_RUNNER_H
#define IOTHUB_RUNNER_H

/**
 * @file
 * The runner: a background thread that drives a client, so that any thread may use the client.
 *
 *     iothub_runner_start(c, &error);
 *     iothub_start(c);
 *     iothub_send_telemetry(c, &t, NULL);   from any thread, at any time
 *     ...
 *     iothub_stop(c, 5000);
 *     iothub_runner_stop(c);                waits until the client has stopped
 *     iothub_free(c);
 *
 * While a client has a runner:
 * - Every function of client.h may be called from any thread, except iothub_deinit and iothub_free:
 *   when these are called, no other thread may use the client any more. No function waits for the
 *   network, or while the runner reads, writes or encrypts.
 * - A request wakes the sleeping runner if there is something to do for it. The runner does not
 *   look for work at intervals. If the connection is idle, the calling thread itself writes a
 *   single QoS 1 message to the socket, which is faster; if there are many messages, the runner
 *   sends them together.
 * - Callbacks run on the runner's thread, one at a time. No lock of the SDK is held meanwhile, so a
 *   callback may make requests, take locks of the application, and wait for other threads that make
 *   requests. Until the callback returns, the connection is not served.
 * - iothub_free and iothub_deinit are refused inside a callback. Called from another thread, they
 *   wait until the running callback has returned.
 * - iothub_process and iothub_wait return IOTHUB_ERR_STATE, and iothub_poll_info returns nothing to
 *   wait for.
 * - iothub_last_error is about the latest refused call of the calling thread.
 *
 * The runner's thread blocks all signals. It sleeps until the client's next deadline, or until a
 * request wakes it.
 */

#include "iothub/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Starts a thread that drives the client.
 *
 * The call is allowed before and after iothub_start. The first call must come before any other
 * thread uses the client. A loop of the application that watches descriptors of the client
 * (iothub_poll_info) must stop watching them first, since this call may close them.
 *
 * @param c           the client
 * @param[out] error  the reason for a failure; may be NULL
 * @retval IOTHUB_ERR_STATE   the client has a runner already, c is not an initialised client, or
 * the call was made inside a callback
 * @retval IOTHUB_ERR_ARG     the platform has no threads, or c is NULL
 * @retval IOTHUB_ERR_MEMORY  the system has no thread or descriptor left
 */
iothub_result iothub_runner_start(iothub_client *c, iothub_error *error);

/**
 * Ends the runner's thread and waits until it has ended.
 *
 * The call waits for the callback that is running. If iothub_stop was called before, it also waits
 * until the client is IOTHUB_STOPPED. Otherwise the connection stays open, and the client may then
 * be driven by iothub_process or by another runner. Other threads may make requests meanwhile.
 * iothub_deinit calls this function if the application did not.
 *
 * @param c  the client
 * @retval IOTHUB_ERR_STATE  there is no runner, another thread is stopping it already, or the call
 *                           was made inside a callback
 * @retval IOTHUB_ERR_ARG    c is NULL
 */
iothub_result iothub_runner_stop(iothub_client *c);

#ifdef __cplusplus
}
#endif
#endif
