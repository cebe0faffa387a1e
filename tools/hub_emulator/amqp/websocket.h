#ifndef HUB_WEBSOCKET_H
#define HUB_WEBSOCKET_H

/**
 * @file AMQP over WebSocket (RFC 6455), with the answers of amqp_refusal.h. Bytes in, bytes out.
 */

#include "amqp/amqp_refusal.h"

/** Returns the answer to Sec-WebSocket-Key, on the heap. */
char *websocket_accept(const char *key);
/** True if name is in the comma-separated list of a header; NULL is an empty list. */
bool websocket_names(const char *list, const char *name);

typedef enum websocket_state {
    WEBSOCKET_HEAD = 0, /* a frame begins */
    WEBSOCKET_PAYLOAD,
    WEBSOCKET_OVER /* closed, or the client broke a rule: close the connection after everything was
                      sent */
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

/** Handles bytes from the client after the upgrade and appends the answer to out. */
void websocket_take(websocket *w, const void *bytes, size_t len, hub_text *out);

#endif
