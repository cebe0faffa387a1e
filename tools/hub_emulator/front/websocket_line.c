#include "front/websocket_line.h"

#include <stdlib.h>
#include <string.h>

#include <wslay/wslay.h>

struct hub_websocket {
    hub_tls_line *line;
    wslay_event_context_ptr context;
    hub_text early; /* bytes that the client sent with its request; the first `taken` were read */
    size_t taken;
    hub_text out; /* frames for the line */
    /* While reading: */
    uint8_t *into;
    size_t allowed; /* bytes that may still be read from the line */
    size_t got;
    bool carries_bytes;  /* the current frame is a data frame */
    hub_tls_state state; /* the latest state of the line */
    const char *why;
};

/* --- what wslay calls -------------------------------------------------- */

/* Bytes that the client has sent with its request come first. */
static size_t take_early(hub_websocket *w, uint8_t *buffer, size_t cap)
{
    const size_t left = w->early.len - w->taken;
    const size_t n = left < cap ? left : cap;

    if (n > 0) {
        memcpy(buffer, w->early.p + w->taken, n);
        w->taken += n;
    }
    if (left > 0 && w->taken == w->early.len) {
        hub_text_free(&w->early);
        w->taken = 0;
    }
    return n;
}

/* The payload is never longer than the bytes that were read, so it fits into the buffer of the
 * caller if these are limited. */
static ssize_t on_receive(wslay_event_context_ptr context, uint8_t *buffer, size_t cap, int flags,
                          void *user)
{
    hub_websocket *w = user;
    size_t len = 0;

    (void)flags;
    cap = cap < w->allowed ? cap : w->allowed;
    if (cap > 0) {
        len = take_early(w, buffer, cap);
        w->state = HUB_TLS_DONE;
    }
    if (cap > 0 && len == 0) {
        w->state = hub_tls_line_read(w->line, buffer, cap, &len, &w->why);
    }
    if (cap == 0 || w->state != HUB_TLS_DONE) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    w->allowed -= len;
    return (ssize_t)len;
}

static ssize_t on_send(wslay_event_context_ptr context, const uint8_t *data, size_t len, int flags,
                       void *user)
{
    hub_websocket *w = user;

    (void)context;
    (void)flags;
    hub_text_add(&w->out, data, len);
    return (ssize_t)len;
}

static void on_frame(wslay_event_context_ptr context,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
    hub_websocket *w = user;

    w->carries_bytes = !wslay_is_ctrl_frame(frame->opcode);
    if (frame->opcode == WSLAY_TEXT_FRAME) {
        w->carries_bytes = false;
        (void)wslay_event_queue_close(context, WSLAY_CODE_UNSUPPORTED_DATA, NULL, 0);
        wslay_event_shutdown_read(context);
    }
}

static void on_bytes(wslay_event_context_ptr context,
                     const struct wslay_event_on_frame_recv_chunk_arg *piece, void *user)
{
    hub_websocket *w = user;

    (void)context;
    if (w->carries_bytes && piece->data_length > 0) {
        memcpy(w->into + w->got, piece->data, piece->data_length);
        w->got += piece->data_length;
    }
}

/* --- life -------------------------------------------------------------- */

hub_websocket *hub_websocket_new(hub_tls_line *line, const void *early, size_t early_len)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_receive,
        .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame,
        .on_frame_recv_chunk_callback = on_bytes,
    };
    hub_websocket *w = hub_calloc(1, sizeof *w);

    *w = (hub_websocket){ .line = line };
    if (wslay_event_context_server_init(&w->context, &callbacks, w) != 0) {
        hub_out_of_memory();
    }
    wslay_event_config_set_no_buffering(w->context, 1);
    hub_text_add(&w->early, early, early_len);
    return w;
}

void hub_websocket_free(hub_websocket *w)
{
    if (w == NULL) {
        return;
    }
    wslay_event_context_free(w->context);
    hub_text_free(&w->early);
    hub_text_free(&w->out);
    free(w);
}

/* --- bytes ------------------------------------------------------------- */

/* Frames are collected, so that a header and its payload go into one record of TLS. */
static void flush(hub_websocket *w)
{
    (void)wslay_event_send(w->context);
    if (w->out.len > 0) {
        hub_tls_line_write(w->line, w->out.p, w->out.len);
        hub_text_cut(&w->out, 0);
    }
}

hub_tls_state hub_websocket_read(hub_websocket *w, void *buffer, size_t cap, size_t *len,
                                 const char **why)
{
    w->into = buffer;
    w->got = 0;
    do {
        w->allowed = cap;
        w->state = HUB_TLS_AGAIN;
        if (wslay_event_recv(w->context) != 0 || wslay_event_get_read_enabled(w->context) == 0) {
            w->state = w->state == HUB_TLS_FAILED ? HUB_TLS_FAILED : HUB_TLS_ENDED;
        }
        flush(w); /* sends pongs, and the answer to a close frame */
    } while (w->got == 0 && w->state == HUB_TLS_DONE);
    *len = w->got;
    *why = w->why;
    return w->got > 0 ? HUB_TLS_DONE : w->state;
}

void hub_websocket_write(hub_websocket *w, const void *data, size_t len)
{
    const struct wslay_event_msg message = {
        .opcode = WSLAY_BINARY_FRAME,
        .msg = data,
        .msg_length = len,
    };

    (void)wslay_event_queue_msg(w->context, &message); /* fails only after a close frame */
    flush(w);
}

void hub_websocket_bye(hub_websocket *w)
{
    (void)wslay_event_queue_close(w->context, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
    flush(w);
}
