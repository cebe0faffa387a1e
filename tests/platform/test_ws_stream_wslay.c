#include "ws_fixture.h"

#include <wslay/wslay.h>

#include "platform/websocket.h"

/* The server is wslay's: it checks every frame that the client sends, and answers in whole and in
 * fragmented messages. */

enum { MOST = 40000 };

typedef struct wslay_rig {
    scripted_stream lower;
    plat_stream *s;
    wslay_event_context_ptr server;
    ws_bytes arrived; /* content of the messages that the server has received */
    uint8_t *outgoing;
    size_t outgoing_len, outgoing_at;
    size_t piece; /* size of the server's fragments */
    uint16_t closed;
    unsigned pongs;
    uint32_t seed;
} wslay_rig;

static uint32_t roll(wslay_rig *r, uint32_t sides)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return (r->seed >> 8) % sides;
}

static ssize_t server_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags,
                           void *user)
{
    wslay_rig *r = user;
    size_t sent_len;
    const uint8_t *sent = scripted_sent(&r->lower, &sent_len);
    (void)flags;
    if (sent_len == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    const size_t n = sent_len < len ? sent_len : len;
    memcpy(buf, sent, n);
    scripted_drain(&r->lower, n);
    return (ssize_t)n;
}

static ssize_t server_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags,
                           void *user)
{
    wslay_rig *r = user;
    (void)ctx, (void)flags;
    scripted_feed(&r->lower, data, len);
    return (ssize_t)len;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m,
                       void *user)
{
    wslay_rig *r = user;
    (void)ctx;
    if (m->opcode == WSLAY_BINARY_FRAME) {
        ws_append(&r->arrived, m->msg, m->msg_length);
    } else if (m->opcode == WSLAY_PONG) {
        assert_int_equal(m->msg_length, 5);
        assert_memory_equal(m->msg, "alive", 5);
        r->pongs++;
    } else {
        assert_int_equal(m->opcode, WSLAY_CONNECTION_CLOSE);
        r->closed = m->status_code;
    }
}

static ssize_t next_fragment(wslay_event_context_ptr ctx, uint8_t *buf, size_t len,
                             const union wslay_event_msg_source *source, int *eof, void *user)
{
    wslay_rig *r = user;
    size_t n = r->outgoing_len - r->outgoing_at;
    (void)ctx, (void)source;
    n = n < len ? n : len;
    n = n < r->piece ? n : r->piece;
    memcpy(buf, r->outgoing + r->outgoing_at, n);
    r->outgoing_at += n;
    *eof = r->outgoing_at == r->outgoing_len;
    return (ssize_t)n;
}

static void open_both(wslay_rig *r)
{
    static const plat_websocket_config config = { .path = "/mqtt", .subprotocol = "mqtt" };
    static const struct wslay_event_callbacks callbacks = { .recv_callback = server_recv,
                                                            .send_callback = server_send,
                                                            .on_msg_recv_callback = on_message };
    plat_stage stage;
    *r = (wslay_rig){ .seed = 7, .piece = 1 };
    scripted_init(&r->lower);
    r->outgoing = malloc(MOST);
    assert_non_null(r->outgoing);
    assert_int_equal(
        plat_wslay()->stream(plat_wslay(), plat_posix()->crypto, &r->lower.base, &config, &r->s),
        PLAT_OK);
    assert_int_equal(r->s->ops->open(r->s, "hub.example", 443, 0), PLAT_OK);
    assert_int_equal(r->s->ops->progress(r->s, 0, &stage), PLAT_WOULD_BLOCK);
    char *request = ws_take_sent(&r->lower);
    char *answer = ws_good_answer(request);
    ws_feed_text(&r->lower, answer);
    free(answer);
    free(request);
    assert_int_equal(r->s->ops->progress(r->s, 0, &stage), PLAT_OK);
    assert_int_equal(wslay_event_context_server_init(&r->server, &callbacks, r), 0);
}

static void close_both(wslay_rig *r)
{
    wslay_event_context_free(r->server);
    r->s->ops->deinit(r->s);
    scripted_free(&r->lower);
    free(r->arrived.ptr);
    free(r->outgoing);
}

