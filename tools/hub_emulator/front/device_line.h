#ifndef HUB_DEVICE_LINE_H
#define HUB_DEVICE_LINE_H

/** @file The side of a client of the front that leads to the client: TLS, and WebSocket after an
 * upgrade. */

#include "front/tls_line.h"
#include "front/upgrade_request.h"
#include "front/websocket_line.h"

typedef struct hub_device_line {
    hub_tls_line tls;
    hub_websocket *websocket; /* the WebSocket over TLS; NULL: none */
} hub_device_line;

/** As hub_tls_line_open. */
bool hub_device_line_open(hub_device_line *line, hub_tls_server *server, int fd);
void hub_device_line_close(hub_device_line *line);

/**
 * Accepts an upgrade. `early` are the bytes that followed the request; they and all later bytes
 * are in frames.
 */
void hub_device_line_upgrade(hub_device_line *line, const hub_upgrade_request *request,
                             const void *early, size_t early_len);
/** Answers an upgrade with an HTTP status. */
void hub_device_line_refuse(hub_device_line *line, unsigned status, const char *why);

/**
 * Appends the certificates of the client after the handshake, as hub_tls_line_peer_chain does.
 * Returns false if they are more than the hub reads, or too long for the password of a CONNECT.
 */
bool hub_device_line_chain(const hub_device_line *line, hub_text *out);

/** Reads what the client has sent, as hub_tls_line_read. */
hub_tls_state hub_device_line_read(hub_device_line *line, void *buffer, size_t cap, size_t *len,
                                   const char **why);
void hub_device_line_write(hub_device_line *line, const void *data, size_t len);
/** Notifies the client that nothing more follows. */
void hub_device_line_bye(hub_device_line *line);

#endif
