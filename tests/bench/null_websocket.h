#ifndef NULL_WEBSOCKET_H
#define NULL_WEBSOCKET_H

/**
 * @file
 * The server side of a WebSocket for the null broker: it accepts every upgrade, unmasks the frames
 * of the client in place, and puts each write into one frame. It expects a client that follows the
 * rules.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { NULL_WS_REQUEST = 2048, NULL_WS_FRAME = 16384, NULL_WS_HEADER = 4 };

typedef struct null_websocket {
    bool open;          /* the upgrade is complete */
    size_t request_len; /* bytes of the request that have arrived */
    uint8_t head[14];   /* start of a frame whose header is incomplete */
    size_t head_len;    /* number of bytes in head; 0: inside of a frame, or at its start */
    uint64_t left;      /* number of bytes of the current frame that have not arrived */
    size_t masked;      /* number of its bytes that have arrived, modulo 4 */
    uint8_t mask[4];
    size_t frame_at;    /* bytes of frame that were written */
    size_t frame_len;   /* 0: no write is in progress */
    size_t content_len; /* number of bytes of content in frame */
    uint8_t frame[NULL_WS_FRAME];
    char request[NULL_WS_REQUEST];
} null_websocket;

/**
 * Takes bytes of the request from the beginning of bytes. Returns their number. If that completes
 * the request, `open` becomes true, and the answer is in `frame` and has to be written.
 */
size_t null_websocket_upgrade(null_websocket *w, const uint8_t *bytes, size_t len);

/** Replaces frames by their content. Returns the length of the content. */
size_t null_websocket_decode(null_websocket *w, uint8_t *bytes, size_t len);

/** Prepares a frame with as much of the data as fits. */
void null_websocket_encode(null_websocket *w, const uint8_t *data, size_t len);

#endif
