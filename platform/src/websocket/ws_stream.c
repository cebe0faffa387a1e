#include "websocket/ws_stream.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/race.h"
#include "websocket/ws_close.h"

static plat_ws_stream *self_of(plat_stream *s)
{
    return (plat_ws_stream *)s;
}

static const plat_ws_stream *const_self_of(const plat_stream *s)
{
    return (const plat_ws_stream *)s;
}

#ifndef NDEBUG
bool plat_ws_stream_valid(const plat_ws_stream *s)
{
    switch (s->state) {
    case PLAT_WS_CLOSED: return s->upgrade == NULL && s->input.frames == NULL;
    case PLAT_WS_LOWER:
    case PLAT_WS_UPGRADE: return s->upgrade != NULL && s->input.frames == NULL;
    case PLAT_WS_OPEN: return plat_ws_input_valid(&s->input) && plat_ws_output_valid(&s->output);
    case PLAT_WS_FAILED: return s->failure < 0;
    }
    return false;
}
#endif

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static plat_result
fail(plat_ws_stream *s, plat_result r, const char *format, ...)
{
    if (s->state != PLAT_WS_FAILED) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(s->detail, sizeof s->detail, format, args);
        va_end(args);
        s->failed_in = s->state == PLAT_WS_OPEN ? PLAT_STAGE_OPEN : PLAT_STAGE_UPGRADE;
    }
    s->state = PLAT_WS_FAILED;
    s->failure = r;
    return r;
}

/* Called when the stream below has failed; its own text explains that best. */
static plat_result fail_below(plat_ws_stream *s, plat_result r, plat_stage stage)
{
    s->below_failed = true;
    s->failed_in = stage;
    s->state = PLAT_WS_FAILED;
    s->failure = r;
    return r;
}

static plat_result fail_without(plat_ws_stream *s, plat_result r)
{
    const char *what = r == PLAT_ERR_MEMORY ? "no memory is left" : "the crypto library failed";
    return fail(s, r, "%.100s: %s", s->host, what);
}

/* --- opening --- */

static plat_result begin_upgrade(plat_ws_stream *s)
{
    const plat_ws_target target = { .host = s->host,
                                    .port = s->port,
                                    .path = s->path,
                                    .query = s->has_identity ? "" : s->query,
                                    .subprotocol = s->subprotocol };
    s->request_sent = 0;
    s->upgrade = malloc(sizeof *s->upgrade);
    return s->upgrade != NULL ? plat_ws_upgrade_begin(s->upgrade, s->crypto, &target)
                              : PLAT_ERR_MEMORY;
}

static plat_result ws_open(plat_stream *base, const char *host, uint16_t port, uint64_t now_ms)
{
    plat_ws_stream *s = self_of(base);
    assert(plat_ws_stream_valid(s));
    if (s->state != PLAT_WS_CLOSED) {
        return PLAT_ERR_STATE;
    }
    s->host = host;
    s->port = port;
    s->below_failed = false;
    s->detail[0] = '\0';
    plat_result r = begin_upgrade(s);
    if (r == PLAT_OK) {
        r = s->lower->ops->open(s->lower, host, port, now_ms);
        s->below_failed = r != PLAT_OK;
    }
    if (r != PLAT_OK) {
        free(s->upgrade);
        s->upgrade = NULL;
        s->failed_in = PLAT_STAGE_RESOLVE;
    }
    s->failure = r;
    s->state = r == PLAT_OK ? PLAT_WS_LOWER : PLAT_WS_FAILED;
    return r;
}

static plat_result send_request(plat_ws_stream *s)
{
    const plat_ws_upgrade *u = s->upgrade;
    while (s->request_sent < u->request_len) {
        size_t sent = 0;
        plat_result r = s->lower->ops->send(s->lower, (const uint8_t *)u->request + s->request_sent,
                                            u->request_len - s->request_sent, &sent);
        if (r != PLAT_OK) {
            return r == PLAT_WOULD_BLOCK ? r : fail_below(s, r, PLAT_STAGE_UPGRADE);
        }
        s->request_sent += sent;
    }
    return PLAT_OK;
}

