#ifndef HUB_AMQP_REFUSAL_H
#define HUB_AMQP_REFUSAL_H

/**
 * @file Answers an AMQP 1.0 client until it can be refused with amqp:not-implemented. The vendor's
 * service SDKs take a closed connection for a bad network and retry for minutes, but stop at this
 * error. Bytes in, bytes out.
 */

#include <stdint.h>

#include "base/text.h"

typedef enum amqp_refusal_state {
    AMQP_REFUSAL_HEADER = 0, /* expects the protocol header, with or without SASL */
    AMQP_REFUSAL_SASL,       /* expects the frame sasl-init */
    AMQP_REFUSAL_SECOND,     /* expects the second protocol header */
    AMQP_REFUSAL_CLOSING,    /* the reason is written; the client should answer and hang up */
    AMQP_REFUSAL_WRONG       /* it is not AMQP: hang up once the answer is sent */
} amqp_refusal_state;

/** How long a client may take to close the connection after it has received the reason. */
#define AMQP_CLOSING_MS 2000

/** Start with { 0 }. */
typedef struct amqp_refusal {
    amqp_refusal_state state;
    uint8_t head[8]; /* the first bytes of a header or frame */
    size_t have;
    size_t skip; /* bytes of a frame that have not arrived yet and will be dropped */
} amqp_refusal;

/**
 * Takes received bytes and adds the answer to out.  What arrives in one of the last two states is
 * dropped.
 */
void amqp_refusal_take(amqp_refusal *r, const void *bytes, size_t len, hub_text *out);

#endif
