#ifndef PLAT_WS_STREAM_H
#define PLAT_WS_STREAM_H

/**
 * @file
 * A WebSocket client over any other stream.
 */

#include "platform/websocket.h"
#include "websocket/ws_input.h"
#include "websocket/ws_output.h"
#include "websocket/ws_upgrade.h"

/** The states of the stream. */
typedef enum plat_ws_state {
    PLAT_WS_CLOSED = 0,
    PLAT_WS_LOWER,   /* the stream below is being opened */
    PLAT_WS_UPGRADE, /* the request is being sent, or the answer is awaited */
    PLAT_WS_OPEN,
    PLAT_WS_FAILED /* every call returns the failure again, until close */
} plat_ws_state;

/** Longest text of a failure in bytes. */
#define PLAT_WS_DETAIL_MAX 223

/** A WebSocket. Only ws_stream.c writes its members. */
typedef struct plat_ws_stream {
    plat_stream base;
    plat_stream *lower; /* owned */
    const plat_crypto *crypto;
    plat_ws_state state;
    plat_stage failed_in;
    plat_result failure;
    bool below_failed; /* the stream below has the text of the failure */
    bool has_identity; /* the stream below presents a client certificate */
    const char *host;  /* belongs to the caller of open */
    uint16_t port;
    /* From the state LOWER until the frames that were received with the answer were read. */
    plat_ws_upgrade *upgrade;
    size_t request_sent;   /* number of bytes of the request that were sent */
    plat_ws_input input;   /* used in the state OPEN */
    plat_ws_output output; /* used in the state OPEN */
    char detail[PLAT_WS_DETAIL_MAX + 1];
    char subprotocol[PLAT_WS_SUBPROTOCOL_MAX + 1];
    char path[PLAT_WEBSOCKET_PATH_MAX + 1];
    char query[PLAT_WEBSOCKET_PATH_MAX + 1]; /* appended to path without a client certificate */
} plat_ws_stream;

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_ws_stream_valid(const plat_ws_stream *s);
#endif

#endif
