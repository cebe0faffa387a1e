#include "websocket/ws_input.h"

#include <assert.h>
#include <string.h>

#include "websocket/ws_close.h"

/* Largest number of reads in one call, so that it ends even if the server never pauses. */
#define READS_MAX 16

static const char malformed[] = "sent a malformed frame";

#ifndef NDEBUG
bool plat_ws_input_valid(const plat_ws_input *in)
{
    if (in->frames == NULL || in->control_len > PLAT_WS_CONTROL_MAX) {
        return false;
    }
    if (in->left_len > 0 && in->left == NULL) {
        return false;
    }
    return (in->ended == PLAT_ERR_WEBSOCKET) == (in->fault != NULL);
}
#endif

/* --- what wslay calls --- */

static size_t take_early(plat_ws_input *in, uint8_t *buf, size_t cap)
{
    size_t n = in->early_len < cap ? in->early_len : cap;
    memcpy(buf, in->early, n);
    in->early += n;
    in->early_len -= n;
    return n;
}

static ssize_t read_below(uint8_t *buf, size_t cap, int flags, void *user)
{
    plat_ws_input *in = user;
    size_t got = 0;
    (void)flags;
    if (in->early_len > 0) {
        in->below = PLAT_OK;
        return (ssize_t)take_early(in, buf, cap);
    }
    if (in->content && in->below_empty) { /* saves a system call that would return nothing */
        in->below = PLAT_WOULD_BLOCK;
        return -1;
    }
    in->reads++;
    in->below = in->lower->ops->recv(in->lower, buf, cap, &got);
    in->below_empty = in->below != PLAT_OK || got < cap;
    return in->below == PLAT_OK ? (ssize_t)got : -1;
}

static ssize_t never_write(const uint8_t *data, size_t len, int flags, void *user)
{
    (void)data, (void)len, (void)flags, (void)user;
    return -1;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): wslay prescribes the type */
static int never_mask(uint8_t *buf, size_t len, void *user)
{
    (void)buf, (void)len, (void)user;
    return -1;
}

plat_result plat_ws_input_init(plat_ws_input *in, plat_stream *lower, plat_ws_output *pongs,
                               const uint8_t *early, size_t early_len)
{
    static const struct wslay_frame_callbacks callbacks = { .send_callback = never_write,
                                                            .recv_callback = read_below,
                                                            .genmask_callback = never_mask };
    *in = (plat_ws_input){ .lower = lower, .pongs = pongs, .early = early, .early_len = early_len };
    return wslay_frame_context_init(&in->frames, &callbacks, in) == 0 ? PLAT_OK : PLAT_ERR_MEMORY;
}

void plat_ws_input_drop(plat_ws_input *in)
{
    if (in->frames != NULL) {
        wslay_frame_context_free(in->frames);
    }
    *in = (plat_ws_input){ 0 };
}

/* --- frames --- */

static void refuse(plat_ws_input *in, uint16_t code, const char *fault)
{
    in->ended = PLAT_ERR_WEBSOCKET;
    in->fault = fault;
    in->code = code;
}

static bool is_control(const struct wslay_frame_iocb *frame)
{
    return wslay_is_ctrl_frame(frame->opcode) != 0;
}

/* wslay has checked that the length is written in the shortest form. */
static const char *form_fault(const struct wslay_frame_iocb *frame, uint16_t *code)
{
    if (frame->rsv != WSLAY_RSV_NONE) {
        return "sent a frame with reserved bits";
    }
    if (frame->mask != 0) {
        return "sent a masked frame";
    }
    if (frame->payload_length > PLAT_WS_RECEIVED_MAX) {
        *code = PLAT_WS_CLOSE_TOO_BIG;
        return "sent a frame that is longer than any MQTT packet";
    }
    if (is_control(frame) && (frame->fin == 0 || frame->payload_length > PLAT_WS_CONTROL_MAX)) {
        return malformed;
    }
    return NULL;
}

