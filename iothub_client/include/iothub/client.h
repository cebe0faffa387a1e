#ifndef IOTHUB_CLIENT_H
#define IOTHUB_CLIENT_H

/**
 * @file
 * A device or module that talks to a hub.
 *
 *     iothub_options o;
 *     iothub_options_init(&o);           defaults, then your callbacks
 *     c = iothub_new(connection_string, &o, &error);
 *     iothub_start(c);
 *     iothub_send_telemetry(c, &t, NULL);
 *     for (;;) iothub_wait(c, 1000);     or poll_info and process in a loop of your own
 *
 * Contracts:
 * - A request that returned IOTHUB_OK is copied, and ends in exactly one `done`,
 *   also when the client stops (IOTHUB_ERR_CANCELLED).  A refused one gets none.
 * - Telemetry of a client with a store (options.store) outlives stop and process: see there.
 * - Requests are taken while disconnected, and even before iothub_start.
 * - A client that is NULL gets IOTHUB_ERR_ARG from every function that returns a result, and one
 *   that was not initialised, or has ended, IOTHUB_ERR_STATE; the others do nothing then.
 *   Pointers marked "may be NULL" may be; any other that is NULL is IOTHUB_ERR_ARG.
 * - A program that has set callbacks or made requests, and has not called iothub_start or does not
 *   drive its client 3 s later, gets one line in the log that says which, from the next call that
 *   it makes, or from iothub_deinit.
 * - One client belongs to one thread at a time, unless a runner drives it: iothub/runner.h.
 * - No heap is used after iothub_init by the SDK's own code; the platform's resolver
 *   allocates while connecting, and wolfSSL then and for the TLS records it takes in.
 */

#include "iothub/message.h"
#include "iothub/options.h"
#include "platform/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Prepare *c.  Nothing is sent until iothub_start.  What *c held before does not matter, but it
 * must not be a client that lives: iothub_deinit ends that one first.
 *
 * @param connection_string  "HostName=..;DeviceId=..;SharedAccessKey=..", or with
 *                           SharedAccessSignature; copied into memory
 * @param memory  every buffer the client will ever use; at least IOTHUB_MEMORY_SIZE
 *                of the sizes in *o; belongs to the client until iothub_deinit
 * @retval IOTHUB_ERR_MEMORY  for names this long it is not enough; the text tells by how many bytes
 */
iothub_result iothub_init(iothub_client *c, const char *connection_string, const iothub_options *o,
                          void *memory, size_t memory_len, iothub_error *error);

/**
 * Drop the connection at once.  Requests still open get their `done` before it returns;
 * new ones are refused with IOTHUB_ERR_STATE by then.  Does nothing to what is no client.
 *
 * Inside a callback of this client it is refused: nothing happens, iothub_last_error and a line of
 * the log (error) say so.  Leave a note for the loop, and call it when iothub_process has returned.
 */
void iothub_deinit(iothub_client *c);

/**
 * iothub_init on the heap, with as much memory as the names take.  NULL: refused, and *error says
 * why; it is the only way to learn that.
 */
iothub_client *iothub_new(const char *connection_string, const iothub_options *o,
                          iothub_error *error);

/**
 * iothub_deinit, and give the memory back; NULL is fine.  Refused inside a callback, as
 * iothub_deinit is: the client lives on, and must be freed later.  Of a client of iothub_init the
 * memory stays the caller's.
 */
void iothub_free(iothub_client *c);

/**
 * Connect and stay connected until iothub_stop.  Begins with the next iothub_process.
 * @retval IOTHUB_ERR_STATE  started already, though perhaps not connected yet
 */
iothub_result iothub_start(iothub_client *c);

/**
 * Send what is queued for up to grace_ms, DISCONNECT, end what is left with
 * IOTHUB_ERR_CANCELLED; at once when not started.  Over when the state is IOTHUB_STOPPED: keep
 * calling iothub_process until then.  What is accepted meanwhile shares the grace; later
 * requests wait for the next iothub_start.
 *
 * Telemetry in a store does not end with a stop: the grace is for what is on its way to the hub,
 * the rest goes on with the next iothub_start, or ends with IOTHUB_KEPT in iothub_deinit.
 */
iothub_result iothub_stop(iothub_client *c, uint32_t grace_ms);

