#ifndef IOTHUB_CLIENT_H
#define IOTHUB_CLIENT_H

/**
 * @file
 * A device or module that talks to a hub.
 *
 *     iothub_options o;
 *     iothub_options_init(&o);           defaults; then set your callbacks
 *     c = iothub_new(connection_string, &o, &error);
 *     iothub_start(c);
 *     iothub_send_telemetry(c, &t, NULL);
 *     for (;;) iothub_wait(c, 1000);     or iothub_poll_info and iothub_process in your own loop
 *
 * Rules that hold for all functions:
 * - The client copies a request for which it returns IOTHUB_OK, and reports the end of that request
 *   in exactly one call of the done callback, also if the client is stopped first
 *   (IOTHUB_ERR_CANCELLED). It never reports a request that it refused.
 * - Telemetry of a client with a store (options.store) stays in the store when the client stops or
 *   the process ends.
 * - Requests are accepted without a connection, and even before iothub_start.
 * - A function that returns a result returns IOTHUB_ERR_ARG if the client is NULL, and
 *   IOTHUB_ERR_STATE if the client was not initialised or iothub_deinit has ended it. A function
 *   that returns no result then does nothing. Any other pointer may be NULL only where its
 *   description says so; otherwise the result is IOTHUB_ERR_ARG.
 * - If a program sets callbacks or makes requests, but does not start or drive its client within
 *   3 s, the client logs one line that says what is missing. It does so in the next call of the
 *   program, or in iothub_deinit.
 * - A client may be used by one thread at a time, unless a runner drives it; see iothub/runner.h.
 * - The SDK's own code uses no heap after iothub_init. The platform may: the resolver allocates
 *   memory while the client connects, and wolfSSL both then and for the TLS records that it
 *   receives.
 *
 * Sizes of structs: a program may run with a shared library that is newer or older than the headers
 * it was compiled with. Later versions add fields, always at the end, to iothub_options,
 * iothub_provisioning_options, iothub_telemetry, iothub_poll, iothub_stats, iothub_credentials_info
 * and iothub_connection_string. So the library learns how large the program's struct is: the two
 * structs of options hold their size, set by iothub_options_init and
 * iothub_provisioning_options_init; for the others the size is an argument. The function with the
 * plain name, such as iothub_get_stats, is inline and passes sizeof, and NAME_sized is the one in
 * the library, for callers that have no C compiler. The library never writes beyond that size, and
 * never reads beyond it.
 * - A struct that is shorter than the library's: the fields that it lacks count as 0 (options: as
 *   their defaults), and are not filled in.
 * - A struct that is longer: fields that the library does not know are filled with 0. If the
 * program has set one, the call is refused with IOTHUB_ERR_UNSUPPORTED.
 * - Structs that the library passes to a callback grow at the end, too; do not make arrays of them.
 * - iothub_callbacks does not grow: later callbacks become fields of iothub_options. iothub_error,
 *   iothub_credential, iothub_token_provider, iothub_property, iothub_property_cursor,
 * iothub_method_token, iothub_sas_grant, iothub_sas_token and plat_poll do not grow either.
 */

#include "iothub/message.h"
#include "iothub/options.h"
#include "iothub/stats.h"
#include "iothub/telemetry.h"
#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Initialises a client in memory of the caller. It sends nothing until iothub_start.
 *
 * The client begins at the first suitably aligned byte of the memory and uses the rest for all its
 * buffers. The earlier contents of the memory do not matter, but no initialised client may be in
 * it: end that one with iothub_deinit first. The memory belongs to the client until iothub_deinit,
 * and must not move meanwhile. After a failure it is the caller's again.
 *
 * @param memory             room for the client and every buffer that it will use
 * @param memory_len         its size in bytes, at least IOTHUB_MEMORY_SIZE (iothub/memory_size.h)
 *                           of the sizes in *o
 * @param connection_string  "HostName=..;DeviceId=..;SharedAccessKey=..", or the same with
 *                           SharedAccessSignature, or without both if the options have credentials;
 *                           it is copied
 * @param o                  the options; the struct is copied, the texts in it are not
 * @param[out] error         the reason for a failure; may be NULL. IOTHUB_ERR_MEMORY: memory_len is
 *                           not enough, and the text gives the number of missing bytes. Names may
 *                           be so long that more than IOTHUB_MEMORY_SIZE is needed. Otherwise
 *                           IOTHUB_ERR_ARG for an option, or a result of
 *                           iothub_connection_string_parse.
 * @return the client, to be ended with iothub_deinit; NULL after a failure
 */