static void serve(wslay_rig *r)
{
    assert_int_equal(wslay_event_recv(r->server), 0);
    assert_int_equal(wslay_event_send(r->server), 0);
}

static void fill(wslay_rig *r, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)roll(r, 256);
    }
}

static void wslay_accepts_messages_of_every_size_however_the_socket_blocks(void **state)
{
    (void)state;
    static uint8_t bytes[MOST];
    wslay_rig r;
    open_both(&r);
    for (unsigned times = 0; times < 300; times++) {
        const size_t len = 1 + roll(&r, times % 3 == 0 ? 300 : MOST);
        fill(&r, bytes, len);
        r.arrived.len = 0;
        for (size_t at = 0; at < len;) {
            size_t sent;
            r.lower.send_room = roll(&r, 4) == 0 ? roll(&r, 20000) : SIZE_MAX;
            plat_result result = r.s->ops->send(r.s, bytes + at, len - at, &sent);
            assert_true(result == PLAT_OK || result == PLAT_WOULD_BLOCK);
            at += sent;
            serve(&r);
        }
        assert_int_equal(r.arrived.len, len);
        assert_memory_equal(r.arrived.ptr, bytes, len);
    }
    close_both(&r);
}

static void messages_of_wslay_arrive_whole_and_in_fragments_with_pings_between(void **state)
{
    (void)state;
    static uint8_t received[MOST];
    wslay_rig r;
    unsigned pings = 0;
    open_both(&r);
    for (unsigned times = 0; times < 300; times++) {
        r.outgoing_len = 1 + roll(&r, times % 3 == 0 ? 300 : MOST);
        r.outgoing_at = 0;
        r.piece = 1 + roll(&r, 5000);
        fill(&r, r.outgoing, r.outgoing_len);
        const struct wslay_event_msg whole = { WSLAY_BINARY_FRAME, r.outgoing, r.outgoing_len };
        const struct wslay_event_msg ping = { WSLAY_PING, (const uint8_t *)"alive", 5 };
        const struct wslay_event_fragmented_msg parts = { .opcode = WSLAY_BINARY_FRAME,
                                                          .read_callback = next_fragment };
        if (times % 2 == 0) {
            assert_int_equal(wslay_event_queue_msg(r.server, &whole), 0);
        } else {
            assert_int_equal(wslay_event_queue_fragmented_msg(r.server, &parts), 0);
        }
        assert_int_equal(wslay_event_queue_msg(r.server, &ping), 0);
        pings++;
        serve(&r);
        r.lower.recv_max = roll(&r, 3) == 0 ? 1 + roll(&r, 100) : 0;
        for (size_t all = 0; all < r.outgoing_len || r.pongs < pings;) {
            size_t got;
            plat_result result = r.s->ops->recv(r.s, received + all, sizeof received - all, &got);
            assert_true(result == PLAT_OK || result == PLAT_WOULD_BLOCK);
            all += got;
            assert_true(all <= r.outgoing_len);
            serve(&r);
        }
        assert_memory_equal(received, r.outgoing, r.outgoing_len);
    }
    close_both(&r);
}

static void both_sides_close_with_the_code_of_wslay(void **state)
{
    (void)state;
    wslay_rig r;
    uint8_t buf[16];
    size_t got;
    open_both(&r);
    assert_int_equal(wslay_event_queue_close(r.server, 1001, (const uint8_t *)"bye", 3), 0);
    serve(&r);
    assert_int_equal(r.s->ops->recv(r.s, buf, sizeof buf, &got), PLAT_ERR_IO);
    assert_non_null(strstr(r.s->ops->detail(r.s), "1001 (going away)"));
    serve(&r);
    assert_int_equal(r.closed, 1001);
    close_both(&r);
    open_both(&r);
    r.s->ops->close(r.s);
    serve(&r);
    assert_int_equal(r.closed, 1000);
    close_both(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wslay_accepts_messages_of_every_size_however_the_socket_blocks),
        cmocka_unit_test(messages_of_wslay_arrive_whole_and_in_fragments_with_pings_between),
        cmocka_unit_test(both_sides_close_with_the_code_of_wslay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