/**
 * Connect anew without delay, e.g. when the network is back or has changed.  IOTHUB_WAITING:
 * the wait ends.  IOTHUB_CONNECTED: as a renewal, the new connection is made before the
 * old one is given up, with a new token when there is a key.
 * @retval IOTHUB_ERR_STATE  in the other states: not started, or on its way already
 */
iothub_result iothub_reconnect_now(iothub_client *c);

/**
 * Replace a SharedAccessSignature given ready-made; used from the next connection on.
 * Refused when the client has a key, or the token is for another resource.
 * @retval IOTHUB_ERR_MEMORY  over 128 bytes longer than the first, and no memory left for it
 */
iothub_result iothub_set_token(iothub_client *c, const char *shared_access_signature);

/**
 * Why the latest refused call on c was refused; of value only after a call that was.  Never NULL,
 * also for a client that is.  The text names the argument at fault.  With a runner it is about the
 * calling thread's latest one, on any client that has a runner.
 */
const iothub_error *iothub_last_error(const iothub_client *c);

/** IOTHUB_STOPPED for what is no client. */
iothub_state iothub_get_state(const iothub_client *c);
const char *iothub_state_str(iothub_state s);

/* --- driving it ------------------------------------------------------------- */

/** The connection, and the one that is being made to take its place, in any order. */
#define IOTHUB_POLL_FDS 2

/** What an application waits for between two calls of iothub_process. */
typedef struct iothub_poll {
    /**
     * Descriptors and the events to watch them for (platform/stream.h).  A slot whose fd is -1 is
     * empty.  generation changes whenever a slot shows another open file than before, even if the
     * number of the descriptor is the same.  plat_poll_set_update takes this array as it is.
     * ready_now and wake_at_ms may be ignored: timeout_ms already takes them into account.
     */
    plat_poll fds[IOTHUB_POLL_FDS];
    /** Milliseconds until iothub_process is due; 0: call it immediately; -1: no deadline. */
    int timeout_ms;
} iothub_poll;

/**
 * What to wait for before the next iothub_process.  Never blocks.
 *
 * For a loop of your own:
 * - Ask after each iothub_process, and before each sleep: requests change the answer, too.  Put
 *   into effect what each call says before the next call; samples/event_loop.c (poll) and
 *   samples/epoll_loop.c show the whole of it.
 * - Call iothub_process when a descriptor is ready in any way, an error or a hang-up among them, or
 *   when timeout_ms have passed since the call, whichever comes first.  It does no harm when there
 *   is nothing to do.
 * - A loop that remembers descriptors, as epoll, kqueue, libuv or select-based ones do, compares
 *   each place with what the last call said: when the generation or fd differs, stop watching the
 *   old one, and begin with the new one; when only the wishes differ, change these (EPOLL_CTL_MOD,
 *   uv_poll_start).  The two places have nothing to do with each other, and their order does not
 *   matter: a descriptor stays in its place as long as it is open.
 * - While a client connects its descriptor changes several times: a look-up of the name, then a
 *   socket for each address that is tried.  A renewal uses the second place beside the first, and
 *   the first is empty afterwards; the next renewal goes the other way.
 * - A descriptor that this function has shown stays open until the call after the one that no
 *   longer shows it: so a watcher is always stopped before the file is closed (libuv demands
 *   that), and a number is never used again while it is watched.  The connection itself ends at
 *   once.  The call that withdraws a descriptor says timeout_ms 0, so that it is closed soon.
 * - iothub_deinit, iothub_free and iothub_runner_start close at once: stop watching before.
 * - Watch level-triggered, as is the default.  Not EPOLLET, nor EPOLLONESHOT without a new
 *   EPOLL_CTL_MOD after each iothub_process: not every turn reads all there is.  EPOLLEXCLUSIVE is
 *   of no use, since a client belongs to one thread.
 * - A watcher belongs to one place of one client.  Do not watch a duplicate (dup) of the number.
 *
 * While many messages are on their way a descriptor may be ready only when several
 * acknowledgements have come, or timeout_ms is over, 2 at most.
 *
 * On Linux the time-outs of poll and epoll stand still while the system is suspended, and
 * timeout_ms does not.  A loop of one's own on a device that is suspended should look again when it
 * resumes, e.g. by a timerfd of CLOCK_REALTIME with TFD_TIMER_CANCEL_ON_SET, which becomes readable
 * then.  iothub_wait, the runner and platform/poll_set.h do.
 */
