#include "ws_fixture.h"

#include "websocket/ws_close.h"
#include "websocket/ws_output.h"

typedef struct output_rig {
    scripted_stream lower;
    plat_ws_output out;
} output_rig;

static bool out_of_memory;

void *__real_realloc(void *old,
                     size_t size); /* NOLINT(bugprone-reserved-identifier): the linker's */
void *__wrap_realloc(void *old,
                     size_t size); /* NOLINT(bugprone-reserved-identifier): the linker's */

void *__wrap_realloc(void *old, size_t size)
{
    return out_of_memory ? NULL : __real_realloc(old, size);
}

static void begin(output_rig *r)
{
    plat_stage stage;
    scripted_init(&r->lower);
    plat_stream *lower = &r->lower.base;
    assert_int_equal(lower->ops->open(lower, "hub.example", 443, 0), PLAT_OK);
    assert_int_equal(lower->ops->progress(lower, 0, &stage), PLAT_OK);
    assert_int_equal(plat_ws_output_init(&r->out, lower, plat_posix()->crypto), PLAT_OK);
}

static void end(output_rig *r)
{
    plat_ws_output_drop(&r->out);
    scripted_free(&r->lower);
}

static const uint8_t *content_of(size_t len)
{
    static uint8_t bytes[2 * PLAT_WS_CONTENT_MAX];
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i * 31 + len);
    }
    return bytes;
}

/* Removes the first frame of what was sent, and expects this content. */
static void expect_frame(output_rig *r, unsigned opcode, const void *content, size_t len)
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

static void expect_nothing(output_rig *r)
{
    size_t len;
    (void)scripted_sent(&r->lower, &len);
    assert_int_equal(len, 0);
}

static plat_result send_all(output_rig *r, const uint8_t *bytes, size_t len, size_t *sent)
{
    return plat_ws_output_send(&r->out, bytes, len, sent);
}

static void each_send_is_one_binary_frame_and_one_call_of_the_stream_below(void **state)
{
    (void)state;
    static const size_t lengths[] = { 1, 2, 124, 125, 126, 127, 1000, 16375, PLAT_WS_CONTENT_MAX };
    output_rig r;
    begin(&r);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t sent;
        const unsigned calls = r.lower.calls[SCRIPTED_SEND];
        assert_int_equal(send_all(&r, content_of(lengths[i]), lengths[i], &sent), PLAT_OK);
        assert_int_equal(sent, lengths[i]);
        assert_int_equal(r.lower.calls[SCRIPTED_SEND], calls + 1);
        expect_frame(&r, OP_BINARY, content_of(lengths[i]), lengths[i]);
        expect_nothing(&r);
    }
    assert_null(r.out.kept); /* nothing was ever kept */
    end(&r);
}

static void a_frame_fills_at_most_one_record_of_tls(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    const size_t len = PLAT_WS_CONTENT_MAX + 1;
    assert_int_equal(send_all(&r, content_of(len), len, &sent), PLAT_OK);
    assert_int_equal(sent, PLAT_WS_CONTENT_MAX);
    assert_int_equal(r.lower.last_send, 16384);
    end(&r);
}

static void every_frame_has_another_mask(void **state)
{
    (void)state;
    output_rig r;
    begin(&r);
    uint8_t before[4] = { 0 };
    for (unsigned i = 0; i < 100; i++) {
        size_t sent;
        size_t len;
        ws_frame frame;
        assert_int_equal(send_all(&r, content_of(10), 10, &sent), PLAT_OK);
        const uint8_t *bytes = scripted_sent(&r.lower, &len);
        scripted_drain(&r.lower, ws_read_frame(bytes, len, &frame));
        assert_memory_not_equal(frame.mask, before, sizeof before);
        memcpy(before, frame.mask, sizeof before);
        free(frame.content);
    }
    end(&r);
}