iothub_client *iothub_init(void *memory, size_t memory_len, const char *connection_string,
                           const iothub_options *o, iothub_error *error);

/**
 * Closes the connection immediately and ends the client. Open requests are reported to the done
 * callback before the function returns; requests made in these callbacks are refused with
 * IOTHUB_ERR_STATE. If c is not an initialised client, nothing happens.
 *
 * Inside a callback of this client the call is refused: nothing changes, and iothub_last_error and
 * a line of the log (error) report it. Set a flag instead, and call iothub_deinit after
 * iothub_process has returned.
 *
 * @param c  the client; may be NULL
 */
void iothub_deinit(iothub_client *c);

/**
 * Allocates a client on the heap, with as much memory as its options and names require, and
 * initialises it like iothub_init.
 *
 * @param connection_string  see iothub_init
 * @param o                  the options; sizes of 0 stand for sizes that are always enough
 * @param[out] error         the reason for a failure; may be NULL. There is no other way to learn
 *                           the reason.
 * @return the client, to be freed with iothub_free; NULL after a failure
 */
iothub_client *iothub_new(const char *connection_string, const iothub_options *o,
                          iothub_error *error);

/**
 * Ends the client like iothub_deinit and frees its memory. Memory that was passed to iothub_init
 * stays the caller's.
 *
 * Inside a callback the call is refused like iothub_deinit: the client stays usable and must be
 * freed later.
 *
 * @param c  the client; may be NULL
 */
void iothub_free(iothub_client *c);

/**
 * Makes the client connect and stay connected until iothub_stop. The next iothub_process begins
 * with it.
 *
 * @param c  the client
 * @retval IOTHUB_ERR_STATE  the client was started already, though it may not be connected yet
 */
iothub_result iothub_start(iothub_client *c);

/**
 * Stops the client: it sends what is queued for up to grace_ms, then DISCONNECT, and ends all
 * requests that are still open with IOTHUB_ERR_CANCELLED.
 *
 * The stop is complete when the state is IOTHUB_STOPPED; call iothub_process until then. If the
 * client was not started, it is complete immediately. Requests made before that share the grace
 * time; requests made later wait for the next iothub_start.
 *
 * Telemetry in a store does not end with a stop. The grace time is for messages that wait for their
 * acknowledgement. The rest is sent after the next iothub_start, or ends with IOTHUB_KEPT in
 * iothub_deinit.
 *
 * @param c         the client
 * @param grace_ms  how long to continue sending, in milliseconds
 * @return IOTHUB_OK, also if the client is stopped already
 */
iothub_result iothub_stop(iothub_client *c, uint32_t grace_ms);

/**
 * Connects again without waiting, e.g. when the application knows that the network is back or has
 * changed.
 *
 * In state IOTHUB_WAITING the wait ends. In state IOTHUB_CONNECTED the client renews its
 * connection: it makes the new connection before it closes the old one, with a new token if it has
 * a key.
 *
 * @param c  the client
 * @retval IOTHUB_ERR_STATE  any other state: the client is not started, or is connecting already
 */
iothub_result iothub_reconnect_now(iothub_client *c);

/**
 * Replaces a ready-made SharedAccessSignature. The client uses it from the next connection on.
 * After a failure the old token stays in use.
 *
 * @param c                        the client
 * @param shared_access_signature  the new token, NUL-terminated; it is copied
 * @retval IOTHUB_ERR_STATE         the client has a key and makes its tokens itself
 * @retval IOTHUB_ERR_PART_INVALID  the token is for another resource, or is not valid
 * @retval IOTHUB_ERR_MEMORY        the token is more than 128 bytes longer than the first one, and
 *                                  there is no memory left for it
 * @return any other result of iothub_sas_parse
 */
iothub_result iothub_set_token(iothub_client *c, const char *shared_access_signature);

/**
 * Gives a client the token that it has requested from its token provider (iothub/credential.h). The
 * call is also allowed without a request; a connected client then renews its connection with the
 * new token. After a failure the old token stays in use, and a request stays open.
 *
 * @param c                        the client
 * @param shared_access_signature  the token, NUL-terminated; it is copied
 * @retval IOTHUB_ERR_STATE          the credential in use is no token provider
 * @retval IOTHUB_ERR_PART_INVALID   the token is for another resource, or is not valid
 * @retval IOTHUB_ERR_TOKEN_EXPIRED  the token has expired already
 * @retval IOTHUB_ERR_MEMORY         the token does not fit the memory of the provider
 * @return any other result of iothub_sas_parse
 */
