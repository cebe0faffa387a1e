#include "websocket/ws_output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/ws_close.h"

/* RFC 6455 section 5.2: the first byte has the FIN bit and the opcode. The second one has the
 * mask bit and the length, or a number that tells how many bytes the length has. */
enum {
    FIN = 0x80,
    BINARY = 0x2,
    CLOSE = 0x8,
    PONG = 0xa,
    MASKED = 0x80,
    LENGTH_IN_2_BYTES = 126,
    HEADER_MAX = 8
};

#ifndef NDEBUG
bool plat_ws_output_valid(const plat_ws_output *out)
{
    if (out->kept_at > out->kept_end || out->kept_end > out->kept_cap) {
        return false;
    }
    if ((out->kept == NULL) != (out->kept_cap == 0)) {
        return false;
    }
    return out->owed <= PLAT_WS_CONTENT_MAX && out->pong_len <= PLAT_WS_CONTROL_MAX;
}
#endif

plat_result plat_ws_output_init(plat_ws_output *out, plat_stream *lower, const plat_crypto *crypto)
{
    *out = (plat_ws_output){ .lower = lower };
    return plat_ws_masks_init(&out->masks, crypto);
}

void plat_ws_output_drop(plat_ws_output *out)
{
    free(out->kept);
    out->kept = NULL;
    out->kept_at = out->kept_end = out->kept_cap = out->owed = 0;
    out->has_pong = false;
}

/* --- the stream below --- */

static bool keep(plat_ws_output *out, const uint8_t *bytes, size_t len)
{
    if (len > out->kept_cap) {
        uint8_t *larger = realloc(out->kept, len);
        if (larger == NULL) {
            return false;
        }
        out->kept = larger;
        out->kept_cap = len;
    }
    memcpy(out->kept, bytes, len);
    out->kept_at = 0;
    out->kept_end = len;
    return true;
}

static plat_result push(plat_stream *lower, const uint8_t *bytes, size_t len, size_t *done)
{
    while (*done < len) {
        size_t sent = 0;
        plat_result r = lower->ops->send(lower, bytes + *done, len - *done, &sent);
        if (r != PLAT_OK) {
            return r;
        }
        *done += sent;
    }
    return PLAT_OK;
}

/* Sends a frame, or as much as possible of it and keeps the rest. */
static plat_result push_frame(plat_ws_output *out, const uint8_t *frame, size_t len)
{
    size_t done = 0;
    plat_result r = push(out->lower, frame, len, &done);
    if (r == PLAT_WOULD_BLOCK && !keep(out, frame + done, len - done)) {
        return PLAT_ERR_MEMORY;
    }
    return r;
}

/* --- frames --- */

static size_t write_header(uint8_t *at, uint8_t opcode, size_t len, const uint8_t *mask)
{
    size_t n = 2;
    at[0] = FIN | opcode;
    if (len < LENGTH_IN_2_BYTES) {
        at[1] = (uint8_t)(MASKED | len);
    } else {
        at[1] = MASKED | LENGTH_IN_2_BYTES;
        at[n++] = (uint8_t)(len >> 8);
        at[n++] = (uint8_t)len;
    }
    memcpy(at + n, mask, PLAT_WS_MASK);
    return n + PLAT_WS_MASK;
}

/* frame has room for HEADER_MAX bytes and the content. */
static plat_result write_frame(plat_ws_output *out, uint8_t opcode, const uint8_t *content,
                               size_t len, uint8_t *frame, size_t *frame_len)
{
    uint8_t mask[PLAT_WS_MASK];
    plat_result r = plat_ws_masks_next(&out->masks, mask);
    if (r == PLAT_OK) {
        size_t header = write_header(frame, opcode, len, mask);
        plat_ws_mask(frame + header, content, len, mask);
        *frame_len = header + len;
    }
    return r;
}

static plat_result send_control(plat_ws_output *out, uint8_t opcode, const uint8_t *content,
                                size_t len)
{
    uint8_t frame[HEADER_MAX + PLAT_WS_CONTROL_MAX];
    size_t frame_len;
    plat_result r = write_frame(out, opcode, content, len, frame, &frame_len);
    return r == PLAT_OK ? push_frame(out, frame, frame_len) : r;
}

static plat_result send_kept(plat_ws_output *out)
{
    return push(out->lower, out->kept, out->kept_end, &out->kept_at);
}

plat_result plat_ws_output_flush(plat_ws_output *out)
{
    assert(plat_ws_output_valid(out));
    plat_result r = send_kept(out);
    if (r != PLAT_OK || !out->has_pong) {
        return r;
    }
    out->has_pong = false;
    return send_control(out, PONG, out->pong, out->pong_len);
}

static plat_result send_content(plat_ws_output *out, const uint8_t *buf, size_t len)
{
    uint8_t frame[HEADER_MAX + PLAT_WS_CONTENT_MAX];
    size_t frame_len;
    plat_result r = write_frame(out, BINARY, buf, len, frame, &frame_len);
    return r == PLAT_OK ? push_frame(out, frame, frame_len) : r;
}

plat_result plat_ws_output_send(plat_ws_output *out, const uint8_t *buf, size_t len, size_t *sent)
{
    assert(plat_ws_output_valid(out));
    *sent = 0;
    if (len < out->owed) {
        /* These are not the bytes of the call that returned PLAT_WOULD_BLOCK. */
        return PLAT_ERR_ARG;
    }
    plat_result r = out->owed > 0 ? send_kept(out) : plat_ws_output_flush(out);
    if (r != PLAT_OK) {
        return r;
    }
    if (out->owed > 0) {
        *sent = out->owed;
        out->owed = 0;
        return PLAT_OK;
    }
    const size_t n = len < PLAT_WS_CONTENT_MAX ? len : PLAT_WS_CONTENT_MAX;
    r = send_content(out, buf, n);
    *sent = r == PLAT_OK ? n : 0;
    out->owed = r == PLAT_WOULD_BLOCK ? n : 0;
    return r;
}

void plat_ws_output_pong(plat_ws_output *out, const uint8_t *content, size_t len)
{
    assert(len <= PLAT_WS_CONTROL_MAX);
    if (out->has_pong) {
        (void)plat_ws_output_flush(out); /* the next call returns its failure again */
    }
    memcpy(out->pong, content, len);
    out->pong_len = (uint8_t)len;
    out->has_pong = true;
}

void plat_ws_output_close(plat_ws_output *out, uint16_t code)
{
    const uint8_t content[2] = { (uint8_t)(code >> 8), (uint8_t)code };
    assert(plat_ws_output_valid(out));
    if (plat_ws_output_flush(out) == PLAT_OK) {
        (void)send_control(out, CLOSE, content, code == PLAT_WS_CLOSE_NONE ? 0 : sizeof content);
    }
}

bool plat_ws_output_waits(const plat_ws_output *out)
{
    return out->has_pong || out->kept_at < out->kept_end;
}
