#ifndef IOTHUB_TWIN_H
#define IOTHUB_TWIN_H

/**
 * @file
 * The device twin: requests of the application, and a GET of the client itself after each connect
 * and whenever a version of the desired properties is missing.
 */

#include "context/context.h"
#include "context/deadline.h"

typedef struct iothub_twin {
    iothub_context *context;
    uint64_t version;    /* last version that was delivered; 0: none */
    uint64_t newest;     /* highest version seen while the client's own GET is unanswered */
    mqc_time retry_at;   /* when to send the client's own GET again; IOTHUB_NEVER: not scheduled */
    mqc_time hold_until; /* requests are held back until this time; IOTHUB_NEVER: they are sent */
    uint32_t failures;   /* number of consecutive answers that cannot be used */
    /* Generation of the connection on which the client's own GET was queued. */
    uint32_t requested_generation;
    iothub_op later_op; /* the request that the hub last refused (throttling) */
    int later_status;   /* the status of that refusal */
    bool requested;     /* the client's own GET is unanswered */
    bool starved;       /* the client's own GET found the lane full */
    bool expected;      /* a new callback has not received a document, and none was requested yet */
    bool oversize;      /* it was reported on this connection that the document is too large */

    uint64_t delivered;
    uint64_t duplicates;
    uint64_t gaps;
    uint64_t retries;
} iothub_twin;

void twin_init(iothub_twin *f, iothub_context *context);

/** Implement iothub_twin_get and iothub_twin_report. */
iothub_result twin_queue_get(iothub_twin *f, void *tag, iothub_op *op);
iothub_result twin_queue_report(iothub_twin *f, mqc_span json, void *tag, iothub_op *op);

/** Call it when the hub has begun to send changes: requests the document. */
void twin_on_connected(iothub_twin *f);
/** Call it when a new callback was set: patches wait until it has received a document. */
void twin_expect_document(iothub_twin *f);
/**
 * Handles an answer. fault is the reason why the body could not be received; NULL: it was received.
 */
void twin_on_response(iothub_twin *f, const topic_parts *p, mqc_span body,
                      const iothub_error *fault);
/** Handles a change; fault as above. Returns false if there is no callback. */
bool twin_on_desired(iothub_twin *f, const topic_parts *p, mqc_span json,
                     const iothub_error *fault);
/** Call it when a request has ended without an answer. */
void twin_on_done(iothub_twin *f, const mqc_done *m);

/** Returns true while a GET of the client itself is unanswered. */
static inline bool twin_has_own_request(const iothub_twin *f)
{
    return f->requested;
}

void twin_look(iothub_twin *f, mqc_time now);
static inline void twin_on_time(iothub_twin *f, mqc_time now)
{
    if (now >= f->hold_until || now >= f->retry_at) {
        twin_look(f, now);
    }
}
mqc_time twin_deadline(const iothub_twin *f);

#ifndef NDEBUG
bool twin_valid(const iothub_twin *f);
#endif

#endif
