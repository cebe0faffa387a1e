#include "ws_fixture.h"

#include "websocket/ws_close.h"
#include "websocket/ws_input.h"

enum { FIN = 0x80 };

typedef struct input_rig {
    scripted_stream lower;
    plat_ws_output out;
    plat_ws_input in;
} input_rig;

static void begin_with(input_rig *r, const uint8_t *early, size_t early_len)
{
    plat_stage stage;
    scripted_init(&r->lower);
    plat_stream *lower = &r->lower.base;
    assert_int_equal(lower->ops->open(lower, "hub.example", 443, 0), PLAT_OK);
    assert_int_equal(lower->ops->progress(lower, 0, &stage), PLAT_OK);
    assert_int_equal(plat_ws_output_init(&r->out, lower, plat_posix()->crypto), PLAT_OK);
    assert_int_equal(plat_ws_input_init(&r->in, lower, &r->out, early, early_len), PLAT_OK);
}

static void begin(input_rig *r)
{
    begin_with(r, NULL, 0);
}

static void end(input_rig *r)
{
    plat_ws_input_drop(&r->in);
    plat_ws_output_drop(&r->out);
    scripted_free(&r->lower);
}

static plat_result receive(input_rig *r, uint8_t *buf, size_t cap, size_t *got)
{
    return plat_ws_input_recv(&r->in, buf, cap, got);
}

/* Receives until nothing is left, in pieces, and expects this content. */
static plat_result expect(input_rig *r, const void *content, size_t len, size_t piece)
{
    const uint8_t *at = content;
    plat_result result = PLAT_OK;
    for (size_t all = 0;;) {
        uint8_t buf[4096];
        size_t got;
        result = receive(r, buf, piece < sizeof buf ? piece : sizeof buf, &got);
        if (result != PLAT_OK) {
            assert_int_equal(all, len);
            return result;
        }
        assert_true(got > 0 && all + got <= len);
        assert_memory_equal(buf, at + all, got);
        all += got;
    }
}

static void feed(input_rig *r, ws_bytes *b)
{
    scripted_feed(&r->lower, b->ptr, b->len);
    free(b->ptr);
    *b = (ws_bytes){ 0 };
}

/* Appends everything that is allowed: fragments, empty ones, control frames between them. */
static void put_everything(ws_bytes *b, size_t large_len)
{
    static const uint8_t large[70000] = { 1, 2, 3 };
    ws_put_frame(b, FIN | OP_BINARY, "one ", 4);
    ws_put_frame(b, OP_BINARY, "t", 1);
    ws_put_frame(b, FIN | OP_PING, "p1", 2);
    ws_put_frame(b, OP_CONTINUATION, "", 0);
    ws_put_frame(b, OP_CONTINUATION, "w", 1);
    ws_put_frame(b, FIN | OP_PONG, "unasked", 7);
    ws_put_frame(b, FIN | OP_CONTINUATION, "o ", 2);
    ws_put_frame(b, FIN | OP_BINARY, "", 0);
    ws_put_frame(b, FIN | OP_PING, "", 0);
    ws_put_frame(b, OP_BINARY, "", 0);
    ws_put_frame(b, FIN | OP_CONTINUATION, "", 0);
    ws_put_frame(b, FIN | OP_BINARY, large, 130);
    ws_put_frame(b, FIN | OP_BINARY, large, large_len);
    ws_put_frame(b, FIN | OP_BINARY, "end", 3);
}

static size_t everything(uint8_t *out, size_t large_len)
{
    static const uint8_t large[70000] = { 1, 2, 3 };
    size_t n = 0;
    memcpy(out, "one two ", 8);
    n += 8;
    memcpy(out + n, large, 130);
    n += 130;
    memcpy(out + n, large, large_len);
    n += large_len;
    memcpy(out + n, "end", 3);
    return n + 3;
}

static void content_is_returned_without_frames_in_every_split(void **state)
{
    (void)state;
    static uint8_t wanted[80000];
    static const size_t sizes[] = { 1, 2, 3, 5, 7, 64, 125, 126, 127, 1000, 4095, 4096, 4097, 0 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t large = sizes[i] > 0 && sizes[i] < 1000 ? 300 : 70000;
        const size_t len = everything(wanted, large);
        for (size_t piece = 1; piece <= 4096; piece = piece * 5 + 1) {
            input_rig r;
            ws_bytes b = { 0 };
            begin(&r);
            r.lower.recv_max = sizes[i]; /* 0: no limit */
            put_everything(&b, large);
            feed(&r, &b);
            plat_result last = PLAT_WOULD_BLOCK;
            size_t all = 0;
            while (all < len) {
                uint8_t buf[4096];
                size_t got;
                last = receive(&r, buf, piece, &got);
                if (last == PLAT_WOULD_BLOCK) {
                    assert_true(plat_ws_input_has_more(&r.in) || scripted_unread(&r.lower) > 0);
                    continue;
                }
                assert_int_equal(last, PLAT_OK);
                assert_memory_equal(buf, wanted + all, got);
                all += got;
            }
            assert_int_equal(expect(&r, NULL, 0, piece), PLAT_WOULD_BLOCK);
            end(&r);
        }
    }
}

