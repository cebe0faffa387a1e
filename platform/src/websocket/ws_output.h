#ifndef PLAT_WS_OUTPUT_H
#define PLAT_WS_OUTPUT_H

/**
 * @file
 * Frames that are sent. wslay could write them, but it masks byte by byte, which takes eight
 * instructions per byte: more than the client needs for a whole message. So this file writes the
 * header and masks the content directly into the buffer that the stream below receives.
 *
 * Each call of plat_ws_output_send makes one frame, which is one binary message. If the stream
 * below does not take all of a frame, the rest is kept, and the caller's bytes count as sent when
 * the whole frame was. The memory for the rest is allocated when it is needed first, and then kept,
 * so that most connections never need it.
 */

#include <stdbool.h>

#include "platform/stream.h"
#include "websocket/ws_masks.h"

/** Largest content of a control frame in bytes. */
#define PLAT_WS_CONTROL_MAX 125

/** Largest content of a sent frame in bytes: with its header, it fills a record of TLS. */
#define PLAT_WS_CONTENT_MAX (16384 - 8)

/** What is sent. Only ws_output.c writes its members. */
typedef struct plat_ws_output {
    plat_stream *lower; /* not owned */
    /* Memory for bytes of a frame that the stream below has not taken; NULL: none was needed
     * yet. */
    uint8_t *kept;
    size_t kept_at;  /* index of the first such byte */
    size_t kept_end; /* index after the last such byte */
    size_t kept_cap;
    /* Bytes of content of the kept frame that were not reported as sent to the caller. */
    size_t owed;
    plat_ws_masks masks;
    bool has_pong; /* a pong waits to be sent */
    uint8_t pong_len;
    uint8_t pong[PLAT_WS_CONTROL_MAX];
} plat_ws_output;

/** Begins a connection. Returns PLAT_ERR_CRYPTO if there is no entropy. */
plat_result plat_ws_output_init(plat_ws_output *out, plat_stream *lower, const plat_crypto *crypto);

/** Frees everything. */
void plat_ws_output_drop(plat_ws_output *out);

/** As plat_stream_ops.send. */
plat_result plat_ws_output_send(plat_ws_output *out, const uint8_t *buf, size_t len, size_t *sent);

/**
 * Answers a ping as soon as plat_ws_output_flush can send the pong. An earlier answer that cannot
 * be sent now is replaced (RFC 6455 section 5.5.3 allows it), so that a peer cannot make them pile
 * up.
 */
void plat_ws_output_pong(plat_ws_output *out, const uint8_t *content, size_t len);

/** Sends what was deferred. Returns PLAT_WOULD_BLOCK while some of it remains. */
plat_result plat_ws_output_flush(plat_ws_output *out);

/**
 * Sends a close frame if the stream below takes it immediately and is not in the middle of another
 * frame. code may be PLAT_WS_CLOSE_NONE.
 */
void plat_ws_output_close(plat_ws_output *out, uint16_t code);

/** Returns whether plat_ws_output_flush has something to send. */
bool plat_ws_output_waits(const plat_ws_output *out);

#ifndef NDEBUG
/** Returns whether the members agree with each other. */
bool plat_ws_output_valid(const plat_ws_output *out);
#endif

#endif