void iothub_poll_info(iothub_client *c, iothub_poll *out);

/**
 * Do what is to be done now, run callbacks, return.  Never blocks.  After a request that is to
 * send it; what has come meanwhile is read by the next call.  Losing
 * the connection is not an error here: the status callback tells.
 * @retval IOTHUB_ERR_STATE  called from a callback, or a runner drives the client
 */
iothub_result iothub_process(iothub_client *c);

/** Sleep until there is work, at most max_ms (0: no sleep), then iothub_process. */
iothub_result iothub_wait(iothub_client *c, uint32_t max_ms);

/* --- telemetry ----------------------------------------------------------------- */

typedef struct iothub_property {
    const char *name;
    const char *value;
} iothub_property;

/** Outgoing telemetry.  Zero-initialise; absent texts are NULL. */
typedef struct iothub_telemetry {
    const void *body;
    size_t body_len;              /* 0: an empty message, whatever body is */
    const char *content_type;     /* e.g. "application/json" */
    const char *content_encoding; /* e.g. "utf-8" */
    const char *message_id;       /* up to 128 of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ ' */
                                  /* NULL, with a store: an id that a repeat has too */
    const char *correlation_id;
    const char *user_id;
    const char *creation_time; /* "2026-01-31T12:00:00Z" */
    const char *component;     /* Plug and Play */
    const char *output;        /* modules */
    bool security_message;     /* for Defender for IoT */
    bool at_most_once; /* QoS 0: done when it has left; default QoS 1: done when acknowledged */
    uint32_t ttl_ms;   /* give up when not sent by then; 0: never */
    const iothub_property *properties; /* UTF-8; names unique, not empty, not beginning "$." */
    size_t property_count;
    void *tag; /* comes back in iothub_done */
} iothub_telemetry;

#define IOTHUB_MESSAGE_MAX (256u * 1024u) /* body, system property values, names and values */

/**
 * Queue a message.  With options.store it is in the store when this returns IOTHUB_OK, with all
 * that the store promises; this call may wait for the disk then.
 *
 * Without a message_id of its own, a stored message gets "<id of the store>-<number>", the same
 * in every repeat, also after a crash: a receiver drops duplicates by it.
 *
 * @param[out] op  may be NULL
 * @retval IOTHUB_ERR_NO_SPACE  the queue is full: tx_size by messages without acknowledgement, a
 *                              limit in the options, the disk
 * @retval IOTHUB_ERR_TOO_BIG   over IOTHUB_MESSAGE_MAX, tx_size or queue_max_bytes
 * @retval IOTHUB_ERR_ARG       a property that cannot be sent; iothub_last_error names it
 * @retval IOTHUB_ERR_STORE     the store failed; iothub_last_error has its text
 */
iothub_result iothub_send_telemetry(iothub_client *c, const iothub_telemetry *t, iothub_op *op);

/**
 * Give up all telemetry that is not on its way to the hub: it ends with IOTHUB_ERR_DROPPED, some at
 * a time in each iothub_process.  What a process that ends before leaves in its store is sent
 * by the next one.
 * @param[out] count  how many; may be NULL
 */
iothub_result iothub_purge(iothub_client *c, uint64_t *count);

/* --- cloud-to-device messages ------------------------------------------------------ */

/**
 * Accept a message that was deferred.  In any order; the hub hears of it in the order of
 * arrival.
 * @retval IOTHUB_ERR_EXPIRED  the connection it came on is gone; the hub sends it again
 */
iothub_result iothub_message_accept(iothub_client *c, uint32_t delivery);

/* --- device twin ------------------------------------------------------------------- */

/*
 * A request that the hub answers with 429 or 5xx is sent again, with back-off, until
 * request_timeout_ms have passed; the others wait behind it.  Any other answer is final.
 */

/**
 * Ask for the whole twin: {"desired":{..},"reported":{..}} in done.body.  One larger than
 * rx_size ends with IOTHUB_ERR_TOO_BIG and no body; how large it is stands in the log.
 *
 * When its version shows that a desired change was never notified, the desired callback gets
 * the document soon after: asking now and then guards against a hub that loses notifications.
 */
