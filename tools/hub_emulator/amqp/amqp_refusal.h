#ifndef HUB_AMQP_REFUSAL_H
#define HUB_AMQP_REFUSAL_H

/**
 * @file
 * A conversation with an AMQP 1.0 client up to the point where it can be told why it
 * gets no further: the vendor's service SDKs take a closed connection for a bad network and
 * try again for minutes, but give up at amqp:not-implemented.  Bytes in, bytes out.
 */

#include <stdint.h>

#include "base/text.h"

typedef enum amqp_refusal_state {
    AMQP_REFUSAL_HEADER = 0, /* the protocol header comes next, for SASL or not */
    AMQP_REFUSAL_SASL,       /* the frame sasl-init comes next */
    AMQP_REFUSAL_SECOND,     /* the second protocol header comes next */
    AMQP_REFUSAL_OVER        /* all is said; whatever still comes does not count */
} amqp_refusal_state;

/** Start with { 0 }. */
typedef struct amqp_refusal {
    amqp_refusal_state state;
    uint8_t head[8]; /* the beginning of what comes next */
    size_t have;
    size_t skip; /* bytes of a frame that are left and do not count */
} amqp_refusal;

/** Takes what the client sent, and adds the answer to out. */
void amqp_refusal_take(amqp_refusal *r, const void *bytes, size_t len, hub_text *out);

#endif
