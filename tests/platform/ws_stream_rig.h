#ifndef TEST_WS_STREAM_RIG_H
#define TEST_WS_STREAM_RIG_H

/**
 * @file
 * A WebSocket over a scripted stream, and a server that answers its upgrade.
 */

#include "platform/websocket.h"
#include "ws_fixture.h"

enum { FIN = 0x80 };

static const plat_websocket_config mqtt = { .path = "/mqtt", .subprotocol = "mqtt" };

typedef struct stream_rig {
    scripted_stream lower;
    plat_stream *s;
    char *request; /* what the server has received */
} stream_rig;

static inline plat_result make(stream_rig *r, const plat_websocket_config *config)
{
    *r = (stream_rig){ 0 };
    scripted_init(&r->lower);
    return plat_wslay()->stream(plat_wslay(), plat_posix()->crypto, &r->lower.base, config, &r->s);
}

static inline void begin(stream_rig *r)
{
    assert_int_equal(make(r, &mqtt), PLAT_OK);
}

static inline void end(stream_rig *r)
{
    r->s->ops->deinit(r->s);
    scripted_free(&r->lower);
    free(r->request);
}

static inline plat_result progress(stream_rig *r, plat_stage *stage)
{
    return r->s->ops->progress(r->s, 0, stage);
}

/* Opens the stream until it waits for the answer. */
static inline void ask(stream_rig *r)
{
    plat_stage stage;
    assert_int_equal(r->s->ops->open(r->s, "hub.example", 8443, 0), PLAT_OK);
    assert_int_equal(progress(r, &stage), PLAT_WOULD_BLOCK);
    assert_int_equal(stage, PLAT_STAGE_UPGRADE);
    free(r->request);
    r->request = ws_take_sent(&r->lower);
}

static inline void open_whole(stream_rig *r)
{
    plat_stage stage;
    ask(r);
    char *answer = ws_good_answer(r->request);
    ws_feed_text(&r->lower, answer);
    free(answer);
    assert_int_equal(progress(r, &stage), PLAT_OK);
    assert_int_equal(stage, PLAT_STAGE_OPEN);
}

static inline void feed_frame(stream_rig *r, unsigned first, const void *content, size_t len)
{
    ws_bytes b = { 0 };
    ws_put_frame(&b, first, content, len);
    scripted_feed(&r->lower, b.ptr, b.len);
    free(b.ptr);
}

static inline plat_poll poll_it(stream_rig *r, bool want_send)
{
    plat_poll p;
    r->s->ops->poll(r->s, want_send, 1, &p);
    return p;
}

static inline void expect_frame(stream_rig *r, unsigned opcode, const void *content, size_t len)
{
    size_t sent_len;
    const uint8_t *sent = scripted_sent(&r->lower, &sent_len);
    ws_frame frame;
    const size_t size = ws_read_frame(sent, sent_len, &frame);
    assert_true(size > 0);
    assert_int_equal(frame.opcode, opcode);
    assert_int_equal(frame.len, len);
    assert_memory_equal(frame.content, content, len);
    free(frame.content);
    scripted_drain(&r->lower, size);
}

#endif
