#ifndef HUB_WEBSOCKET_H
#define HUB_WEBSOCKET_H

/**
 * @file
 * AMQP over WebSocket (RFC 6455), as far as amqp_refusal.h goes.  Bytes in, bytes out.
 */

#include "amqp/amqp_refusal.h"

/** The answer to Sec-WebSocket-Key, on the heap. */
char *websocket_accept(const char *key);
/** Is name one of the comma-separated list of a header?  NULL has none. */
bool websocket_names(const char *list, const char *name);

typedef enum websocket_state {
    WEBSOCKET_HEAD = 0, /* a frame begins */
    WEBSOCKET_PAYLOAD,
    WEBSOCKET_OVER /* closed, or the client broke a rule: hang up once all is sent */
} websocket_state;

/** Start with { 0 }. */
typedef struct websocket {
    websocket_state state;
    uint8_t head[14]; /* the beginning of a frame */
    size_t have;
    size_t at; /* in the payload */
    size_t len;
    amqp_refusal refusal;
} websocket;

/** Takes what the client sent after the upgrade, and adds the answer to out. */
void websocket_take(websocket *w, const void *bytes, size_t len, hub_text *out);

#endif
