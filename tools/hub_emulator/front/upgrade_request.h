#ifndef HUB_UPGRADE_REQUEST_H
#define HUB_UPGRADE_REQUEST_H

/**
 * @file
 * Reads the first request of a client on the HTTPS port, as far as the front needs it: whether it
 * is a WebSocket upgrade (RFC 6455, section 4.2.1) on the path of the hub. Every other request
 * belongs to the HTTP server, which reads it again.
 */

#include <stddef.h>

#include "base/text.h"

/** The path on which the hub and the provisioning service accept WebSocket. */
#define HUB_UPGRADE_PATH "/$iothub/websocket"
/** The largest head of an upgrade request, in bytes. */
#define HUB_UPGRADE_HEAD_MAX 8192
/** Characters of a Sec-WebSocket-Key: 16 bytes in base64. */
#define HUB_UPGRADE_KEY_LEN 24
/** Most characters of the name of a subprotocol that is accepted. */
#define HUB_UPGRADE_PROTOCOL_MAX 9

typedef enum hub_upgrade_kind {
    HUB_UPGRADE_PART = 0, /* more bytes are needed */
    HUB_UPGRADE_OTHER,    /* a request for the HTTP server */
    HUB_UPGRADE_MQTT,     /* to the subprotocol mqtt */
    HUB_UPGRADE_AMQP,     /* to the subprotocol AMQPWSB10 */
    HUB_UPGRADE_WRONG     /* an upgrade on this path that must be refused */
} hub_upgrade_kind;

typedef struct hub_upgrade_request {
    /* Length of the head of an MQTT or AMQP request; the bytes after it are frames. */
    size_t head_len;
    char key[HUB_UPGRADE_KEY_LEN + 1]; /* MQTT, AMQP */
    /* MQTT, AMQP: the name of the subprotocol as the client writes it. */
    char protocol[HUB_UPGRADE_PROTOCOL_MAX + 1];
    unsigned status; /* WRONG: the HTTP status of the refusal */
    const char *why; /* WRONG: the text of the refusal, a constant */
} hub_upgrade_request;

/**
 * Reads the request at the beginning of these bytes. It is OTHER as soon as its method or path is
 * not that of an upgrade, even if its head is not complete.
 */
hub_upgrade_kind hub_upgrade_read(hub_upgrade_request *out, const char *bytes, size_t len);

/** Appends the answer 101 to an MQTT or AMQP request. */
void hub_upgrade_accept(const hub_upgrade_request *r, hub_text *out);
/** Appends an answer that refuses, with the status and text of a WRONG request. */
void hub_upgrade_refuse(unsigned status, const char *why, hub_text *out);

#endif