static void each_ping_is_answered_with_its_content(void **state)
{
    (void)state;
    uint8_t content[PLAT_WS_CONTROL_MAX];
    for (size_t i = 0; i < sizeof content; i++) {
        content[i] = (uint8_t)i;
    }
    for (size_t len = 0; len <= sizeof content; len++) {
        input_rig r;
        ws_bytes b = { 0 };
        ws_frame frame;
        size_t sent;
        begin(&r);
        r.lower.recv_max = len % 3 + 1;
        ws_put_frame(&b, FIN | OP_PING, content, len);
        feed(&r, &b);
        while (scripted_unread(&r.lower) > 0) {
            assert_int_equal(expect(&r, NULL, 0, 16), PLAT_WOULD_BLOCK);
        }
        assert_true(plat_ws_output_waits(&r.out));
        assert_int_equal(plat_ws_output_flush(&r.out), PLAT_OK);
        const uint8_t *bytes = scripted_sent(&r.lower, &sent);
        assert_int_equal(ws_read_frame(bytes, sent, &frame), sent);
        assert_int_equal(frame.opcode, OP_PONG);
        assert_int_equal(frame.len, len);
        assert_memory_equal(frame.content, content, len);
        free(frame.content);
        end(&r);
    }
}

static const struct {
    const char *bytes;
    size_t len;
    const char *fault;
    uint16_t code;
} violations[] = {
    { "\x81\x02hi", 4, "sent a text message; MQTT needs binary ones", 1003 },
    { "\x01\x02hi", 4, "sent a text message; MQTT needs binary ones", 1003 },
    { "\x82\x81\x01\x02\x03\x04z", 7, "sent a masked frame", 1002 },
    { "\x82\x80\x01\x02\x03\x04", 6, "sent a masked frame", 1002 },
    { "\x89\x80\x01\x02\x03\x04", 6, "sent a masked frame", 1002 },
    { "\xc2\x01z", 3, "sent a frame with reserved bits", 1002 },
    { "\xa2\x01z", 3, "sent a frame with reserved bits", 1002 },
    { "\x92\x01z", 3, "sent a frame with reserved bits", 1002 },
    { "\xf2\x01z", 3, "sent a frame with reserved bits", 1002 },
    { "\xc9\x00", 2, "sent a frame with reserved bits", 1002 },
    { "\x80\x01z", 3, "continued a message that it has not begun", 1002 },
    { "\x00\x01z", 3, "continued a message that it has not begun", 1002 },
    { "\x02\x01z\x82\x01z", 6, "began a message inside another one", 1002 },
    { "\x02\x01z\x02\x01z", 6, "began a message inside another one", 1002 },
    { "\x02\x00\x82\x00", 4, "began a message inside another one", 1002 },
    { "\x09\x00", 2, "sent a malformed frame", 1002 },         /* a fragmented ping */
    { "\x0a\x00", 2, "sent a malformed frame", 1002 },         /* a fragmented pong */
    { "\x88\x7e\x00\x7e", 4, "sent a malformed frame", 1002 }, /* a close frame of 126 */
    { "\x08\x00", 2, "sent a malformed frame", 1002 },         /* a fragmented close */
    { "\x89\x7e\x00\x7e", 4, "sent a malformed frame", 1002 }, /* a ping of 126 bytes */
    /* The length is not in its shortest form. */
    { "\x82\x7e\x00\x7d", 4, "sent a malformed frame", 1002 },
    { "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10, "sent a malformed frame", 1002 },
    { "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10, "sent a malformed frame", 1002 },
    { "\x82\x7f\x00\x00\x00\x00\x10\x00\x00\x05z", 11,
      "sent a frame that is longer than any MQTT packet", 1009 },
    { "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffz", 11,
      "sent a frame that is longer than any MQTT packet", 1009 },
    { "\x88\x01\x03", 3, "sent a close frame with half a status code", 1002 },
    { "\x88\x02\x03\xed", 4, "sent a close frame with a status code that does not exist", 1002 },
    { "\x88\x03\x03\xe8\xff", 5, "sent a close frame with a reason that is not UTF-8", 1007 },
};

/* Each case is what the server sends after a good message. */
static void each_violation_is_named_and_answered_with_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof violations / sizeof violations[0]; i++) {
        for (size_t step = 0; step <= 1; step++) { /* step 0: as one piece; step 1: byte by byte */
            input_rig r;
            begin(&r);
            r.lower.recv_max = step;
            scripted_feed(&r.lower, "\x82\x04good", 6);
            scripted_feed(&r.lower, violations[i].bytes, violations[i].len);
            uint8_t buf[64];
            size_t got;
            size_t all = 0;
            plat_result result;
            while ((result = receive(&r, buf + all, sizeof buf - all, &got)) !=
                   PLAT_ERR_WEBSOCKET) {
                assert_true(result == PLAT_OK || plat_ws_input_has_more(&r.in) ||
                            scripted_unread(&r.lower) > 0);
                all += got;
            }
            assert_memory_equal(buf, "good", 4); /* the content before it is not lost */
            assert_string_equal(r.in.fault, violations[i].fault);
            assert_int_equal(r.in.code, violations[i].code);
            assert_int_equal(receive(&r, buf, sizeof buf, &got), PLAT_ERR_WEBSOCKET);
            end(&r);
        }
    }
}

