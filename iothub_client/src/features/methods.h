#ifndef IOTHUB_METHODS_H
#define IOTHUB_METHODS_H

/**
 * @file
 * Direct methods: calls that the hub waits for, and their answers.
 */

#include "context/context.h"

#define METHODS_OPEN_MAX 16 /* calls answered later; one more is refused with 503 */

typedef enum method_state {
    METHOD_FREE = 0, /* the slot was never used on this connection */
    METHOD_OPEN,
    METHOD_ANSWERED
} method_state;

typedef struct method_slot {
    uint32_t call;
    unsigned state : 2;    /* a method_state */
    unsigned since_s : 30; /* when the call arrived: seconds of the monotonic clock, modulo 2^30 */
} method_slot;

typedef struct iothub_methods {
    iothub_context *context;
    uint64_t received;
    uint64_t answered;
    method_slot slots[METHODS_OPEN_MAX];
    uint32_t generation; /* generation of the connection that the slots belong to */
    uint32_t last_call;  /* number of the latest call */
} iothub_methods;

void methods_init(iothub_methods *f, iothub_context *context);

/** A call arrived; oversize: its payload could not be received.  False: there is no callback. */
bool methods_on_call(iothub_methods *f, const topic_parts *p, mqc_span payload, bool oversize);
/** An answer was sent, or cannot be sent any more. */
void methods_on_done(iothub_methods *f, const mqc_done *m);

/** iothub_method_respond. */
iothub_result methods_respond(iothub_methods *f, const iothub_method_token *token, int status,
                              mqc_span json, void *tag, iothub_op *op);
/** True while somebody may wait for an answer. */
bool methods_open(const iothub_methods *f);

#ifndef NDEBUG
bool methods_valid(const iothub_methods *f);
#endif

#endif
