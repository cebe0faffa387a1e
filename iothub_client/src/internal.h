#ifndef IOTHUB_INTERNAL_H
#define IOTHUB_INTERNAL_H

/**
 * @file
 * What the files of the client call in each other, one block a file.
 */

#include "client_struct.h"
#include "connection/life.h"
#include "connection/wall_clock.h"
#include "context/result_map.h"
#include "hub/topics.h"
#include "text/text_writer.h"

/** What the log says once may be noted by functions that only look. */
static inline iothub_client *client_own(const iothub_client *c)
{
    const union {
        const iothub_client *seen;
        iothub_client *own;
    } both = { c };
    return both.own;
}

/* telemetry_end.c */
/** Count a message that has ended. */
void telemetry_count_end(iothub_client *c, iothub_result result);

iothub_result telemetry_send(iothub_client *c, const iothub_telemetry *t, iothub_op *op);

/* twin.c */
iothub_result twin_queue_get(iothub_client *c, void *tag, iothub_op *op);
iothub_result twin_queue_report(iothub_client *c, mqc_span json, void *tag, iothub_op *op);
void twin_on_connected(iothub_client *c);
/** fault: why the body could not be received; NULL: it was. */
void twin_on_response(iothub_client *c, const topic_parts *p, mqc_span body,
                      const iothub_error *fault);
void twin_on_desired(iothub_client *c, const topic_parts *p, mqc_span json,
                     const iothub_error *fault);
/** What the hub last said to a request that ends without an answer; 0: nothing. */
int twin_last_status(const iothub_client *c, const mqc_done *m);
/** True when the finished publish was the client's own. */
bool twin_takes_done(iothub_client *c, const mqc_done *m);
void twin_look(iothub_client *c, mqc_time now);
static inline void twin_on_time(iothub_client *c, mqc_time now)
{
    if ((c->twin.hold_until | c->twin.retry_at) != 0) {
        twin_look(c, now);
    }
}
/** 0: the twin does not wait for time. */
mqc_time twin_next_deadline(const iothub_client *c);

/* methods.c */
/** oversize: the payload could not be received. */
void methods_on_call(iothub_client *c, const topic_parts *p, mqc_span payload, bool oversize);
/** Whether somebody may still wait for an answer. */
bool methods_open(const iothub_client *c);

iothub_result methods_respond(iothub_client *c, const iothub_method_token *token, int status,
                              mqc_span json, void *tag, iothub_op *op);

/* c2d.c */
/** How many messages are to be accepted later, on this connection. */
uint32_t c2d_deferred(const iothub_client *c);
iothub_result c2d_accept(iothub_client *c, uint32_t delivery);
void c2d_on_message(iothub_client *c, const topic_parts *p, const mqc_message *m);

#endif
