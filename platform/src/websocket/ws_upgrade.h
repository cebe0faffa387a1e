#ifndef PLAT_WS_UPGRADE_H
#define PLAT_WS_UPGRADE_H

/**
 * @file
 * The HTTP/1.1 upgrade that opens a WebSocket (RFC 6455 section 4.1), without I/O: the text of the
 * request, and the check of the answer.
 *
 * The answer is read strictly. Its head is limited; lines end with CRLF; folded lines, malformed
 * names and control characters are refused. Status 101 is required, Upgrade, Connection and
 * Sec-WebSocket-Accept must fit, exactly the requested subprotocol must be selected, and no
 * extension is accepted, because none was offered.
 */

#include <stdbool.h>

#include "platform/platform.h"

/** Longest head of an answer in bytes. */
#define PLAT_WS_HEAD_MAX 4096

/** Longest host name or address. */
#define PLAT_WS_HOST_MAX 255

/** Longest subprotocol. */
#define PLAT_WS_SUBPROTOCOL_MAX 31

#define PLAT_WS_REQUEST_MAX (PLAT_WEBSOCKET_PATH_MAX + PLAT_WS_HOST_MAX + 256)

/** Characters of base64 for 20 bytes. */
#define PLAT_WS_ACCEPT 28

/** What the request asks for. The texts must stay valid until the answer was read. */
typedef struct plat_ws_target {
    const char *host;
    const char *path;
    const char *query; /* appended to path */
    const char *subprotocol;
    uint16_t port;
} plat_ws_target;

/** An upgrade. Only ws_upgrade.c writes its members, except that the caller writes to head. */
typedef struct plat_ws_upgrade {
    const char *subprotocol;
    const char *fault; /* reason of a refusal: a clause that follows "the server" */
    int status;        /* the status of a refusal that HTTP allows; 0: the answer is not valid */
    size_t request_len;
    size_t head_len; /* bytes in head */
    size_t head_end; /* after success: length of the head; frames may follow it */
    size_t searched; /* index of the first byte of head that no earlier call has looked at */
    char accept[PLAT_WS_ACCEPT + 1];
    char request[PLAT_WS_REQUEST_MAX];
    uint8_t head[PLAT_WS_HEAD_MAX];
} plat_ws_upgrade;

/** Returns whether a path with its query may be asked for. */
bool plat_ws_path_is_valid(const char *path);

/** Returns whether a text is a token of HTTP, as subprotocols are. */
bool plat_ws_is_token(const char *text);

/**
 * Writes the request.
 * @retval PLAT_ERR_ARG     the host is not a name or address
 * @retval PLAT_ERR_CRYPTO  there is no entropy, or the crypto library failed
 */
plat_result plat_ws_upgrade_begin(plat_ws_upgrade *u, const plat_crypto *crypto,
                                  const plat_ws_target *target);

/**
 * Reads bytes that the caller has appended to head; there must be room for at least one.
 * @param n  their number
 * @retval PLAT_OK               the server has accepted; the bytes from head_end on are frames
 * @retval PLAT_WOULD_BLOCK      the head is incomplete
 * @retval PLAT_ERR_WEBSOCKET    the server has refused, or its answer is not valid
 * @retval PLAT_ERR_UNAVAILABLE  it has refused with status 429 or 5xx
 */
plat_result plat_ws_upgrade_feed(plat_ws_upgrade *u, size_t n);

/** Call it when the server has closed the connection. Sets fault, and returns a failure. */
plat_result plat_ws_upgrade_end(plat_ws_upgrade *u);

/** Returns the meaning of a refusal's status in a few words. */
const char *plat_ws_status_text(int status);

#endif