static void each_unknown_kind_of_frame_is_refused(void **state)
{
    (void)state;
    static const unsigned unknown[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        input_rig r;
        ws_bytes b = { 0 };
        begin(&r);
        ws_put_frame(&b, FIN | unknown[i], "x", 1);
        feed(&r, &b);
        assert_int_equal(expect(&r, NULL, 0, 16), PLAT_ERR_WEBSOCKET);
        assert_string_equal(r.in.fault, "sent a frame of an unknown kind");
        end(&r);
    }
}

static void a_close_frame_ends_the_stream_after_the_content_before_it(void **state)
{
    (void)state;
    input_rig r;
    ws_bytes b = { 0 };
    begin(&r);
    ws_put_frame(&b, FIN | OP_BINARY, "last words", 10);
    ws_put_close(&b, 1001, "bye");
    ws_put_frame(&b, FIN | OP_BINARY, "ignored", 7);
    feed(&r, &b);
    uint8_t buf[64];
    size_t got;
    assert_int_equal(receive(&r, buf, sizeof buf, &got), PLAT_OK);
    assert_int_equal(got, 10);
    assert_true(plat_ws_input_has_more(&r.in)); /* the socket will not report the close frame */
    assert_int_equal(expect(&r, NULL, 0, 16), PLAT_ERR_IO);
    assert_true(r.in.closed);
    assert_int_equal(r.in.code, 1001);
    end(&r);
}

/* A close frame may also come inside a fragmented message. */
static void nothing_after_a_close_frame_is_read(void **state)
{
    (void)state;
    for (unsigned follows = 0; follows < 5; follows++) {
        input_rig r;
        ws_bytes b = { 0 };
        begin(&r);
        ws_put_frame(&b, follows % 2 == 0 ? OP_BINARY : FIN | OP_BINARY, "first", 5);
        ws_put_close(&b, 1000, "");
        switch (follows) {
        case 0: ws_put_frame(&b, FIN | OP_CONTINUATION, "rest", 4); break;
        case 1: ws_put_frame(&b, FIN | OP_PING, "ping", 4); break;
        case 2: ws_put_frame(&b, FIN | OP_TEXT, "text", 4); break;
        case 3: ws_put_close(&b, 1001, "again"); break;
        default: ws_append(&b, "\xff\xff\xff\xff", 4); break;
        }
        feed(&r, &b);
        assert_int_equal(expect(&r, "first", 5, 64), PLAT_ERR_IO);
        assert_int_equal(expect(&r, NULL, 0, 64), PLAT_ERR_IO);
        assert_true(r.in.closed);
        assert_int_equal(r.in.code, 1000);
        assert_false(plat_ws_output_waits(&r.out)); /* the ping is not answered */
        end(&r);
    }
}

static void a_large_frame_is_returned_in_pieces_without_being_held(void **state)
{
    (void)state;
    enum { LEN = 16 * 1024 * 1024 };
    static uint8_t large[LEN];
    static uint8_t buf[64 * 1024];
    input_rig r;
    ws_bytes b = { 0 };
    begin(&r);
    for (size_t i = 0; i < LEN; i++) {
        large[i] = (uint8_t)(i >> 9);
    }
    ws_put_frame(&b, FIN | OP_BINARY, large, LEN);
    feed(&r, &b);
    for (size_t all = 0; all < LEN;) {
        size_t got;
        assert_int_equal(receive(&r, buf, sizeof buf, &got), PLAT_OK);
        assert_memory_equal(buf, large + all, got);
        all += got;
    }
    end(&r);
}

/* A read that returns less than there is room for shows that the socket is empty. Another read
 * would be a system call without effect. */
