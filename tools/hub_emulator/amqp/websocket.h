#ifndef HUB_WEBSOCKET_H
#define HUB_WEBSOCKET_H

/**
 * @file
 * AMQP over WebSocket (RFC 6455), with the answers of amqp_refusal.h. The functions work on bytes
 * in memory, not on sockets.
 */

#include "amqp/amqp_refusal.h"

/** Returns the value of Sec-WebSocket-Accept for this Sec-WebSocket-Key, on the heap. */
char *websocket_accept(const char *key);
/** Returns true if name is in the comma-separated list of a header. NULL is an empty list. */
bool websocket_names(const char *list, const char *name);

typedef enum websocket_state {
    WEBSOCKET_HEAD = 0, /* expects the start of a frame */
    WEBSOCKET_PAYLOAD,
    /* The session has ended, or the client broke a rule: close the connection when everything
     * was sent. */
    WEBSOCKET_OVER
} websocket_state;

/** The state of one client; initialise it with { 0 }. */
typedef struct websocket {
    websocket_state state;
    uint8_t head[14]; /* the beginning of an incomplete frame */
    size_t have;
    size_t at; /* position in the payload */
    size_t len;
    amqp_refusal refusal;
} websocket;

/** Handles bytes from the client after the upgrade and appends the answer to out. */
void websocket_take(websocket *w, const void *bytes, size_t len, hub_text *out);

#endif