static const char *kind_fault(bool in_message, uint8_t opcode, uint16_t *code)
{
    switch (opcode) {
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG: return NULL;
    case WSLAY_CONTINUATION_FRAME:
        return in_message ? NULL : "continued a message that it has not begun";
    case WSLAY_BINARY_FRAME: return in_message ? "began a message inside another one" : NULL;
    case WSLAY_TEXT_FRAME:
        *code = PLAT_WS_CLOSE_NOT_BINARY;
        return "sent a text message; MQTT needs binary ones";
    default: return "sent a frame of an unknown kind";
    }
}

/* Checks the header of a frame, and enters or leaves a message. */
static void check_header(plat_ws_input *in, const struct wslay_frame_iocb *frame)
{
    uint16_t code = PLAT_WS_CLOSE_PROTOCOL;
    const char *fault = form_fault(frame, &code);
    if (fault == NULL) {
        fault = kind_fault(in->in_message, frame->opcode, &code);
    }
    if (fault != NULL) {
        refuse(in, code, fault);
        return;
    }
    if (!is_control(frame)) {
        in->in_message = frame->fin == 0;
    }
}

static void end_control_frame(plat_ws_input *in, uint8_t opcode)
{
    if (opcode == WSLAY_PING) {
        plat_ws_output_pong(in->pongs, in->control, in->control_len);
    } else if (opcode == WSLAY_CONNECTION_CLOSE) {
        uint16_t code;
        const char *fault = plat_ws_close_read(in->control, in->control_len, &code);
        in->ended = fault != NULL ? PLAT_ERR_WEBSOCKET : PLAT_ERR_IO;
        in->fault = fault;
        in->closed = fault == NULL;
        in->code = code;
    }
    in->control_len = 0;
}

/* Takes received content of one frame, which may be a part of it. */
static void take_chunk(plat_ws_input *in, const struct wslay_frame_iocb *frame)
{
    if (!in->in_frame) {
        check_header(in, frame);
        in->in_frame = true;
        in->frame_got = 0;
    }
    if (in->ended != PLAT_OK) {
        return;
    }
    if (!is_control(frame)) {
        in->left = frame->data;
        in->left_len = frame->data_length;
    } else if (frame->data_length > 0) {
        memcpy(in->control + in->control_len, frame->data, frame->data_length);
        in->control_len = (uint8_t)(in->control_len + frame->data_length);
    }
    in->frame_got += frame->data_length;
    in->in_frame = in->frame_got < frame->payload_length;
    if (!in->in_frame && is_control(frame)) {
        end_control_frame(in, frame->opcode);
    }
}

/* Makes wslay return the next content. in->ended is set if there is none and never will be. */
static plat_result next_chunk(plat_ws_input *in)
{
    struct wslay_frame_iocb frame = { 0 };
    in->below = PLAT_WOULD_BLOCK;
    const ssize_t n = wslay_frame_recv(in->frames, &frame);
    if (n >= 0) {
        take_chunk(in, &frame);
        return in->ended;
    }
    if (n == WSLAY_ERR_WANT_READ) { /* below is PLAT_OK if a header is incomplete */
        in->ended = in->below == PLAT_WOULD_BLOCK ? PLAT_OK : in->below;
        return in->below;
    }
    refuse(in, PLAT_WS_CLOSE_PROTOCOL, malformed);
    return in->ended;
}

static size_t take_left(plat_ws_input *in, uint8_t *buf, size_t cap)
{
    size_t n = in->left_len < cap ? in->left_len : cap;
    if (n > 0) {
        memcpy(buf, in->left, n);
        in->left += n;
        in->left_len -= n;
    }
    return n;
}

plat_result plat_ws_input_recv(plat_ws_input *in, uint8_t *buf, size_t cap, size_t *got)
{
    assert(plat_ws_input_valid(in));
    plat_result r = in->ended;
    in->reads = 0;
    in->below_empty = false;
    *got = take_left(in, buf, cap);
    while (*got < cap && r == PLAT_OK && in->reads < READS_MAX) {
        in->content = *got > 0;
        r = next_chunk(in);
        *got += take_left(in, buf + *got, cap - *got);
    }
    in->more = r == PLAT_OK;
    if (*got > 0) {
        return PLAT_OK;
    }
    return r == PLAT_OK ? PLAT_WOULD_BLOCK : r;
}

bool plat_ws_input_has_more(const plat_ws_input *in)
{
    return in->more || in->early_len > 0 || in->ended != PLAT_OK;
}