/* The stream below accepts every possible number of bytes before it blocks. */
static void a_frame_that_is_blocked_anywhere_continues_with_the_same_bytes(void **state)
{
    (void)state;
    enum { LEN = 200, FRAME = LEN + 8 };
    for (size_t room = 0; room < FRAME; room++) {
        output_rig r;
        size_t sent;
        uint8_t moved[LEN + 50];
        begin(&r);
        r.lower.send_room = room;
        assert_int_equal(send_all(&r, content_of(LEN), LEN, &sent), PLAT_WOULD_BLOCK);
        assert_int_equal(sent, 0);
        assert_true(plat_ws_output_waits(&r.out));
        assert_int_equal(send_all(&r, content_of(LEN), LEN, &sent), PLAT_WOULD_BLOCK);
        /* The caller may pass the bytes at another address, followed by more. */
        memcpy(moved, content_of(LEN), LEN);
        memset(moved + LEN, 0xEE, sizeof moved - LEN);
        r.lower.send_room = FRAME - room;
        assert_int_equal(send_all(&r, moved, sizeof moved, &sent), PLAT_OK);
        assert_int_equal(sent, LEN);
        assert_false(plat_ws_output_waits(&r.out));
        expect_frame(&r, OP_BINARY, content_of(LEN), LEN);
        expect_nothing(&r);
        end(&r);
    }
}

static void small_steps_of_the_stream_below_change_nothing(void **state)
{
    (void)state;
    for (size_t step = 1; step < 20; step++) {
        output_rig r;
        size_t sent;
        begin(&r);
        r.lower.send_max = step;
        assert_int_equal(send_all(&r, content_of(300), 300, &sent), PLAT_OK);
        assert_int_equal(sent, 300);
        expect_frame(&r, OP_BINARY, content_of(300), 300);
        end(&r);
    }
}

static void other_bytes_than_those_of_the_blocked_call_are_refused(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    r.lower.send_room = 3;
    assert_int_equal(send_all(&r, content_of(20), 20, &sent), PLAT_WOULD_BLOCK);
    assert_int_equal(send_all(&r, content_of(20), 19, &sent), PLAT_ERR_ARG);
    end(&r);
}

static void a_flush_finishes_a_blocked_frame_and_its_bytes_count_at_the_next_send(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    r.lower.send_room = 5;
    assert_int_equal(send_all(&r, content_of(20), 20, &sent), PLAT_WOULD_BLOCK);
    assert_int_equal(plat_ws_output_flush(&r.out), PLAT_WOULD_BLOCK);
    r.lower.send_room = SIZE_MAX;
    assert_int_equal(plat_ws_output_flush(&r.out), PLAT_OK);
    expect_frame(&r, OP_BINARY, content_of(20), 20);
    const unsigned calls = r.lower.calls[SCRIPTED_SEND];
    assert_int_equal(send_all(&r, content_of(20), 20, &sent), PLAT_OK);
    assert_int_equal(sent, 20);
    assert_int_equal(r.lower.calls[SCRIPTED_SEND], calls);
    expect_nothing(&r);
    end(&r);
}

static void a_pong_never_gets_into_a_frame_wherever_that_is_blocked(void **state)
{
    (void)state;
    enum { LEN = 30, FRAME = LEN + 6 };
    for (size_t room = 0; room < FRAME; room++) {
        output_rig r;
        size_t sent;
        begin(&r);
        r.lower.send_room = room;
        assert_int_equal(send_all(&r, content_of(LEN), LEN, &sent), PLAT_WOULD_BLOCK);
        plat_ws_output_pong(&r.out, (const uint8_t *)"ping", 4);
        assert_int_equal(plat_ws_output_flush(&r.out), PLAT_WOULD_BLOCK);
        r.lower.send_room = FRAME - room + 3; /* the pong is blocked, too */
        assert_int_equal(plat_ws_output_flush(&r.out), PLAT_WOULD_BLOCK);
        assert_true(plat_ws_output_waits(&r.out));
        r.lower.send_room = SIZE_MAX;
        assert_int_equal(send_all(&r, content_of(LEN), LEN, &sent), PLAT_OK);
        assert_int_equal(sent, LEN);
        assert_int_equal(send_all(&r, content_of(7), 7, &sent), PLAT_OK);
        expect_frame(&r, OP_BINARY, content_of(LEN), LEN);
        expect_frame(&r, OP_PONG, "ping", 4);
        expect_frame(&r, OP_BINARY, content_of(7), 7);
        expect_nothing(&r);
        end(&r);
    }
}