static void one_read_below_is_enough_if_it_brings_content(void **state)
{
    (void)state;
    input_rig r;
    ws_bytes b = { 0 };
    uint8_t buf[64];
    size_t got;
    begin(&r);
    ws_put_frame(&b, FIN | OP_BINARY, "abc", 3);
    ws_put_frame(&b, FIN | OP_BINARY, "def", 3);
    feed(&r, &b);
    assert_int_equal(receive(&r, buf, sizeof buf, &got), PLAT_OK);
    assert_int_equal(got, 6);
    assert_int_equal(r.lower.calls[SCRIPTED_RECV], 1);
    assert_false(plat_ws_input_has_more(&r.in));
    end(&r);
}

static void a_full_buffer_says_that_more_may_be_there(void **state)
{
    (void)state;
    input_rig r;
    ws_bytes b = { 0 };
    uint8_t buf[4];
    size_t got;
    begin(&r);
    ws_put_frame(&b, FIN | OP_BINARY, "abcdefg", 7);
    feed(&r, &b);
    assert_int_equal(receive(&r, buf, sizeof buf, &got), PLAT_OK);
    assert_int_equal(got, 4);
    assert_int_equal(scripted_unread(&r.lower), 0);
    assert_true(plat_ws_input_has_more(&r.in));
    assert_int_equal(receive(&r, buf, sizeof buf, &got), PLAT_OK);
    assert_int_equal(got, 3);
    assert_false(plat_ws_input_has_more(&r.in));
    end(&r);
}

/* The server sends frames without content as fast as it can. */
static void a_flood_without_content_does_not_keep_a_call_busy(void **state)
{
    (void)state;
    input_rig r;
    ws_bytes b = { 0 };
    uint8_t buf[64];
    size_t got;
    begin(&r);
    for (unsigned i = 0; i < 1000; i++) {
        ws_put_frame(&b, FIN | OP_PING, "x", 1);
        ws_put_frame(&b, FIN | OP_BINARY, "", 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        scripted_feed(&r.lower, b.ptr, b.len);
    }
    free(b.ptr);
    const size_t before = scripted_unread(&r.lower);
    assert_int_equal(receive(&r, buf, sizeof buf, &got), PLAT_WOULD_BLOCK);
    assert_true(before - scripted_unread(&r.lower) <= 64u * 1024);
    assert_true(plat_ws_input_has_more(&r.in));
    end(&r);
}

static void bytes_that_came_with_the_answer_are_read_first(void **state)
{
    (void)state;
    static const uint8_t early[] = { 0x82, 3, 'a', 'b', 'c', 0x82 };
    for (size_t len = 0; len <= sizeof early; len++) {
        input_rig r;
        begin_with(&r, early, len);
        assert_int_equal(plat_ws_input_has_more(&r.in), len > 0);
        scripted_feed(&r.lower, early + len, sizeof early - len);
        scripted_feed(&r.lower, "\x02zz", 3);
        uint8_t buf[16];
        size_t all = 0;
        while (all < 5) {
            size_t got;
            assert_int_equal(receive(&r, buf + all, sizeof buf - all, &got), PLAT_OK);
            all += got;
        }
        assert_memory_equal(buf, "abczz", 5);
        end(&r);
    }
}

static void ends_and_failures_below_are_returned_after_the_content(void **state)
{
    (void)state;
    static const plat_result results[] = { PLAT_EOF, PLAT_ERR_IO, PLAT_ERR_TLS };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        input_rig r;
        begin(&r);
        scripted_feed(&r.lower, "\x82\x05half", 6); /* a frame that is cut */
        r.lower.recv_then = results[i];
        assert_int_equal(expect(&r, "half", 4, 64), results[i]);
        assert_false(r.in.closed);
        assert_null(r.in.fault);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_returned_without_frames_in_every_split),
        cmocka_unit_test(each_ping_is_answered_with_its_content),
        cmocka_unit_test(each_violation_is_named_and_answered_with_its_code),
        cmocka_unit_test(each_unknown_kind_of_frame_is_refused),
        cmocka_unit_test(a_close_frame_ends_the_stream_after_the_content_before_it),
        cmocka_unit_test(nothing_after_a_close_frame_is_read),
        cmocka_unit_test(a_large_frame_is_returned_in_pieces_without_being_held),
        cmocka_unit_test(one_read_below_is_enough_if_it_brings_content),
        cmocka_unit_test(a_full_buffer_says_that_more_may_be_there),
        cmocka_unit_test(a_flood_without_content_does_not_keep_a_call_busy),
        cmocka_unit_test(bytes_that_came_with_the_answer_are_read_first),
        cmocka_unit_test(ends_and_failures_below_are_returned_after_the_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
