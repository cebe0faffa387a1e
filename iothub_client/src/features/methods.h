#ifndef IOTHUB_METHODS_H
#define IOTHUB_METHODS_H

/**
 * @file
 * Direct methods: calls for which the hub waits, and their answers.
 */

#include "context/context.h"

/* Most calls that wait for a later answer; a further call is answered with 503. */
#define METHODS_OPEN_MAX 16

typedef enum method_state {
    METHOD_FREE = 0, /* the slot was never used on this connection */
    METHOD_OPEN,
    METHOD_ANSWERED
} method_state;

typedef struct method_slot {
    uint32_t call;
    unsigned state : 2; /* a method_state */
    /* When the call arrived, in seconds of the monotonic clock, modulo 2^30. */
    unsigned since_s : 30;
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

/**
 * Handles a call. oversize means that its payload could not be received. Returns false if there is
 * no callback.
 */
bool methods_on_call(iothub_methods *f, const topic_parts *p, mqc_span payload, bool oversize);
/** Call it when an answer was sent, or cannot be sent any more. */
void methods_on_done(iothub_methods *f, const mqc_done *m);

/** iothub_method_respond. */
iothub_result methods_respond(iothub_methods *f, const iothub_method_token *token, int status,
                              mqc_span json, void *tag, iothub_op *op);
/** Returns true while a caller may still wait for an answer. */
bool methods_open(const iothub_methods *f);

#ifndef NDEBUG
bool methods_valid(const iothub_methods *f);
#endif

#endif