iothub_result iothub_provide_token(iothub_client *c, const char *shared_access_signature);

/**
 * Tells a client that the token that it has requested cannot be provided now. The client requests
 * it again later; see iothub_token_provider. Without a request nothing happens.
 *
 * @param c     the client
 * @param text  the reason for the log and the status, without a secret; NULL: none
 * @retval IOTHUB_ERR_STATE  the credential in use is no token provider
 */
iothub_result iothub_token_failed(iothub_client *c, const char *text);

/**
 * Replaces the credentials of a client, also while it is connected. This is a planned change like
 * the renewal of a token: no message is lost, and the earlier credentials stay in use until one of
 * the new ones has logged in.
 *
 * A connected client opens a second connection with the first of the new credentials, leaves the
 * first connection when open work allows it, and logs in. A client that waits for its next attempt,
 * or for a token of a token provider, tries it immediately; any other client uses the new
 * credentials from its next attempt on. When the hub has refused all of the new credentials for
 * good (see iothub/credential.h), or none of them is valid, the client goes back to the earlier
 * ones. The log, the status callback and iothub_get_credentials report that.
 *
 * Both lists are borrowed meanwhile. A list is free again when iothub_get_credentials reports it
 * neither as credentials nor as replacement; ask in the status callback, or after iothub_process.
 *
 * @param c            the client
 * @param credentials  the new credentials, in the order in which they are tried; borrowed
 * @param count        their number, 1 to IOTHUB_CREDENTIALS_MAX
 * @retval IOTHUB_ERR_STATE   the client is logging in with credentials that were set before; try
 *                            again after the next status callback
 * @retval IOTHUB_ERR_MEMORY  a token is longer than the memory that iothub_init has set aside for
 *                            logins: that of the longest credential of its options, or of the
 *                            tokens of a device key
 * @retval IOTHUB_ERR_ARG     there are no credentials or too many, or one was not made by a
 * function of iothub/credential.h
 * @return any other reason why a credential cannot be used by this client, as in iothub_init. After
 *         a failure nothing has changed.
 */
iothub_result iothub_set_credentials(iothub_client *c, const iothub_credential *credentials,
                                     size_t count);

/**
 * iothub_get_credentials for a struct of any size; see "Sizes of structs" above.
 *
 * @param c            as there
 * @param[out] out     as there
 * @param struct_size  sizeof *out of the application
 */
void iothub_get_credentials_sized(const iothub_client *c, iothub_credentials_info *out,
                                  size_t struct_size);

/**
 * Reports which credentials the client has, and which one it uses.
 *
 * @param c         the client; may be NULL
 * @param[out] out  the answer; all 0 if c is not an initialised client
 */
static inline void iothub_get_credentials(const iothub_client *c, iothub_credentials_info *out)
{
    iothub_get_credentials_sized(c, out, sizeof *out);
}

/**
 * Sets the callback for cloud-to-device messages (for a module: for its inputs), or removes it with
 * NULL. Allowed in every state and inside callbacks; iothub_options.user stays the same.
 *
 * If the client is connected, it subscribes or unsubscribes immediately; otherwise it does so on
 * the next connection. A client that has all its callbacks from the beginning sends no packet more.
 *
 * After a callback was removed, it is not called any more; but with a runner, a call that has begun
 * before may still be running on the runner's thread. A message that arrives before the hub has
 * processed the UNSUBSCRIBE is acknowledged, counted as iothub_stats.ignored and logged. Messages
 * that the old callback has deferred can still be accepted.
 *
 * @param c    the client
 * @param c2d  the callback; NULL: none
 * @return     IOTHUB_OK, or an error if c is not a client
 */
iothub_result iothub_set_c2d_callback(iothub_client *c, iothub_c2d_callback *c2d);

/**
 * Works like iothub_set_c2d_callback, but for desired properties. A new callback first receives the
 * complete document, which the client requests when the hub has confirmed the subscription.
 *
 * @param c        the client
 * @param desired  the callback; NULL: none
 * @return         IOTHUB_OK, or an error if c is not a client
 */
iothub_result iothub_set_desired_callback(iothub_client *c, iothub_desired_callback *desired);

/**
 * Works like iothub_set_c2d_callback, but for direct methods. Calls that the old callback has
 * received can still be answered.
 *
 * @param c       the client
 * @param method  the callback; NULL: none
 * @return        IOTHUB_OK, or an error if c is not a client
 */
iothub_result iothub_set_method_callback(iothub_client *c, iothub_method_callback *method);

