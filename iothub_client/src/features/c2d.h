#ifndef IOTHUB_C2D_H
#define IOTHUB_C2D_H

/**
 * @file
 * Cloud-to-device messages, and for a module the messages for its inputs.
 */

#include "context/context.h"

typedef struct iothub_c2d {
    iothub_context *context;
    uint64_t received;
    uint64_t accepted;
    /* Number of messages that were skipped because they are larger than rx_size. */
    uint64_t oversize;
    uint32_t deferred;   /* number of deferred messages */
    uint32_t generation; /* generation of the connection on which the latest message arrived */
} iothub_c2d;

void c2d_init(iothub_c2d *f, iothub_context *context);

/** Handles a message. Returns false if there is no callback; the message was acknowledged then. */
bool c2d_on_message(iothub_c2d *f, const topic_parts *p, const mqc_message *m);
/** Call it when a message was skipped because it is larger than rx_size. */
void c2d_on_oversize(iothub_c2d *f);

/** iothub_message_accept. */
iothub_result c2d_accept(iothub_c2d *f, uint32_t delivery);
/** Returns the number of deferred messages of this connection. */
uint32_t c2d_deferred(const iothub_c2d *f);

#ifndef NDEBUG
bool c2d_valid(const iothub_c2d *f);
#endif

#endif
