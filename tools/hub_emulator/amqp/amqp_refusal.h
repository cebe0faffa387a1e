#ifndef HUB_AMQP_REFUSAL_H
#define HUB_AMQP_REFUSAL_H

/**
 * @file
 * Answers an AMQP 1.0 client until it can be refused with amqp:not-implemented. If the connection
 * is just closed, the vendor's service SDKs assume a bad network and retry for minutes; after this
 * error they stop. The functions work on bytes in memory, not on sockets.
 */

#include <stdint.h>

#include "base/text.h"

typedef enum amqp_refusal_state {
    AMQP_REFUSAL_HEADER = 0, /* expects the protocol header, with or without SASL */
    AMQP_REFUSAL_SASL,       /* expects the frame sasl-init */
    AMQP_REFUSAL_SECOND,     /* expects the second protocol header, which follows the login */
    /* The reason was written; the client should answer and close the connection. */
    AMQP_REFUSAL_CLOSING,
    AMQP_REFUSAL_WRONG /* the bytes are not AMQP: close the connection when the answer was sent */
} amqp_refusal_state;

/**
 * How long a client may take to close the connection after it has received the reason, in
 * milliseconds.
 */
#define AMQP_CLOSING_MS 2000

/** The state of one client; initialise it with { 0 }. */
typedef struct amqp_refusal {
    amqp_refusal_state state;
    uint8_t head[8]; /* the first bytes of an incomplete header or frame */
    size_t have;
    size_t skip; /* bytes of a frame that have not arrived yet and will be dropped */
} amqp_refusal;

/**
 * Handles received bytes and appends the answer to out. In the last two states the bytes are
 * dropped.
 */
void amqp_refusal_take(amqp_refusal *r, const void *bytes, size_t len, hub_text *out);

#endif