/* RFC 6455 section 5.5.3 allows this. */
static void of_pings_that_could_not_be_answered_only_the_last_one_is(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    r.lower.send_room = 0;
    for (unsigned i = 0; i < 1000; i++) {
        plat_ws_output_pong(&r.out, content_of(PLAT_WS_CONTROL_MAX), i % PLAT_WS_CONTROL_MAX);
    }
    plat_ws_output_pong(&r.out, (const uint8_t *)"last", 4);
    r.lower.send_room = SIZE_MAX;
    assert_int_equal(send_all(&r, content_of(5), 5, &sent), PLAT_OK);
    expect_frame(&r, OP_PONG, "", 0); /* the first one was being sent */
    expect_frame(&r, OP_PONG, "last", 4);
    expect_frame(&r, OP_BINARY, content_of(5), 5);
    expect_nothing(&r);
    end(&r);
}

static void pings_that_arrive_together_are_answered_in_order(void **state)
{
    (void)state;
    output_rig r;
    begin(&r);
    for (size_t i = 0; i < 10; i++) {
        plat_ws_output_pong(&r.out, content_of(i), i);
    }
    assert_int_equal(plat_ws_output_flush(&r.out), PLAT_OK);
    for (size_t i = 0; i < 10; i++) {
        expect_frame(&r, OP_PONG, content_of(i), i);
    }
    expect_nothing(&r);
    end(&r);
}

static void a_close_frame_has_its_code_and_comes_after_a_whole_frame_only(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    plat_ws_output_close(&r.out, 1002);
    plat_ws_output_close(&r.out, PLAT_WS_CLOSE_NONE);
    expect_frame(&r, OP_CLOSE, "\x03\xea", 2);
    expect_frame(&r, OP_CLOSE, "", 0);
    r.lower.send_room = 4;
    assert_int_equal(send_all(&r, content_of(9), 9, &sent), PLAT_WOULD_BLOCK);
    plat_ws_output_close(&r.out, 1000);
    r.lower.send_room = SIZE_MAX;
    assert_int_equal(send_all(&r, content_of(9), 9, &sent), PLAT_OK);
    expect_frame(&r, OP_BINARY, content_of(9), 9);
    expect_nothing(&r);
    end(&r);
}

static void failures_below_are_returned(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    scripted_fail(&r.lower, SCRIPTED_SEND, 1, PLAT_ERR_IO);
    assert_int_equal(send_all(&r, content_of(9), 9, &sent), PLAT_ERR_IO);
    assert_int_equal(sent, 0);
    end(&r);
}

static void without_memory_for_the_rest_of_a_frame_it_fails(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    r.lower.send_room = 4;
    out_of_memory = true;
    const plat_result result = send_all(&r, content_of(9), 9, &sent);
    out_of_memory = false;
    assert_int_equal(result, PLAT_ERR_MEMORY);
    end(&r);
}

/* Many blocked frames use the memory of the first. */
static void the_memory_for_rests_is_allocated_once(void **state)
{
    (void)state;
    output_rig r;
    size_t sent;
    begin(&r);
    for (size_t i = 0; i < 50; i++) {
        r.lower.send_room = 2 + i % 7;
        assert_int_equal(send_all(&r, content_of(100), 100, &sent), PLAT_WOULD_BLOCK);
        r.lower.send_room = SIZE_MAX;
        assert_int_equal(send_all(&r, content_of(100), 100, &sent), PLAT_OK);
        expect_frame(&r, OP_BINARY, content_of(100), 100);
        out_of_memory = true; /* no memory is left from the second frame on */
    }
    out_of_memory = false;
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_send_is_one_binary_frame_and_one_call_of_the_stream_below),
        cmocka_unit_test(a_frame_fills_at_most_one_record_of_tls),
        cmocka_unit_test(every_frame_has_another_mask),
        cmocka_unit_test(a_frame_that_is_blocked_anywhere_continues_with_the_same_bytes),
        cmocka_unit_test(small_steps_of_the_stream_below_change_nothing),
        cmocka_unit_test(other_bytes_than_those_of_the_blocked_call_are_refused),
        cmocka_unit_test(a_flush_finishes_a_blocked_frame_and_its_bytes_count_at_the_next_send),
        cmocka_unit_test(a_pong_never_gets_into_a_frame_wherever_that_is_blocked),
        cmocka_unit_test(of_pings_that_could_not_be_answered_only_the_last_one_is),
        cmocka_unit_test(pings_that_arrive_together_are_answered_in_order),
        cmocka_unit_test(a_close_frame_has_its_code_and_comes_after_a_whole_frame_only),
        cmocka_unit_test(failures_below_are_returned),
        cmocka_unit_test(without_memory_for_the_rest_of_a_frame_it_fails),
        cmocka_unit_test(the_memory_for_rests_is_allocated_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