iothub_result iothub_twin_get(iothub_client *c, void *tag, iothub_op *op);

/**
 * Merge a JSON object into the reported properties; null deletes.
 * Reports reach the hub in order, one at a time.
 * @retval IOTHUB_ERR_JSON  not a JSON object; iothub_last_error names the byte, counted from 0.
 *                          len does not count the NUL at the end of a C string
 */
iothub_result iothub_twin_report(iothub_client *c, const void *json, size_t len, void *tag,
                                 iothub_op *op);

/* --- direct methods ------------------------------------------------------------------- */

#define IOTHUB_METHOD_PAYLOAD_MAX (128u * 1024u)

/**
 * Answer a method, from the callback or later.  Its `done` says that the answer has left;
 * IOTHUB_ERR_CANCELLED when the connection broke first.
 *
 * @param json  JSON, or empty (len 0)
 * @retval IOTHUB_ERR_TOO_BIG  over IOTHUB_METHOD_PAYLOAD_MAX, or over request_size
 * @retval IOTHUB_ERR_EXPIRED  too late: the connection is gone, or 300 s have passed
 * @retval IOTHUB_ERR_STATE    answered before
 */
iothub_result iothub_method_respond(iothub_client *c, const iothub_method_token *token, int status,
                                    const void *json, size_t len, void *tag, iothub_op *op);

/* --- statistics ------------------------------------------------------------------------ */

/** Counters since iothub_init; all 0 for what is no client. */
typedef struct iothub_stats {
    uint64_t connects;        /* times IOTHUB_CONNECTED was reached */
    uint64_t failed_attempts; /* attempts that did not get there */
    uint64_t losses;          /* connections lost after that */
    uint64_t ack_timeouts;    /* connections given up because the hub owed an acknowledgement for
                                 ack_timeout_ms; each is a loss or a failed attempt, too */
    uint64_t read_stalls;     /* connections given up because reading stood still for
                                 stall_timeout_ms; likewise */
    uint64_t token_renewals;  /* planned changes of the connection that were completed: for a
                                 new token, or by iothub_reconnect_now */
    /* Of these: from the last moment that the old connection took telemetry to CONNACK on
     * the new one. */
    uint64_t renewal_gap_last_ms;
    uint64_t renewal_gap_longest_ms;
    uint64_t renewal_gap_sum_ms;
    uint64_t tls_resumptions; /* connections that took up an earlier TLS session */
    uint64_t bytes_sent;      /* MQTT bytes, before TLS */
    uint64_t bytes_received;
    uint64_t send_calls; /* of the stream: telemetry_acknowledged / send_calls shows the batches */
    uint64_t recv_calls;
    /* accepted + found = acknowledged + expired + dropped + cancelled + kept + queued */
    uint64_t telemetry_accepted;
    uint64_t telemetry_found;        /* in the store at iothub_init */
    uint64_t telemetry_stored;       /* in the store since then */
    uint64_t telemetry_sent;         /* acknowledged, or waiting for that */
    uint64_t telemetry_acknowledged; /* QoS 1 acknowledged, QoS 0 left */
    uint64_t telemetry_expired;
    uint64_t telemetry_dropped; /* to make room, or by iothub_purge */
    uint64_t telemetry_cancelled;
    uint64_t telemetry_kept; /* in the store when the client ended */
    uint64_t store_errors;   /* failed calls of the store; those not refused are tried again */
    uint64_t c2d_received;
    uint64_t c2d_accepted;
    uint64_t c2d_oversize; /* skipped: larger than rx_size */
    uint64_t methods_received;
    uint64_t methods_answered;
    uint64_t desired_delivered;
    uint64_t desired_duplicates; /* patches with a version already seen */
    uint64_t desired_gaps;       /* versions missing or going back: the twin was fetched again */
    uint64_t twin_retries;       /* twin requests that the hub wanted to have again later */
    uint64_t ignored;            /* messages on topics or with ids that nobody asked for, or for
                                    a feature without callback, or larger than rx_size and no C2D;
                                    those at QoS 1 were acknowledged */
    uint64_t queued;             /* telemetry not finished, now */
    uint64_t queued_bytes;
} iothub_stats;

void iothub_get_stats(const iothub_client *c, iothub_stats *out);

#ifdef __cplusplus
}
#endif
#endif