static plat_result refused(plat_ws_stream *s, plat_result r)
{
    const plat_ws_upgrade *u = s->upgrade;
    if (u->status != 0) {
        return fail(s, r, "%.80s: the server refuses the WebSocket: HTTP status %d (%s)", s->host,
                    u->status, plat_ws_status_text(u->status));
    }
    return fail(s, r, "%.80s: the server %s", s->host, u->fault);
}

static plat_result read_answer(plat_ws_stream *s)
{
    plat_ws_upgrade *u = s->upgrade;
    plat_result r = PLAT_WOULD_BLOCK;
    while (r == PLAT_WOULD_BLOCK) {
        size_t got = 0;
        plat_result below = s->lower->ops->recv(s->lower, u->head + u->head_len,
                                                sizeof u->head - u->head_len, &got);
        if (below == PLAT_WOULD_BLOCK) {
            return below;
        }
        if (below == PLAT_EOF) {
            return refused(s, plat_ws_upgrade_end(u));
        }
        if (below != PLAT_OK) {
            return fail_below(s, below, PLAT_STAGE_UPGRADE);
        }
        r = plat_ws_upgrade_feed(u, got);
    }
    return r == PLAT_OK ? r : refused(s, r);
}

/* Frees the upgrade, unless it still holds frames that were received with the answer. */
static void drop_upgrade(plat_ws_stream *s)
{
    if (s->upgrade != NULL && s->input.early_len == 0) {
        free(s->upgrade);
        s->upgrade = NULL;
    }
}

static plat_result become_open(plat_ws_stream *s)
{
    const plat_ws_upgrade *u = s->upgrade;
    plat_result r = plat_ws_output_init(&s->output, s->lower, s->crypto);
    if (r == PLAT_OK) {
        r = plat_ws_input_init(&s->input, s->lower, &s->output, u->head + u->head_end,
                               u->head_len - u->head_end);
    }
    if (r != PLAT_OK) {
        return fail_without(s, r);
    }
    s->state = PLAT_WS_OPEN;
    drop_upgrade(s);
    return r;
}

static plat_result upgrade(plat_ws_stream *s)
{
    plat_result r = send_request(s);
    if (r == PLAT_OK) {
        r = read_answer(s);
    }
    return r == PLAT_OK ? become_open(s) : r;
}

static plat_result open_lower(plat_ws_stream *s, uint64_t now_ms, plat_stage *stage)
{
    plat_result r = s->lower->ops->progress(s->lower, now_ms, stage);
    if (r == PLAT_OK) {
        s->state = PLAT_WS_UPGRADE;
    } else if (r != PLAT_WOULD_BLOCK) {
        (void)fail_below(s, r, *stage);
    }
    return r;
}

static plat_result ws_progress(plat_stream *base, uint64_t now_ms, plat_stage *stage)
{
    plat_ws_stream *s = self_of(base);
    plat_result r = PLAT_OK;
    assert(plat_ws_stream_valid(s));
    *stage = PLAT_STAGE_RESOLVE;
    if (s->state == PLAT_WS_LOWER) {
        r = open_lower(s, now_ms, stage);
        if (r != PLAT_OK) {
            return r;
        }
    }
    switch (s->state) {
    case PLAT_WS_UPGRADE:
        r = upgrade(s);
        *stage = r == PLAT_OK ? PLAT_STAGE_OPEN : PLAT_STAGE_UPGRADE;
        return r;
    case PLAT_WS_OPEN: *stage = PLAT_STAGE_OPEN; return PLAT_OK;
    case PLAT_WS_FAILED: *stage = s->failed_in; return s->failure;
    case PLAT_WS_CLOSED:
    case PLAT_WS_LOWER: break;
    }
    return PLAT_ERR_STATE;
}

/* --- open --- */

static plat_result not_open(const plat_ws_stream *s)
{
    return s->state == PLAT_WS_FAILED ? s->failure : PLAT_ERR_STATE;
}

