#ifndef HUB_WEBSOCKET_LINE_H
#define HUB_WEBSOCKET_LINE_H

/**
 * @file
 * The server's side of WebSocket (RFC 6455) over a TLS line, with wslay, after the upgrade: bytes
 * of MQTT or AMQP in binary messages. It answers pings, and refuses text, frames without a mask and
 * whatever else breaks the protocol with the close code for it.
 *
 * A message is passed on as it arrives, so its length is not limited and it is not kept.
 */

#include "front/tls_line.h"

typedef struct hub_websocket hub_websocket;

/**
 * Starts on a line whose upgrade was accepted. `early` are the bytes that followed the request. On
 * the heap; the line stays the caller's.
 */
hub_websocket *hub_websocket_new(hub_tls_line *line, const void *early, size_t early_len);
/** Frees a WebSocket; w may be NULL. */
void hub_websocket_free(hub_websocket *w);

/**
 * Reads bytes of messages, as hub_tls_line_read does. ENDED: the client has closed, or has broken
 * the protocol; both were answered. Call it in a turn of the line.
 */
hub_tls_state hub_websocket_read(hub_websocket *w, void *buffer, size_t cap, size_t *len,
                                 const char **why);
/** Writes one binary message. */
void hub_websocket_write(hub_websocket *w, const void *data, size_t len);
/** Sends a close frame with code 1000, unless one was sent already. */
void hub_websocket_bye(hub_websocket *w);

#endif