/**
 * Returns why the latest refused call on a client was refused. The text names the argument at
 * fault.
 *
 * The value is meaningful only after a call was refused. If the client has a runner, the value is
 * about the calling thread's latest refused call on any client with a runner.
 *
 * @param c  the client; may be NULL
 * @return never NULL; valid until the next call
 */
const iothub_error *iothub_last_error(const iothub_client *c);

/**
 * Returns the current state of the client.
 *
 * @param c  the client; may be NULL
 * @return the state; IOTHUB_STOPPED if c is not an initialised client
 */
iothub_state iothub_get_state(const iothub_client *c);

/**
 * Returns the name of a state, for logs.
 *
 * @param s  any value
 * @return a static text, never NULL
 */
const char *iothub_state_str(iothub_state s);

/* --- driving the client ---------------------------------------------------------- */

/** Number of slots in iothub_poll: one for the connection, and one for the connection that is to
 * replace it or for the Device Provisioning Service, in any order. */
#define IOTHUB_POLL_FDS 2

/** What an application waits for between two calls of iothub_process. */
typedef struct iothub_poll {
    /**
     * Descriptors, and the events to watch them for (platform/stream.h). A slot whose fd is -1 is
     * empty. The generation changes whenever a slot gets another open file than before, also if
     * the number of the descriptor is the same. plat_poll_set_update accepts this array. ready_now
     * and wake_at_ms may be ignored, since timeout_ms takes them into account.
     */
    plat_poll fds[IOTHUB_POLL_FDS];
    /** Call iothub_process after this many milliseconds at the latest; 0: now; -1: there is no
     * deadline. */
    int timeout_ms;
} iothub_poll;

/**
 * iothub_poll_info for a struct of any size; see "Sizes of structs" above.
 *
 * @param c            as there
 * @param[out] out     as there
 * @param struct_size  sizeof *out of the application
 */
void iothub_poll_info_sized(iothub_client *c, iothub_poll *out, size_t struct_size);

/**
 * Reports what to wait for before the next iothub_process. Never blocks.
 *
 * Rules for an event loop of the application; samples/event_loop.c (poll) and samples/epoll_loop.c
 * show complete ones:
 * - Call this function after each iothub_process and before each sleep, since requests change the
 *   answer, too. Apply each answer before you make the next call.
 * - Call iothub_process when a descriptor is ready in any way, including errors and hang-ups, or
 *   when timeout_ms have passed since this call, whichever comes first. A call without need does no
 *   harm.
 * - A loop that remembers descriptors (epoll, kqueue, libuv) compares each slot with the previous
 *   answer. If fd or generation differs, stop watching the old descriptor and start watching the
 * new one. If only want_read or want_write differs, change these (EPOLL_CTL_MOD, uv_poll_start).
 * - The two slots are independent, and their order means nothing. A descriptor stays in its slot as
 *   long as it is open.
 * - While a client connects, its descriptor changes several times: one for the look-up of the host
 *   name, then a socket for each address that it tries. A renewal uses the second slot in addition
 * to the first; afterwards the first is empty, and the next renewal uses it.
 * - A descriptor stays open until the call after the one that no longer shows it. So you can always
 *   stop watching before the file is closed, as libuv requires, and no number is used again while
 * it is watched. The connection itself is closed immediately. The call that no longer shows a
 *   descriptor returns timeout_ms 0, so that it is closed soon.
 * - iothub_deinit, iothub_free and iothub_runner_start close descriptors immediately: stop watching
 *   before you call them.
 * - Watch level-triggered, which is the default. EPOLLET does not work, nor does EPOLLONESHOT
 * without a new EPOLL_CTL_MOD after each iothub_process, because one call does not always read
 * everything that has arrived. EPOLLEXCLUSIVE is useless, since a client is used by one thread.
 * - Watch a descriptor for one slot of one client, and never a duplicate (dup) of it.
 *
 * While many messages are in flight, a descriptor may become readable only after several
 * acknowledgements have arrived, or after timeout_ms, which is then at most 2.
 *
 * On Linux the time-outs of poll and epoll stop while the system is suspended, but timeout_ms does
 * not. On a device that is suspended, an event loop should call iothub_process when the device
 * resumes, e.g. with a timerfd of CLOCK_REALTIME and TFD_TIMER_CANCEL_ON_SET, which then becomes
 * readable. iothub_wait, the runner and platform/poll_set.h do this.
 *
 * @param c         the client
 * @param[out] out  the answer; nothing to wait for if c is not an initialised client
 */
static inline void iothub_poll_info(iothub_client *c, iothub_poll *out)
{
    iothub_poll_info_sized(c, out, sizeof *out);
}