/* Explains a failure of the open stream, and answers a close frame or a violation. */
static plat_result break_off(plat_ws_stream *s, plat_result r)
{
    const plat_ws_input *in = &s->input;
    if (r == PLAT_ERR_WEBSOCKET) {
        plat_ws_output_close(&s->output, in->code);
        return fail(s, r, "%.100s: the server %s", s->host, in->fault);
    }
    if (in->closed) {
        plat_ws_output_close(&s->output, in->code);
        return fail(s, r, "%.100s: the server closed the WebSocket with status code %u (%s)",
                    s->host, (unsigned)in->code, plat_ws_close_text(in->code));
    }
    return r == PLAT_EOF ? r : fail_below(s, r, PLAT_STAGE_OPEN);
}

static plat_result output_result(plat_ws_stream *s, plat_result r)
{
    if (r == PLAT_OK || r == PLAT_WOULD_BLOCK || r == PLAT_ERR_ARG) {
        return r;
    }
    return r == PLAT_ERR_MEMORY || r == PLAT_ERR_CRYPTO ? fail_without(s, r)
                                                        : fail_below(s, r, PLAT_STAGE_OPEN);
}

static plat_result ws_recv(plat_stream *base, uint8_t *buf, size_t cap, size_t *got)
{
    plat_ws_stream *s = self_of(base);
    assert(plat_ws_stream_valid(s));
    *got = 0;
    if (s->state != PLAT_WS_OPEN) {
        return not_open(s);
    }
    plat_result r = plat_ws_input_recv(&s->input, buf, cap, got);
    drop_upgrade(s);
    if (r != PLAT_OK && r != PLAT_WOULD_BLOCK) {
        return break_off(s, r);
    }
    if (plat_ws_output_waits(&s->output)) { /* a pong */
        plat_result sent = output_result(s, plat_ws_output_flush(&s->output));
        return s->state == PLAT_WS_FAILED && r == PLAT_WOULD_BLOCK ? sent : r;
    }
    return r;
}

static plat_result ws_send(plat_stream *base, const uint8_t *buf, size_t len, size_t *sent)
{
    plat_ws_stream *s = self_of(base);
    assert(plat_ws_stream_valid(s));
    *sent = 0;
    if (s->state != PLAT_WS_OPEN) {
        return not_open(s);
    }
    return output_result(s, plat_ws_output_send(&s->output, buf, len, sent));
}

static void poll_open(plat_ws_stream *s, bool want_send, size_t least, plat_poll *out)
{
    if (plat_ws_output_waits(&s->output)) {
        (void)output_result(s, plat_ws_output_flush(&s->output));
    }
    const bool waits = plat_ws_output_waits(&s->output);
    s->lower->ops->poll(s->lower, want_send || waits, least, out);
    out->ready_now =
        out->ready_now || s->state != PLAT_WS_OPEN || plat_ws_input_has_more(&s->input);
}

static void ws_poll(plat_stream *base, bool want_send, size_t least, plat_poll *out)
{
    plat_ws_stream *s = self_of(base);
    assert(plat_ws_stream_valid(s));
    *out = (plat_poll){ .fd = -1 };
    switch (s->state) {
    case PLAT_WS_CLOSED:
    case PLAT_WS_LOWER: s->lower->ops->poll(s->lower, false, 1, out); break;
    case PLAT_WS_UPGRADE:
        s->lower->ops->poll(s->lower, s->request_sent < s->upgrade->request_len, 1, out);
        break;
    case PLAT_WS_OPEN: poll_open(s, want_send, least, out); break;
    case PLAT_WS_FAILED: break;
    }
}

/* Reports the flow of the stream below, so the bytes of headers and of the upgrade are included. */
static void ws_flow(plat_stream *base, plat_flow *out)
{
    plat_ws_stream *s = self_of(base);
    *out = (plat_flow){ .awaited = true };
    if (s->state != PLAT_WS_CLOSED && s->lower->ops->flow != NULL) {
        s->lower->ops->flow(s->lower, out);
    }
}

static bool ws_resumed(const plat_stream *base)
{
    const plat_ws_stream *s = const_self_of(base);
    return s->state == PLAT_WS_OPEN && s->lower->ops->resumed(s->lower);
}