/**
 * Does all work that is due, calls the callbacks, and returns. Never blocks.
 *
 * If requests were queued since the last call, it sends them first and leaves reading to the next
 * call. A lost connection is not an error of this function; the status callback reports it.
 *
 * @param c  the client
 * @retval IOTHUB_ERR_STATE  the call was made inside a callback, or a runner drives the client
 */
iothub_result iothub_process(iothub_client *c);

/**
 * Sleeps until there is work to do, then calls iothub_process.
 *
 * @param c       the client
 * @param max_ms  longest sleep in milliseconds; 0: no sleep
 * @return the result of iothub_process
 */
iothub_result iothub_wait(iothub_client *c, uint32_t max_ms);

/* --- cloud-to-device messages ---------------------------------------------------- */

/**
 * Accepts a message that the c2d callback has deferred. Messages may be accepted in any order; the
 * hub receives the acknowledgements in the order in which the messages arrived.
 *
 * @param c         the client
 * @param delivery  the number from iothub_message_delivery
 * @retval IOTHUB_ERR_EXPIRED  the connection that the message arrived on has ended; the hub sends
 *                             the message again
 */
iothub_result iothub_message_accept(iothub_client *c, uint32_t delivery);

/* --- device twin ----------------------------------------------------------------- */

/**
 * Requests the whole twin. The done callback receives {"desired":{..},"reported":{..}} in
 * iothub_done.body.
 *
 * If the hub answers with 429 or 5xx, the client repeats the request, with back-off, until
 * request_timeout_ms have passed. Any other answer is final. A twin that is larger than rx_size
 * ends the request with IOTHUB_ERR_TOO_BIG and without a body; the log gives its size.
 *
 * If the answer shows that the hub has changed desired properties without notifying the client, the
 * client passes the document to the desired callback. An application can guard against lost
 * notifications with a request from time to time.
 *
 * @param c        the client
 * @param tag      passed to the done callback
 * @param[out] op  number of the request; may be NULL
 * @retval IOTHUB_ERR_NO_SPACE  too many twin requests are open
 */
iothub_result iothub_twin_get(iothub_client *c, void *tag, iothub_op *op);

/**
 * Merges a JSON object into the reported properties; a value of null deletes a property.
 *
 * Reports reach the hub in order, one at a time. Answers of 429 and 5xx are handled as in
 * iothub_twin_get, and later twin requests wait meanwhile.
 *
 * @param c        the client
 * @param json     the object; it is copied
 * @param len      its length in bytes; do not count the NUL at the end of a C string
 * @param tag      passed to the done callback
 * @param[out] op  number of the request; may be NULL
 * @retval IOTHUB_ERR_JSON      not a JSON object; iothub_last_error gives the position of the fault
 *                              in bytes, counted from 0
 * @retval IOTHUB_ERR_TOO_BIG   larger than request_size
 * @retval IOTHUB_ERR_NO_SPACE  too many twin requests are open
 */
iothub_result iothub_twin_report(iothub_client *c, const void *json, size_t len, void *tag,
                                 iothub_op *op);

/* --- direct methods -------------------------------------------------------------- */

/** Largest answer to a method call in bytes. A limit of the hub. */
#define IOTHUB_METHOD_PAYLOAD_MAX (128u * 1024u)

/**
 * Answers a method call, inside the method callback or later. The answer itself is a request: it
 * ends with IOTHUB_OK when it was sent, and with IOTHUB_ERR_CANCELLED if the connection is lost
 * first.
 *
 * @param c        the client
 * @param token    from iothub_method_call
 * @param status   any number; the caller at the hub receives it
 * @param json     JSON; it is copied
 * @param len      its length in bytes; 0: no payload
 * @param tag      passed to the done callback
 * @param[out] op  number of the request; may be NULL
 * @retval IOTHUB_ERR_TOO_BIG   larger than IOTHUB_METHOD_PAYLOAD_MAX or request_size
 * @retval IOTHUB_ERR_JSON      not JSON
 * @retval IOTHUB_ERR_EXPIRED   too late: the connection that the call arrived on has ended, or 300
 * s have passed since the call
 * @retval IOTHUB_ERR_STATE     the call was answered before
 * @retval IOTHUB_ERR_NO_SPACE  too many answers wait to be sent
 */
iothub_result iothub_method_respond(iothub_client *c, const iothub_method_token *token, int status,
                                    const void *json, size_t len, void *tag, iothub_op *op);

#ifdef __cplusplus
}
#endif
#endif