static plat_result ws_set_identity(plat_stream *base, plat_identity *identity)
{
    plat_ws_stream *s = self_of(base);
    assert(plat_ws_stream_valid(s));
    if (s->lower->ops->set_identity == NULL) {
        return identity == NULL ? PLAT_OK : PLAT_ERR_STATE;
    }
    plat_result r = s->lower->ops->set_identity(s->lower, identity);
    s->has_identity = r == PLAT_OK ? identity != NULL : s->has_identity;
    return r;
}

static const char *ws_detail(const plat_stream *base)
{
    const plat_ws_stream *s = const_self_of(base);
    if (s->state != PLAT_WS_FAILED) {
        return "";
    }
    return s->below_failed ? s->lower->ops->detail(s->lower) : s->detail;
}

static void ws_close(plat_stream *base)
{
    plat_ws_stream *s = self_of(base);
    assert(plat_ws_stream_valid(s));
    if (s->state == PLAT_WS_OPEN) {
        plat_ws_output_close(&s->output, PLAT_WS_CLOSE_NORMAL);
    }
    plat_ws_input_drop(&s->input);
    plat_ws_output_drop(&s->output);
    free(s->upgrade);
    s->upgrade = NULL;
    s->lower->ops->close(s->lower);
    s->state = PLAT_WS_CLOSED;
}

static void ws_deinit(plat_stream *base)
{
    plat_ws_stream *s = self_of(base);
    ws_close(base);
    s->lower->ops->deinit(s->lower);
    free(s);
}

static const plat_stream_ops ops = {
    .open = ws_open,
    .progress = ws_progress,
    .recv = ws_recv,
    .send = ws_send,
    .poll = ws_poll,
    .flow = ws_flow,
    .resumed = ws_resumed,
    .set_identity = ws_set_identity,
    .detail = ws_detail,
    .close = ws_close,
    .deinit = ws_deinit,
};

/* --- making --- */

static const char *find_fault(const plat_crypto *crypto, const plat_websocket_config *c)
{
    if (crypto->sha1 == NULL) {
        return "the platform has no SHA-1";
    }
    if (c->path == NULL || !plat_ws_path_is_valid(c->path)) {
        return "the path does not begin with /, is too long, or has a character that is not "
               "allowed";
    }
    if (c->subprotocol == NULL || strlen(c->subprotocol) > PLAT_WS_SUBPROTOCOL_MAX ||
        !plat_ws_is_token(c->subprotocol)) {
        return "the subprotocol is not a token";
    }
    return NULL;
}

static bool set_query(plat_ws_stream *s, const char *query)
{
    char both[2 * PLAT_WEBSOCKET_PATH_MAX + 1];
    if (query == NULL) {
        return true;
    }
    if (strlen(query) > PLAT_WEBSOCKET_PATH_MAX) {
        return false;
    }
    (void)snprintf(s->query, sizeof s->query, "%s", query);
    (void)snprintf(both, sizeof both, "%s%s", s->path, s->query);
    return plat_ws_path_is_valid(both);
}

static plat_result configure(plat_ws_stream *s, const plat_websocket_config *config)
{
    const char *fault = find_fault(s->crypto, config);
    if (fault == NULL) {
        (void)snprintf(s->path, sizeof s->path, "%s", config->path);
        (void)snprintf(s->subprotocol, sizeof s->subprotocol, "%s", config->subprotocol);
        fault = set_query(s, config->query_without_identity) ? NULL : "the query is not valid";
    }
    return fault != NULL ? fail(s, PLAT_ERR_ARG, "WebSocket: %s", fault) : PLAT_OK;
}

static plat_result make(const plat_websockets *self, const plat_crypto *crypto, plat_stream *lower,
                        const plat_websocket_config *config, plat_stream **out)
{
    (void)self;
    *out = lower;
    plat_ws_stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return PLAT_ERR_MEMORY;
    }
    s->base.ops = &ops;
    s->lower = lower;
    s->crypto = crypto;
    s->has_identity = config->has_identity;
    *out = &s->base;
    return configure(s, config);
}

static const plat_websockets websockets = { .stream = make, .race = plat_race_stream };

const plat_websockets *plat_wslay(void)
{
    return &websockets;
}
